"""Does an attempt publish exactly what it should, and say in words why it did not?"""

import hashlib
import io
import threading
import wave
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from PIL import Image
from sqlalchemy.exc import OperationalError
from sqlmodel import select

from service.ai.embedded import EmbeddedWriter
from service.ai.registry import Providers
from service.data.columns import now
from service.data.disposal import Disposal
from service.media.models import Media
from service.render.errors import ProviderError, RenderError
from service.render.espeak import Espeak
from service.render.narration import Mark, Narration
from service.sweep import silent_workers
from service.videos.models import Files
from service.worker import jobs
from service.worker.attempt import Attempt
from service.worker.parts import Parts
from tests.worker.conftest import change, read, stored

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@dataclass
class Voice:
    """A voice that does something while it reads."""

    act: Any = None
    identity: str = "openai/test"
    read_texts: list[str] = field(default_factory=list)

    def read(self, text: str, language: str) -> Narration:
        self.read_texts.append(text)
        if self.act is not None:
            self.act()
        return Narration(bytes(16_000), 16_000, (Mark(0.0, 0.5, text),))


def spoken(parts: Parts, *voices: Any) -> Parts:
    meter = parts.providers.meter
    parts.providers = Providers(tuple(voices), None, meter, (("embedded", EmbeddedWriter()),), ())
    return parts


def fails(error: Exception) -> Any:
    def act() -> None:
        raise error

    return act


async def attempt(parts: Parts) -> Attempt:
    job = await jobs.claim(parts.database, parts.settings.worker)
    assert job is not None
    return Attempt(parts, job)


def count(parts: Parts, name: str, **labels: str) -> float:
    return parts.metrics.registry.get_sample_value(name, labels) or 0.0


def leavings(parts: Parts) -> list[str]:
    folder = parts.settings.worker.folder
    return sorted(path.name for path in folder.iterdir() if path.name != "cache") if folder.is_dir() else []


async def test_a_video_is_published_whole_and_nothing_else_is_left(parts, ask):
    video = await ask(description="Bem-vindo.", scenes=[{"title": "Luz", "text": "- um\n\ndois"}])
    await (await attempt(parts)).run()
    row = await read(parts.database, video)
    assert (row.status, row.progress, row.message) == ("done", 100, "Ready")
    assert stored(parts.storage) == sorted(key.removeprefix("videos/") for key in row.files)
    film = parts.storage.path(row.result_key).read_bytes()
    assert film[4:8] == b"ftyp"
    captions = parts.storage.path(Files.of(video.id, 1).captions).read_text()
    assert "Bem-vindo." in captions
    assert "Vamos falar sobre Luz." in captions
    assert leavings(parts) == []
    assert count(parts, "video_jobs_total", outcome="done") == 1
    assert count(parts, "video_scenes_total", source="rendered") == 2
    assert count(parts, "video_seconds_total") > 1


def picture(data: bytes, name: str) -> Media:
    digest = hashlib.sha256(data).hexdigest()
    return Media(owner_id="", name=name, content_type="image/png", size=len(data), sha256=digest, status="ready")


