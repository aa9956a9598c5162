"""Do scenes behave as documented? Order, pictures, limits, and counts that stay right."""

import asyncio
from dataclasses import replace
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.limits import LIMITS
from service.projects.models import Project
from service.runtime import Runtime
from service.scenes import service
from service.security.permissions import Role
from tests.service.pictures import PNG, announced


@pytest.fixture
async def course(client: httpx.AsyncClient, meet: Any) -> tuple[str, dict[str, str]]:
    ana = await meet()
    made = await client.post("/api/v1/projects", json={"title": "Luz"}, headers=ana.headers)
    return str(made.headers["location"]), ana.headers


async def add(client: httpx.AsyncClient, course: tuple[str, dict[str, str]], title: str, **more: Any) -> Any:
    answer = await client.post(f"{course[0]}/scenes", json={"title": title} | more, headers=course[1])
    assert answer.status_code == 201, answer.text
    return answer.json()


async def titles(client: httpx.AsyncClient, course: tuple[str, dict[str, str]]) -> list[str]:
    answer = await client.get(f"{course[0]}/scenes", headers=course[1])
    return [scene["title"] for scene in answer.json()["items"]]


async def test_scenes_keep_their_order(client: httpx.AsyncClient, course: Any) -> None:
    ids = [(await add(client, course, title))["id"] for title in "abc"]
    assert await titles(client, course) == ["a", "b", "c"]
    wanted = {"scene_ids": [ids[2], ids[0], ids[1]]}
    answer = await client.put(f"{course[0]}/scenes/order", json=wanted, headers=course[1])
    assert answer.status_code == 200 and [row["title"] for row in answer.json()["items"]] == ["c", "a", "b"]
    await add(client, course, "d")
    assert await titles(client, course) == ["c", "a", "b", "d"]


@pytest.mark.parametrize("wrong", ["missing", "twice", "foreign"])
async def test_an_order_names_every_scene_once(client: httpx.AsyncClient, course: Any, wrong: str) -> None:
    ids = [(await add(client, course, title))["id"] for title in "ab"]
    sent = {"missing": ids[:1], "twice": [ids[0], ids[0]], "foreign": [ids[0], "0" * 32]}[wrong]
    answer = await client.put(f"{course[0]}/scenes/order", json={"scene_ids": sent}, headers=course[1])
    assert answer.status_code == 409
    assert await titles(client, course) == ["a", "b"]


async def test_a_scene_changes_and_goes_and_the_course_counts(client: httpx.AsyncClient, course: Any) -> None:
    scene = await add(client, course, "a", narration="Olá")
    place = f"{course[0]}/scenes/{scene['id']}"
    change = course[1] | {"if-match": '"1"'}
    answer = await client.patch(place, json={"text": "Luz\nÁgua"}, headers=change)
    assert answer.json()["text"] == "Luz\nÁgua" and answer.json()["narration"] == "Olá"
    assert (await client.patch(place, json={"title": None}, headers=course[1] | {"if-match": '"2"'})).status_code == 422
    assert (await client.get(place, headers=course[1])).json() == answer.json()
    assert (await client.get(course[0], headers=course[1])).json()["scene_count"] == 1
    assert (await client.delete(place, headers=change)).status_code == 412
    assert (await client.delete(place, headers=course[1] | {"if-match": '"2"'})).status_code == 204
    assert (await client.get(course[0], headers=course[1])).json()["scene_count"] == 0
    assert (await client.get(place, headers=course[1])).status_code == 404


async def test_scenes_of_another_course_are_not_found(client: httpx.AsyncClient, course: Any, meet: Any) -> None:
    scene = await add(client, course, "a")
    stranger = await meet()
    other = (await client.post("/api/v1/projects", json={"title": "x"}, headers=stranger.headers)).headers["location"]
    for base in (course[0], other):
        place = f"{base}/scenes/{scene['id']}"
        assert (await client.get(place, headers=stranger.headers)).status_code == 404
        change = stranger.headers | {"if-match": '"1"'}
        assert (await client.patch(place, json={"title": "mine"}, headers=change)).status_code == 404
        assert (await client.delete(place, headers=change)).status_code == 404
    assert (await client.post(f"{course[0]}/scenes", json={"title": "x"}, headers=stranger.headers)).status_code == 404
    assert (await client.get(f"{course[0]}/scenes", headers=stranger.headers)).status_code == 404


async def test_a_cached_list_is_never_older_than_a_write(
    client: httpx.AsyncClient, course: Any, runtime: Runtime
) -> None:
    hits = runtime.metrics.counters["cache_requests_total"].labels("hit")

    async def asked_twice() -> list[str]:
        cold, before = await titles(client, course), hits._value.get()
        assert await titles(client, course) == cold
        assert hits._value.get() == before + 1
        return cold

    assert await asked_twice() == []
    first, second = await add(client, course, "a"), await add(client, course, "b")
    assert await asked_twice() == ["a", "b"]
    place, change = f"{course[0]}/scenes/{first['id']}", course[1] | {"if-match": '"1"'}
    assert (await client.patch(place, json={"title": "c"}, headers=change)).status_code == 200
    assert await asked_twice() == ["c", "b"]
    order = {"scene_ids": [second["id"], first["id"]]}
    assert (await client.put(f"{course[0]}/scenes/order", json=order, headers=course[1])).status_code == 200
    assert await asked_twice() == ["b", "c"]
    version = (await client.get(place, headers=course[1])).headers["etag"]
    assert (await client.delete(place, headers=course[1] | {"if-match": version})).status_code == 204
    assert await asked_twice() == ["b"]


