"""What a test of the worker starts from: a database with people and courses, a folder for files, short leases."""

import asyncio
import contextlib
import logging
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
import structlog
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError

from service.data.database import Database
from service.data.migrations.run import upgrade
from service.data.storage import FolderStorage
from service.media.models import Media
from service.projects.models import Project
from service.scenes.models import Scene
from service.settings import LogSettings, Settings
from service.telemetry import logs
from service.telemetry.metrics import Metrics, definitions
from service.users.models import User
from service.videos.models import Video
from service.worker.parts import Parts
from tests.service.servers import MariaDB, Redis, running

Ask = Callable[..., Awaitable[Video]]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--kills", type=int, default=5, help="how many workers are killed")


@pytest.fixture(scope="session")
def servers() -> Iterator[tuple[MariaDB, Redis]]:
    with running() as started:
        started[0].admit()
        yield started


@pytest.fixture(scope="session", autouse=True)
def journal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], None]]:
    """Log lines of this process go to one file, and again when a test has put its parts' log in the place of it."""
    chosen = LogSettings(sink="file", file=tmp_path_factory.mktemp("journal") / "log")
    sink = logs.open_sink(chosen)
    logs.configure(chosen, sink)
    yield lambda: logs.configure(chosen, sink)
    structlog.reset_defaults()
    logging.getLogger().handlers.clear()
    sink.close()  # type: ignore[attr-defined]


@pytest.fixture(params=["sqlite", "mysql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database with the service's schema, on both kinds of server."""
    if request.param == "sqlite":
        url = f"sqlite+aiosqlite:///{tmp_path}/test.sqlite"
        upgrade(Settings(database={"url": url}))
        yield url
        return
    server: MariaDB = request.getfixturevalue("servers")[0]
    with fresh_database(server) as url:
        yield url


class fresh_database:  # noqa: N801 # a context manager
    """A database of its own on a MariaDB server."""

    def __init__(self, server: MariaDB) -> None:
        self._server, self._name = server, f"worker_{uuid.uuid4().hex[:8]}"

    def __enter__(self) -> str:
        url = f"{self._server.admit()}/{self._name}"
        self._execute(f"CREATE DATABASE {self._name}")
        upgrade(Settings(database={"url": url}))
        return url

    def __exit__(self, *_: object) -> None:
        self._execute(f"DROP DATABASE {self._name}")

    def _execute(self, statement: str) -> None:
        with self._server.connect() as connection, connection.cursor() as cursor:
            cursor.execute(statement)


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(
        database={"url": database_url, "pool_size": 8},
        media={"folder": tmp_path / "media"},
        logs={"sink": "file", "file": tmp_path / "log"},
        worker={
            "folder": tmp_path / "work",
            "lease_seconds": 30,
            "sweep_seconds": 0.5,
            "heartbeat": tmp_path / "heartbeat",
            "niceness": 0,
        },
    )


@pytest.fixture
async def parts(settings: Settings, journal: Callable[[], None]) -> AsyncIterator[Parts]:
    made = Parts(settings)
    for engine in (made.database.writer, made.database.reader):
        event.listen(engine.sync_engine, "before_cursor_execute", refuse_returning)
    yield made
    await made.close()
    journal()
    made.sink.close()  # type: ignore[attr-defined]
    check_labels(made.metrics)


def check_labels(metrics: Metrics) -> None:
    """What was emitted has only labels that the catalogue allows: dashboards and their cost depend on it."""
    rows = {row["name"]: row["labels"] for row in definitions()}
    for family in metrics.registry.collect():
        for sample in family.samples:
            name = next((sample.name[: -len(s)] for s in SUFFIXES if sample.name.endswith(s)), sample.name)
            for label, value in sample.labels.items():
                assert label == "le" or value in rows[name][label], (name, label, value)


SUFFIXES = ("_bucket", "_count", "_sum")


@pytest.fixture
def ask(parts: Parts) -> Ask:
    """Stores a person, a course and a queued video of it."""
    return lambda **wishes: store(parts.database, **wishes)


async def store(database: Database, *, owner: str | None = None, **wishes: Any) -> Video:
    scenes = wishes.pop("scenes", [{"title": "Olá", "narration": "Oi."}])
    images: list[Media] = wishes.pop("images", [])
    async with database.transaction() as session:
        if owner is None:
            person = User(email=f"{uuid.uuid4().hex}@example.com", name="Ana", password_hash="!")
            session.add(person)
            await session.flush()
            owner = person.id
        for image in images:
            image.owner_id = owner
            session.add(image)
        project = Project(owner_id=owner, scene_count=len(scenes), **{"title": "Curso"} | wishes)
        session.add(project)
        await session.flush()
        session.add_all(Scene(project_id=project.id, position=n, **scene) for n, scene in enumerate(scenes))
        video = Video(owner_id=owner, project_id=project.id)
        session.add(video)
    return video


async def read(database: Database, video: Video) -> Video:
    """The row as it is now; patient, since a test may have restarted the database."""
    async with asyncio.timeout(60):
        while True:
            with contextlib.suppress(DBAPIError, OSError):
                async with database.reading() as session:
                    found = await session.get(Video, video.id)
                    assert found is not None
                    return found
            await asyncio.sleep(0.05)


async def change(database: Database, video: Video, **values: Any) -> None:
    async with database.transaction() as session:
        await session.exec(sqlalchemy.update(Video).where(Video.id == video.id).values(**values))


def stored(storage: Any) -> list[str]:
    """Names of the files in a folder store."""
    assert isinstance(storage, FolderStorage)
    folder = storage.path("videos")
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def refuse_returning(_: Any, __: Any, statement: str, *___: Any) -> None:
    """MariaDB and SQLite would understand it, MySQL 8.4 does not."""
    assert "RETURNING" not in statement.upper(), statement


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 60) -> None:
    """Another process makes it true."""
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110
            await asyncio.sleep(0.05)
