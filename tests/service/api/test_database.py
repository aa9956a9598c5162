"""Is the database used within its limits, after a lost connection too, and in words that MySQL 8.4 understands?"""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.dialects import mysql
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.schema import CreateIndex, CreateTable

from service.data import tables
from service.data.database import Database, after_commit, lost
from service.projects import service as projects
from service.runtime import Runtime
from service.settings import Settings
from service.telemetry.metrics import Metrics


def test_every_table_is_mysqls_own_sql() -> None:
    """Microseconds, binary identifiers, InnoDB: what MySQL needs and SQLite would never show."""
    for model in tables.ALL:
        table: Any = model.__table__  # type: ignore[attr-defined]
        sql = str(CreateTable(table).compile(dialect=mysql.dialect()))
        assert "ENGINE=InnoDB" in sql and "CHARSET=utf8mb4" in sql
        assert "DATETIME " not in sql.replace("DATETIME(6)", ""), f"{table.name}: a moment without microseconds"
        assert not re.search(r"VARCHAR NOT|VARCHAR,", sql)
        key = [column for column in table.primary_key if column.name == "id"]
        assert not key or "id CHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL" in sql
        for index in table.indexes:
            assert str(CreateIndex(index).compile(dialect=mysql.dialect())).startswith("CREATE INDEX ix_")


@pytest.mark.parametrize("statement", [projects.LIST, projects.GET])
def test_hot_reads_compile_for_mysql_and_name_their_columns(statement: Any) -> None:
    sql = str(statement.compile(dialect=mysql.dialect()))
    assert "*" not in sql and "FROM project" in sql.replace("\n", " ")


async def test_the_hot_list_is_one_range_of_one_index(runtime: Runtime, backend: str) -> None:
    prefix = "EXPLAIN " if backend == "mysql" else "EXPLAIN QUERY PLAN "
    values = {"owner": "a", "before": "~", "most": 21}
    async with runtime.database.connection(runtime.database.reader) as connection:
        plan = str((await connection.execute(text(f"{prefix}{projects.LIST}"), values)).all())
    assert "ix_project_owner_id" in plan
    assert "filesort" not in plan and "TEMP B-TREE" not in plan


@pytest.fixture
async def lone(tmp_path: Path) -> AsyncIterator[Database]:
    """A database of its own."""
    url = f"sqlite+aiosqlite:///{tmp_path}/lone.sqlite"
    database = Database(Settings(database={"url": url, "pool_timeout": 0.3}), Metrics())
    yield database
    await database.close()


class FlakyConnection:
    """Fails its first executions the way a server does that went away."""

    def __init__(self, failures: list[Exception]) -> None:
        self.failures = failures

    def into(self, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
        async def first(*_: Any) -> Any:
            return (await self.execute()).mappings().all()

        monkeypatch.setattr(database, "_rows", first)
        monkeypatch.setattr(database, "connection", lambda _: self)

    async def __aenter__(self) -> "FlakyConnection":
        return self

    async def __aexit__(self, *_: Any) -> None:
        return None

    async def execute(self, *_: Any) -> Any:
        if self.failures:
            raise self.failures.pop(0)

        class Rows:
            def mappings(self) -> Any:
                return self

            def all(self) -> list[int]:
                return [1]

        return Rows()


def gone() -> OperationalError:
    return OperationalError("SELECT 1", {}, Exception(2013, "Lost connection"), connection_invalidated=True)


@pytest.mark.parametrize(("failures", "works"), [(0, True), (1, True), (2, False)])
async def test_a_read_is_repeated_once_on_a_lost_connection(
    lone: Database, monkeypatch: Any, failures: int, works: bool
) -> None:
    flaky = FlakyConnection([gone() for _ in range(failures)])
    flaky.into(lone, monkeypatch)
    if works:
        assert await lone.rows(text("SELECT 1"), {}) == [1]
    else:
        with pytest.raises(OperationalError):
            await lone.rows(text("SELECT 1"), {})


async def test_a_wrong_statement_is_not_repeated(lone: Database, monkeypatch: Any) -> None:
    flaky = FlakyConnection([OperationalError("SELEC", {}, Exception(1064, "syntax"))])
    flaky.into(lone, monkeypatch)
    with pytest.raises(OperationalError):
        await lone.rows(text("SELEC"), {})
    assert lone.metrics.counters["database_reconnects_total"]._value.get() == 0


async def test_a_server_that_restarts_is_waited_for(lone: Database) -> None:
    real, refusals = lone.reader.connect, [OperationalError("", {}, Exception(2003, "refused")) for _ in range(3)]

    class Refusing:
        async def connect(self) -> Any:
            if refusals:
                raise refusals.pop()
            return await real()

    async with lone.connection(Refusing()) as connection:  # type: ignore[arg-type]
        assert (await connection.execute(text("SELECT 1"))).scalar() == 1
    assert lone.metrics.counters["database_reconnects_total"]._value.get() == 3


@pytest.mark.parametrize("code", [1045, 2003])
async def test_waiting_has_an_end_and_wrong_passwords_are_not_waited_for(lone: Database, code: int) -> None:
    class Refusing:
        async def connect(self) -> Any:
            raise OperationalError("", {}, Exception(code, "refused"))

    with pytest.raises(DBAPIError):
        async with lone.connection(Refusing()):  # type: ignore[arg-type]
            pass
    assert (lone.metrics.counters["database_reconnects_total"]._value.get() == 0) == (code == 1045)


def test_what_counts_as_lost() -> None:
    assert lost(gone())
    assert not lost(OperationalError("", {}, Exception(1213, "Deadlock")))
    assert not lost(OperationalError("", {}, Exception()))


@pytest.mark.parametrize(("pods", "fits"), [(1, True), (50, True), (51, False)])
async def test_pods_must_fit_into_the_servers_connections(pods: int, fits: bool) -> None:
    database = {"url": "mysql+asyncmy://app@127.0.0.1/x", "pool_size": 5, "connection_limit": 510}
    made = Database(Settings(database=database, most_pods=pods), Metrics())
    if fits:
        await made.check_pool_arithmetic()
    else:
        with pytest.raises(ValueError, match=r"51 pods x 2 pools x 5 = 510 connections.*allows 510"):
            await made.check_pool_arithmetic()
    await made.close()


async def test_the_limit_is_asked_of_the_server(unshared: Runtime, backend: str) -> None:
    unshared.database.settings = unshared.settings.model_copy(update={"most_pods": 10_000})
    if backend == "sqlite":
        await unshared.database.check_pool_arithmetic()
        return
    with pytest.raises(ValueError, match="lower pool_size or most_pods"):
        await unshared.database.check_pool_arithmetic()


async def test_actions_after_commit_run_only_after_a_commit(runtime: Runtime) -> None:
    done: list[str] = []

    async def note() -> None:
        done.append("ran")

    with pytest.raises(RuntimeError):
        async with runtime.database.transaction() as session:
            after_commit(session, note)
            raise RuntimeError
    assert not done
    async with runtime.database.transaction() as session:
        after_commit(session, note)
        assert not done
    assert done == ["ran"]