def png(size: tuple[int, int]) -> bytes:
    file = io.BytesIO()
    Image.new("L", size).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(
    ("wishes", "told"),
    [
        ({"language": "zh-CN"}, "there is no voice for this language: choose pt-BR, pt-PT"),
        ({"scenes": [{"title": "W" * 200}]}, "scene 1, title: too much text for one slide"),
        ({"scenes": [{"title": "a"}, {"title": "b", "narration": "y" * 9_000}]}, "scene 2, narration: at most 5,000"),
        ({"scenes": [{"title": "a", "narration": "y" * 4_900}] * 20}, "characters to speak, at most 60,000: split it"),
        ({"scenes": [{"title": "a", "text": "- x\n" * 9}]}, "scene 1, bullets: at most 8: leave some out"),
        ({"scenes": [{"title": "a", "text": "z" * 300}]}, "scene 1, bullet 1: at most 200 characters: shorten it"),
        ({"scenes": [{"title": "🚀🚀"}]}, "scene 1, title: nothing is left to show"),
        ({"scenes": [{"title": "中文"}]}, "scene 1, title: the font has no cjk"),
        ({"language": "pt-BR", "scenes": [{"title": "🚀🚀"}]}, "cena 1, título: não sobra nada para mostrar"),
        ({"image": b"no image"}, "image 'grafico.png' is no PNG, JPEG, WEBP: convert it"),
        ({"image": png((9_000, 9_000))}, "image 'grafico.png' has more than 25 megapixels"),
        ({"image": png((50, 50))[:-30]}, "image 'grafico.png' is damaged"),
        ({"image": None}, "image 'grafico.png' was deleted: choose another"),
    ],
)
async def test_a_course_at_fault_fails_once_with_a_reason_that_its_author_understands(parts, ask, wishes, told):
    if "image" in wishes:
        data = wishes["image"] or b""
        media = picture(data, "grafico.png")
        if wishes["image"] is not None:
            source = parts.settings.worker.folder.parent / "upload"
            source.write_bytes(data)
            await parts.storage.put(media.key, "image/png", source)
        wishes = {"images": [media], "scenes": [{"title": "a", "image_id": media.id}]}
    video = await ask(**{"language": "en"} | wishes)
    await (await attempt(parts)).run()
    row = await read(parts.database, video)
    assert row.status == "failed"
    assert told in row.message
    assert (row.attempt, stored(parts.storage), leavings(parts)) == (1, [], [])
    assert count(parts, "video_jobs_total", outcome="rejected") == 1


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (RenderError("encoding a slide took more than 120 seconds"), "encoding a slide took more than 120 seconds"),
        (ZeroDivisionError("a defect"), "the renderer has a fault (ZeroDivisionError)"),
        (MemoryError(), "the renderer has a fault (MemoryError)"),
    ],
)
async def test_a_fault_of_the_machine_is_tried_again_and_then_given_up(parts, ask, error, told):
    video = await ask()
    broken = spoken(parts, Voice(fails(error)))
    for number in range(1, 4):
        await (await attempt(broken)).run()
        row = await read(parts.database, video)
        assert told in row.message
        assert row.status == ("failed" if number == 3 else "queued")
        assert (stored(parts.storage), leavings(parts)) == ([], [])
        await change(parts.database, video, lease_until=now() - timedelta(seconds=1))
    assert count(parts, "video_jobs_total", outcome="retried") == 2
    assert count(parts, "video_jobs_total", outcome="dead") == 1


async def test_a_provider_that_is_down_makes_way_and_the_viewer_is_told(parts, ask):
    video = await ask()
    await (await attempt(spoken(parts, Voice(fails(ProviderError("openai answered 500"))), Espeak()))).run()
    row = await read(parts.database, video)
    assert (row.status, row.message) == ("done", "Ready, read by the embedded voice")
    assert count(parts, "ai_fallbacks_total", provider="openai", operation="speak") == 1


async def test_what_a_video_costs_is_the_owners_and_beyond_their_plan_the_embedded_voice_reads(parts, ask):
    first = await ask()
    second = await ask(owner=(await read(parts.database, first)).owner_id)
    dear = Voice(lambda: parts.meter.cost("openai", 0.60))  # the free plan includes 0.50 a day
    rows = []
    for video in (first, second):
        await (await attempt(spoken(parts, dear, Espeak()))).run()
        rows.append(await read(parts.database, video))
    assert [row.status for row in rows] == ["done", "done"]
    assert [row.cost_usd for row in rows] == [pytest.approx(0.60 * len(dear.read_texts)), 0]
    assert rows[0].message == "Ready" and "is used up" in rows[1].message
    files = [parts.storage.path(key) for row in rows for key in row.files]
    assert sum(row.size for row in rows) == sum(path.stat().st_size for path in files)
    assert count(parts, "ai_fallbacks_total", provider="openai", operation="speak") == 0


async def test_a_running_video_stops_soon_after_the_wish_to_cancel(parts, ask):
    video = await ask(scenes=[{"title": f"Cena {n}"} for n in range(30)])
    reading = threading.Event()
    voice = Voice()
    trying = await attempt(spoken(parts, voice))
    voice.act = lambda: (reading.set(), trying.stopping.wait(30))
    await change(parts.database, video, cancel_requested=True)
    await trying.run()
    row = await read(parts.database, video)
    assert (row.status, row.message) == ("cancelled", "Cancelled")
    assert len(voice.read_texts) < 30
    assert (stored(parts.storage), leavings(parts)) == ([], [])


async def test_who_lost_the_lease_publishes_nothing_and_touches_nothing(parts, ask):
    video = await ask()
    voice = Voice()
    trying = await attempt(spoken(parts, voice))
    voice.act = lambda: trying.stopping.wait(30)
    await change(parts.database, video, lease_until=now() - timedelta(seconds=1))
    await jobs.expire(parts.database, parts.settings.worker)
    other = await jobs.claim(parts.database, parts.settings.worker)
    before = await read(parts.database, video)
    await trying.run()
    assert await read(parts.database, video) == before
    assert other is not None
    assert (stored(parts.storage), leavings(parts)) == ([], [])
    assert count(parts, "video_jobs_total", outcome="lost") == 1


