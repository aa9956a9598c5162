"""What does a test of the service start from? A real database whose changes are rolled back, a real cache, people."""

import asyncio
import contextlib
import os
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
import sqlalchemy
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlmodel.ext.asyncio.session import AsyncSession

from service import app as application
from service.data.cache import Cache, MemoryStore
from service.data.columns import new
from service.data.database import Database
from service.data.migrations.run import upgrade
from service.runtime import Runtime
from service.security.passwords import Passwords
from service.security.permissions import Role
from service.settings import Settings
from service.telemetry import logs
from service.users.models import User

PASSWORD = "correct horse battery"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--database", choices=("sqlite", "mysql"), default="sqlite", help="which database to test on")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "needs_redis: not part of the embedded run, which has no server")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--database") == "sqlite":
        items[:] = [item for item in items if item.get_closest_marker("needs_redis") is None]


@pytest.fixture(scope="session")
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.config.getoption("--database"))


@pytest.fixture(scope="session")
def database_url(backend: str, tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[str]:
    """A database of this worker, made by the real migrations."""
    if backend == "sqlite":
        url = f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('database')}/test.sqlite"
        upgrade(Settings(database={"url": url}))
        yield url
        return
    server, name = os.environ["TECNOCURSOS_TEST_MYSQL"], f"test_{worker_id}"
    admin = sqlalchemy.create_engine(server.replace("asyncmy", "pymysql"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql(f"CREATE OR REPLACE DATABASE {name}")
    upgrade(Settings(database={"url": f"{server}/{name}"}))
    yield f"{server}/{name}"
    with admin.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name}")
    admin.dispose()


@pytest.fixture(scope="session")
def settings(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("service")
    return Settings(
        database={"url": database_url, "pool_size": 10},
        cache={"url": os.environ.get("TECNOCURSOS_TEST_REDIS"), "timeout": 5},
        media={"folder": folder / "media"},
        logs={"sink": "file", "file": folder / "log"},
        security={"rate_factor": 10_000, "hashing_share": 1, "trusted_proxies": ["127.0.0.1/32"]},
    )


MARIADB_ONLY = ("RETURNING", "NEXTVAL", "OR REPLACE TABLE", "ADD COLUMN IF NOT EXISTS", " UUID", " INET6")


def refuse_mariadb_only(_: Any, __: Any, statement: str, *___: Any) -> None:
    """MySQL 8.4 would not understand it, so no test may pass with it."""
    found = [word for word in MARIADB_ONLY if word in statement.upper()]
    assert not found, f"MySQL has no {found}: {statement}"


class RollbackDatabase(Database):
    """One connection inside one transaction that is rolled back; the service's commits become savepoints.

    A request that asked for a second connection while it holds one would wait for ever: that is a defect too,
    because a pool of n connections can then be blocked by n such requests.
    """

    @asynccontextmanager
    async def started(self) -> AsyncIterator[None]:
        self._lock = asyncio.Lock()
        async with self.writer.connect() as self._shared:
            transaction = await self._shared.begin()
            try:
                yield
            finally:
                await transaction.rollback()
        await self.close()

    @asynccontextmanager
    async def connection(self, engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
        async with asyncio.timeout(20), self._lock:
            yield self._shared

    async def _rows(self, statement: Any, parameters: Any) -> Any:
        async with self.connection(self.reader) as connection:
            return (await connection.execute(statement, parameters)).mappings().all()

    def session(self, connection: AsyncConnection) -> AsyncSession:
        return AsyncSession(connection, expire_on_commit=False, join_transaction_mode="create_savepoint")


@pytest.fixture(scope="session")
def served(settings: Settings) -> Iterator[FastAPI]:
    """Built once: what differs per test are the connections."""
    app = application.create(settings)
    yield app
    app.state.runtime.sink.close()


@pytest.fixture
def another(served: FastAPI, tmp_path: Path) -> Iterator[Callable[..., FastAPI]]:
    """Builds an application with settings of its own; the log is given back afterwards."""
    made: list[Runtime] = []

    def build(**settings: Any) -> FastAPI:
        lines = {"sink": "file", "file": tmp_path / "log"} | settings.pop("logs", {})
        app = application.create(Settings(logs=lines, **settings))
        made.append(app.state.runtime)
        return app

    yield build
    for runtime in made:
        runtime.sink.close()  # type: ignore[attr-defined]
    logs.configure(served.state.runtime.settings.logs, served.state.runtime.sink)


@pytest.fixture
async def runtime(served: FastAPI, settings: Settings) -> AsyncIterator[Runtime]:
    """The parts, over one rolled back connection."""
    runtime: Runtime = served.state.runtime
    runtime.settings, runtime.draining, runtime.neighbours = settings, False, None
    runtime.passwords = Passwords(1, runtime.metrics)
    database, runtime.cache = RollbackDatabase(settings, runtime.metrics), Cache(settings, runtime.metrics)
    runtime.database = database
    sqlalchemy.event.listen(database.writer.sync_engine, "before_cursor_execute", refuse_mariadb_only)
    async with database.started():
        yield runtime
    await runtime.cache.close()


@pytest.fixture
async def unshared(served: FastAPI, settings: Settings) -> AsyncIterator[Runtime]:
    """The parts with their real pools, for races; what a test creates belongs to people of its own."""
    runtime: Runtime = served.state.runtime
    runtime.settings, runtime.draining, runtime.neighbours = settings, False, None
    runtime.passwords = Passwords(1, runtime.metrics)
    runtime.database, runtime.cache = Database(settings, runtime.metrics), Cache(settings, runtime.metrics)
    yield runtime
    await runtime.close()


@dataclass(frozen=True)
class Person:
    """Somebody with an account and an access token."""

    id: str
    email: str
    session_id: str
    headers: dict[str, str]


Meet = Callable[..., Awaitable[Person]]


def _meet(runtime: Runtime) -> Meet:
    async def meet(role: Role = Role.CREATOR, digest: str = "!") -> Person:
        user = User(email=f"{uuid.uuid4().hex}@example.com", name="Ana", password_hash=digest, role=role.value)
        async with runtime.database.transaction() as session:
            session.add(user)
        session_id = new()
        token, _ = runtime.tokens.issue(user.id, role, session_id)
        return Person(user.id, user.email, session_id, {"authorization": f"Bearer {token}"})

    return meet


@pytest.fixture
async def meet(runtime: Runtime) -> Meet:
    """Makes people of a role."""
    return _meet(runtime)


@pytest.fixture
async def meet_unshared(unshared: Runtime) -> Meet:
    return _meet(unshared)


@contextlib.asynccontextmanager
async def _client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, client=("127.0.0.1", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://service.test") as client:
        yield client


@pytest.fixture
async def client(served: FastAPI, runtime: Runtime) -> AsyncIterator[httpx.AsyncClient]:
    async with _client(served) as client:
        yield client


@pytest.fixture
async def racing(served: FastAPI, unshared: Runtime) -> AsyncIterator[httpx.AsyncClient]:
    async with _client(served) as client:
        yield client


@pytest.fixture
def log(settings: Settings) -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """The lines written since the test began."""
    import orjson

    path: Path = settings.logs.file
    start = path.stat().st_size if path.exists() else 0
    yield lambda: [orjson.loads(line) for line in path.read_bytes()[start:].splitlines()]


@pytest.fixture
def limits(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Sets the factor of all rate limits for one test, in the middle of a window that does not end meanwhile."""
    moment = time.time() // 300 * 300 + 155
    monkeypatch.setattr("service.data.cache.time", SimpleNamespace(time=lambda: moment, monotonic=time.monotonic))
    runtime.cache.local = MemoryStore(lambda: moment)

    def set_factor(factor: float) -> None:
        security = runtime.settings.security.model_copy(update={"rate_factor": factor})
        runtime.settings = runtime.settings.model_copy(update={"security": security})

    return set_factor