async def test_a_long_list_is_answered_but_not_kept(
    client: httpx.AsyncClient, course: Any, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.http.gate.LARGEST_KEPT", 1000)
    await add(client, course, "a", narration="Luz " * 300)
    hits = runtime.metrics.counters["cache_requests_total"].labels("hit")
    before = hits._value.get()
    assert await titles(client, course) == await titles(client, course) == ["a"]
    assert hits._value.get() == before


async def test_a_picture_is_the_callers_completed_upload(client: httpx.AsyncClient, course: Any, meet: Any) -> None:
    body = {"name": "a.png", "content_type": "image/png", "size": 4, "sha256": "0" * 64}
    mine = (await client.post("/api/v1/media", json=body, headers=course[1])).json()["id"]
    foreign = (await client.post("/api/v1/media", json=body, headers=(await meet()).headers)).json()["id"]
    for image in (mine, foreign, "0" * 32):
        answer = await client.post(f"{course[0]}/scenes", json={"title": "x", "image_id": image}, headers=course[1])
        assert answer.status_code == 422 and "image_id" in answer.json()["detail"]


async def test_a_course_has_an_end(
    client: httpx.AsyncClient, course: Any, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "LIMITS", replace(LIMITS, scenes=1))
    await add(client, course, "a")
    answer = await client.post(f"{course[0]}/scenes", json={"title": "b"}, headers=course[1])
    assert answer.status_code == 409
    async with runtime.database.reading() as session:
        assert (await session.get_one(Project, course[0].rsplit("/", 1)[1])).scene_count == 1


@given(st.permutations(range(6)))
def test_any_order_of_positions_is_the_order_asked_for(order: list[int]) -> None:
    """Positions are multiples of STEP in the wanted order: sorting by them gives the order back."""
    positions = {scene: number * service.STEP for number, scene in enumerate(order, 1)}
    assert sorted(positions, key=positions.__getitem__) == order


async def test_scenes_come_go_and_move_without_another_version_of_what_did_not_change(
    client: httpx.AsyncClient, course: Any
) -> None:
    """Whoever edits the course's title, or a scene's text, is not told that somebody changed it."""
    place, headers = course
    before = await client.get(place, headers=headers)
    first, second = await add(client, course, "a"), await add(client, course, "b")
    after = await client.get(place, headers=headers | {"if-none-match": before.headers["etag"]})
    assert after.status_code == 200 and after.json()["scene_count"] == 2
    assert after.json() | {"scene_count": 0} == before.json()
    change = headers | {"if-match": before.headers["etag"]}
    assert (await client.patch(place, json={"title": "y"}, headers=change)).status_code == 200
    order = {"scene_ids": [second["id"], first["id"]]}
    moved = await client.put(f"{place}/scenes/order", json=order, headers=headers)
    assert moved.json()["items"] == [second, first]
    edited = f"{place}/scenes/{first['id']}"
    assert (await client.patch(edited, json={"title": "c"}, headers=headers | {"if-match": '"1"'})).status_code == 200


async def picture(client: httpx.AsyncClient, headers: dict[str, str]) -> str:
    """A completed one."""
    media = (await client.post("/api/v1/media", json=announced(), headers=headers)).json()
    await client.put(media["upload"]["url"], content=PNG, headers=media["upload"]["headers"])
    assert (await client.post(f"/api/v1/media/{media['id']}/complete", headers=headers)).json()["status"] == "ready"
    return str(media["id"])


async def test_a_scene_that_loses_its_picture_is_another_version(client: httpx.AsyncClient, course: Any) -> None:
    image = await picture(client, course[1])
    scene = await add(client, course, "a", image_id=image)
    place = f"{course[0]}/scenes/{scene['id']}"
    assert (await client.delete(f"/api/v1/media/{image}", headers=course[1])).status_code == 204
    now = await client.get(place, headers=course[1] | {"if-none-match": '"1"'})
    assert now.status_code == 200 and now.json()["image_id"] is None and now.json()["version"] == 2
    change = course[1] | {"if-match": '"1"'}
    assert (await client.patch(place, json={"image_id": image}, headers=change)).status_code == 412


async def test_the_picture_that_an_administrator_set_can_be_sent_back(
    client: httpx.AsyncClient, course: Any, meet: Any
) -> None:
    admin, scene = await meet(Role.ADMIN), await add(client, course, "a")
    place, theirs = f"{course[0]}/scenes/{scene['id']}", await picture(client, admin.headers)
    changed = await client.patch(place, json={"image_id": theirs}, headers=admin.headers | {"if-match": '"1"'})
    assert changed.json()["image_id"] == theirs
    again = {"image_id": theirs, "title": "b"}
    assert (await client.patch(place, json=again, headers=course[1] | {"if-match": '"2"'})).status_code == 200
    owners = await picture(client, course[1])
    back = await client.patch(place, json={"image_id": owners}, headers=admin.headers | {"if-match": '"3"'})
    assert back.json()["image_id"] == owners


async def test_a_published_course_keeps_a_scene(client: httpx.AsyncClient, course: Any) -> None:
    (place, headers), scenes = course, [await add(client, course, title) for title in "ab"]
    publish = headers | {"if-match": '"1"'}
    assert (await client.patch(place, json={"status": "published"}, headers=publish)).status_code == 200
    gone = [await client.delete(f"{place}/scenes/{row['id']}", headers=publish) for row in scenes]
    assert [answer.status_code for answer in gone] == [204, 409]
    assert await titles(client, course) == ["b"]


async def test_a_course_is_not_published_while_it_loses_its_last_scene(
    racing: httpx.AsyncClient, meet_unshared: Any
) -> None:
    ana = await meet_unshared()
    change = ana.headers | {"if-match": '"1"'}
    for _ in range(5):
        place = (await racing.post("/api/v1/projects", json={"title": "x"}, headers=ana.headers)).headers["location"]
        scene = await racing.post(f"{place}/scenes", json={"title": "x"}, headers=ana.headers)
        answers = await asyncio.gather(
            racing.patch(place, json={"status": "published"}, headers=change),
            racing.delete(scene.headers["location"], headers=change),
        )
        assert sorted(answer.is_success for answer in answers) == [False, True]


@pytest.mark.parametrize("field", ["title", "text", "narration"])
async def test_what_a_scene_must_have_cannot_be_null(client: httpx.AsyncClient, course: Any, field: str) -> None:
    scene = await add(client, course, "a")
    place, change = f"{course[0]}/scenes/{scene['id']}", course[1] | {"if-match": '"1"'}
    answer = await client.patch(place, json={field: None}, headers=change)
    assert answer.status_code == 422 and answer.json()["errors"][0]["field"] == f"body.{field}"


@pytest.mark.parametrize(
    ("body", "field", "english", "portuguese"),
    [
        ({"narration": "x" * 5_001}, "narration", "at most 5,000 characters", "no máximo 5.000 caracteres"),
        ({"text": "x\n" * 9}, "text", "at most 8: leave some out", "no máximo 8: retire alguns"),
        ({"text": "x" * 201}, "text", "at most 200 characters", "no máximo 200 caracteres"),
        ({"title": "🎉", "narration": "Oi"}, "title", "nothing is left to show", "não sobra nada para mostrar"),
        ({"title": "\u200b"}, "title", "it is too short", "curto demais"),
        ({"title": "日本語"}, "title", "the font has no cjk", "a fonte não tem cjk"),
        ({"title": "W" * 200}, "title", "too much text for one slide", "texto demais para um slide"),
        ({"text": "\n".join(["W" * 200] * 8)}, "text", "too much text for one slide", "texto demais para um slide"),
        ({"narration": "…!"}, "narration", "nothing to say", "nada para narrar"),
    ],
)
async def test_what_cannot_be_rendered_is_refused_in_the_author_s_words(
    *, client: httpx.AsyncClient, course: Any, body: dict[str, Any], field: str, english: str, portuguese: str
) -> None:
    made = await add(client, course, "Luz", text="Cor")
    place = f"{course[0]}/scenes/{made['id']}"
    for tag, told in (("en-GB,pt;q=0.5", english), ("pt-BR,en;q=0.5", portuguese), (None, english)):
        headers = course[1] | ({"accept-language": tag} if tag else {})
        for answer in (
            await client.post(f"{course[0]}/scenes", json={"title": "Luz"} | body, headers=headers),
            await client.patch(place, json=body, headers=headers | {"if-match": '"1"'}),
        ):
            assert answer.status_code == 422, answer.text
            (error,) = answer.json()["errors"]
            assert error["field"] == f"body.{field}" and told in error["message"]
    listed = (await client.get(f"{course[0]}/scenes", headers=course[1])).json()["items"]
    assert [(row["title"], row["text"], row["version"]) for row in listed] == [("Luz", "Cor", 1)]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"title": "🎉"}, "title"),
        ({"title": "日本語"}, "title"),
        ({"description": "…"}, "description"),
        ({"language": "fr-FR"}, "language"),
    ],
)
async def test_a_course_whose_cover_cannot_be_rendered_is_refused(
    client: httpx.AsyncClient, course: Any, body: dict[str, Any], field: str
) -> None:
    made = await client.post("/api/v1/projects", json={"title": "Luz"} | body, headers=course[1])
    changed = await client.patch(course[0], json=body, headers=course[1] | {"if-match": '"1"'})
    for answer in (made, changed):
        assert answer.status_code == 422 and answer.json()["errors"][0]["field"] == f"body.{field}", answer.text