async def test_files_that_the_store_will_not_remove_are_noted_for_the_sweeper(parts, ask, monkeypatch):
    video = await ask()

    async def refuses(*_: str) -> None:
        raise OSError("away")

    monkeypatch.setattr(parts.storage, "delete", refuses)
    await (await attempt(spoken(parts, Voice(fails(RenderError("broken")))))).run()
    assert (await read(parts.database, video)).status == "queued"
    async with parts.database.reading() as session:
        noted = (await session.exec(select(Disposal.key))).all()
    assert set(noted) == set(Files.of(video.id, 1).all)


async def test_a_lease_lost_at_the_last_moment_takes_back_what_was_published(parts, ask, monkeypatch):
    video = await ask()
    trying = await attempt(spoken(parts, Voice()))
    finish = jobs.finish

    async def too_late(*arguments: Any) -> bool:
        assert len(stored(parts.storage)) == 3
        await change(parts.database, video, status="queued")
        return await finish(*arguments)

    monkeypatch.setattr(jobs, "finish", too_late)
    await trying.run()
    assert stored(parts.storage) == []
    assert (await read(parts.database, video)).status == "queued"


async def test_a_database_that_goes_away_for_a_while_costs_nothing(parts, ask, monkeypatch):
    video = await ask()
    trying = await attempt(spoken(parts, Voice()))
    finish, calls = jobs.finish, []

    async def flaky(*arguments: Any) -> bool:
        calls.append(arguments)
        if len(calls) < 3:
            raise OperationalError("UPDATE", {}, Exception(2013, "Lost connection"), connection_invalidated=True)
        return await finish(*arguments)

    monkeypatch.setattr(jobs, "finish", flaky)
    await trying.run()
    assert (await read(parts.database, video)).status == "done"
    assert len(calls) == 3


async def test_an_attempt_that_takes_too_long_is_ended_and_tried_again(parts, ask):
    video = await ask()
    hasty = parts.settings.worker.model_copy(update={"longest_seconds": 0.1})
    parts.settings = parts.settings.model_copy(update={"worker": hasty})
    voice = Voice()
    trying = await attempt(spoken(parts, voice))
    voice.act = lambda: trying.stopping.wait(30)
    await trying.run()
    row = await read(parts.database, video)
    assert row.status == "queued"
    assert "it took more than 0.1 seconds" in row.message


async def test_leavings_of_the_dead_are_removed_and_those_of_the_living_stay(parts, ask):
    dead, living = await ask(), await ask()
    for _ in range(2):
        await jobs.claim(parts.database, parts.settings.worker)
    for video in (dead, living):
        (parts.settings.worker.folder / f"{video.id}-1" / "scene").mkdir(parents=True)
        source = parts.settings.worker.folder.parent / "film"
        source.write_bytes(b"half")
        await parts.storage.put(Files.of(video.id, 1).video, "video/mp4", source)
    (parts.settings.worker.folder / "cache").mkdir()
    (parts.settings.worker.folder / f"{'0' * 32}-3").mkdir()
    await change(parts.database, dead, lease_until=now() - timedelta(seconds=1))
    assert await silent_workers(parts) == 1
    assert leavings(parts) == [f"{living.id}-1"]
    assert stored(parts.storage) == [f"{living.id}-1.mp4"]
    assert (await read(parts.database, dead)).status == "queued"


async def test_a_scene_is_said_by_its_recording_and_shown_with_its_presenter(parts, ask, tmp_path):
    portrait, heard = picture(png((300, 400)), "rosto.png"), picture(b"", "voz.wav")
    (tmp_path / "face").write_bytes(png((300, 400)))
    with wave.open(str(tmp_path / "voice"), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(bytes(32_000))
    for media, name in ((portrait, "face"), (heard, "voice")):
        await parts.storage.put(media.key, "image/png", tmp_path / name)
    voice, film = Voice(), Film()
    meter = parts.providers.meter
    parts.providers = Providers((voice,), film, meter, (("embedded", EmbeddedWriter()),), ())
    scene = {"title": "Olá", "audio_id": heard.id, "image_id": portrait.id, "presenter": True}
    video = await ask(images=[portrait, heard], scenes=[scene])
    await (await attempt(parts)).run()
    assert (await read(parts.database, video)).status == "done"
    assert (voice.read_texts, film.seconds) == (["Curso."], [1.0])  # the cover alone is read


@dataclass
class Film:
    """A presenter that is down."""

    identity: str = "did/test"
    seconds: list[float] = field(default_factory=list)

    def present(self, sound: bytes, portrait: bytes) -> bytes:
        with wave.open(io.BytesIO(sound)) as file:
            self.seconds.append(file.getnframes() / file.getframerate())
        assert portrait.startswith(b"\xff\xd8")
        raise ProviderError("did is down (present)")
