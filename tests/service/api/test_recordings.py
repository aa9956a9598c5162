"""Can a scene be said by a sound that its author uploads, and who may present it?"""

import hashlib
import io
import wave
from typing import Any

import httpx
import pytest

from service.limits import LIMITS
from service.media.models import Media
from service.projects.models import Project
from service.runtime import Runtime
from service.scenes.models import Scene
from tests.service.pictures import PNG

MEDIA = "/api/v1/media"


def sound(seconds: float = 0.5) -> bytes:
    held = io.BytesIO()
    with wave.open(held, "wb") as writer:
        writer.setparams((1, 2, 8_000, 0, "NONE", ""))
        writer.writeframes(bytes(int(seconds * 8_000) * 2))
    return held.getvalue()


async def uploaded(client: httpx.AsyncClient, person: Any, content: bytes, kind: str) -> httpx.Response:
    digest = hashlib.sha256(content).hexdigest()
    body = {"name": "voz.wav", "content_type": kind, "size": len(content), "sha256": digest}
    media = (await client.post(MEDIA, json=body, headers=person.headers)).json()
    sent = await client.put(media["upload"]["url"], content=content, headers=media["upload"]["headers"])
    assert sent.status_code == 204, sent.text
    return await client.post(f"{MEDIA}/{media['id']}/complete", headers=person.headers | {"accept-language": "pt-BR"})


async def test_a_sound_is_a_scene_s_narration_until_it_is_taken_away(
    client: httpx.AsyncClient, meet: Any, runtime: Runtime
) -> None:
    ana = await meet()
    course = (await client.post("/api/v1/projects", json={"title": "x"}, headers=ana.headers)).headers["location"]
    voice = (await uploaded(client, ana, sound(), "audio/wav")).json()["id"]
    picture = (await uploaded(client, ana, PNG, "image/png")).json()["id"]
    async with runtime.database.reading() as session:
        assert (await session.get_one(Media, voice)).seconds == pytest.approx(0.5)
    body = {"title": "…", "audio_id": voice, "image_id": picture, "presenter": True}  # nothing but the sound is said
    made = await client.post(f"{course}/scenes", json=body, headers=ana.headers)
    assert made.status_code == 201, made.text
    place, shown = made.headers["location"], made.json()
    assert (shown["audio_id"], shown["image_id"], shown["presenter"]) == (voice, picture, True)
    for field, wrong in (("audio_id", picture), ("image_id", voice), ("audio_id", "0" * 32)):
        tag = (await client.get(place, headers=ana.headers)).headers["etag"]
        answer = await client.patch(place, json={field: wrong}, headers=ana.headers | {"if-match": tag})
        assert answer.status_code == 422 and field in answer.json()["detail"]
    changed = await client.patch(
        place, json={"title": "Olá", "presenter": False}, headers=ana.headers | {"if-match": tag}
    )
    assert (changed.json()["audio_id"], changed.json()["presenter"]) == (voice, False)
    assert (await client.get(f"{course}/check", headers=ana.headers)).json()["ready"] is True
    assert (await client.delete(f"{MEDIA}/{voice}", headers=ana.headers)).status_code == 204
    after = await client.get(place, headers=ana.headers)
    assert after.json()["audio_id"] is None and after.json()["image_id"] == picture
    assert after.headers["etag"] != changed.headers["etag"]


async def test_what_is_no_sound_is_refused_when_it_is_completed(client: httpx.AsyncClient, meet: Any) -> None:
    for kind in ("audio/wav", "audio/mpeg"):
        answer = await uploaded(client, await meet(), b"<!doctype html><script>", kind)
        assert answer.status_code == 422
        assert answer.json()["detail"].startswith("o som 'voz.wav' não é MP3 nem WAV")


async def test_all_recordings_of_a_course_have_a_longest_time(
    client: httpx.AsyncClient, meet: Any, runtime: Runtime
) -> None:
    ana = await meet()
    media = Media(
        owner_id=ana.id, name="x", content_type="audio/wav", size=1, sha256="0" * 64, status="ready",
        seconds=LIMITS.recordings / 2 + 1,
    )  # fmt: skip
    course = Project(owner_id=ana.id, title="Luz", scene_count=2)
    scenes = [Scene(project_id=course.id, position=n, title="a", audio_id=media.id) for n in (1, 2)]
    async with runtime.database.transaction() as session:
        session.add_all([media, course])
        await session.flush()
        session.add_all(scenes)
    told = (await client.get(f"/api/v1/projects/{course.id}/check", headers=ana.headers)).json()
    assert told["ready"] is False and told["problem"].startswith("as gravações duram mais de 4.200 segundos")
