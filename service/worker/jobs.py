"""How does a job move from state to state? Only here, each time by one UPDATE that names the attempt it belongs to.

queued -> running -> done | failed | cancelled
running -> queued (again)    when the machine failed, or the worker fell silent, and attempts are left
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Table, func, or_, select, update
from sqlalchemy.exc import InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection

from service.data.columns import now
from service.data.database import Database
from service.settings import WorkerSettings
from service.users.models import User
from service.videos.models import WAITING, Video

VIDEO: Table = Video.__table__  # type: ignore[attr-defined]
USER: Table = User.__table__  # type: ignore[attr-defined]
_CANDIDATES = 100
_FIRST_PAUSE = 5.0  # seconds before the second attempt after a failure, doubled for each further one
_LONGEST_MESSAGE = 300
AWAY = (OperationalError, InterfaceError, InternalError, PoolTimeout, OSError)  # the database, not what was asked of it


@dataclass(frozen=True)
class Claim:
    """A job that this worker holds, for this attempt only."""

    id: str
    attempt: int
    owner_id: str
    project_id: str
    request_id: str


class Beat(StrEnum):
    """What a heartbeat learns."""

    HELD = "held"
    CANCEL = "cancel"
    LOST = "lost"


async def claim(database: Database, worker: WorkerSettings) -> Claim | None:
    """Take the oldest job whose owner has no more running than allowed; None when there is none."""
    free = or_(VIDEO.c.lease_until.is_(None), VIDEO.c.lease_until <= now())
    query = select(VIDEO).where(VIDEO.c.status == "queued", free).order_by(VIDEO.c.id).limit(_CANDIDATES)
    occupied = set()
    for row in await database.rows(query, {}):
        if row["owner_id"] in occupied:
            continue
        async with _transaction(database) as connection:
            # The owner's row is locked, so that two workers cannot both count and both find room.
            await connection.execute(select(USER.c.id).where(USER.c.id == row["owner_id"]).with_for_update())
            mine = (VIDEO.c.owner_id == row["owner_id"], VIDEO.c.status == "running")
            running = (await connection.execute(select(func.count()).select_from(VIDEO).where(*mine))).scalar_one()
            if running >= worker.per_user:
                occupied.add(row["owner_id"])
                continue
            seen = (VIDEO.c.id == row["id"], VIDEO.c.status == "queued", VIDEO.c.attempt == row["attempt"])
            attempt = row["attempt"] + 1
            if await _change(connection, *seen, attempt=attempt, **_running(worker, 0, "Starting")):
                return Claim(row["id"], attempt, row["owner_id"], row["project_id"], row["request_id"])
    return None


async def beat(database: Database, worker: WorkerSettings, job: Claim, progress: int, message: str) -> Beat:
    """Renew the lease and tell how far it is."""
    async with _transaction(database) as connection:
        if not await _change(connection, *_held(job), **_running(worker, progress, message)):
            return Beat.LOST
        wish = select(VIDEO.c.cancel_requested).where(VIDEO.c.id == job.id)
        return Beat.CANCEL if (await connection.execute(wish)).scalar_one() else Beat.HELD


async def finish(database: Database, job: Claim, status: str, message: str, result_key: str | None = None) -> bool:
    """End a job, once; False when it is no longer held. Repeating it after a broken connection is harmless."""
    progress = {"progress": 100} if status == "done" else {}
    values = _final(status, message) | progress | {"result_key": result_key}
    async with _transaction(database) as connection:
        if await _change(connection, *_held(job), **values):
            return True
        query = select(VIDEO.c.status, VIDEO.c.attempt).where(VIDEO.c.id == job.id)
        return (await connection.execute(query)).one_or_none() == (status, job.attempt)


async def retry(database: Database, worker: WorkerSettings, job: Claim, reason: str) -> str | None:
    """After a failure of the machine: queue the job again, or give it up. The new status; None when not held."""
    if job.attempt >= worker.attempts:
        message = f"Rendering failed {job.attempt} times, the course is not at fault: {reason}"
        return "failed" if await finish(database, job, "failed", message) else None
    pause = timedelta(seconds=_FIRST_PAUSE * 2 ** (job.attempt - 1))
    message = f"Attempt {job.attempt} of {worker.attempts} failed, another follows: {reason}"
    async with _transaction(database) as connection:
        values = {"status": "queued", "progress": 0, "message": _short(message), "lease_until": now() + pause}
        return "queued" if await _change(connection, *_held(job), **values) else None


@dataclass(frozen=True)
class Expired:
    """A job whose worker fell silent, and what became of it."""

    id: str
    attempt: int
    status: str
    late: float  # seconds from the end of the lease until now


async def expire(database: Database, worker: WorkerSettings) -> list[Expired]:
    """Free the jobs whose lease has expired: queued again, given up after the last attempt, or cancelled as wished."""
    expired = []
    query = select(VIDEO).where(VIDEO.c.status == "running", VIDEO.c.lease_until <= now())
    for row in await database.rows(query, {}):
        if row["cancel_requested"]:
            values = _final("cancelled", "Cancelled")
        elif row["attempt"] >= worker.attempts:
            message = f"Rendering stopped unexpectedly {row['attempt']} times: ask for it again, or split the course"
            values = _final("failed", message)
        else:
            values = {"status": "queued", "progress": 0, "message": WAITING, "lease_until": None}
        async with _transaction(database) as connection:
            same = (VIDEO.c.id == row["id"], VIDEO.c.attempt == row["attempt"], VIDEO.c.status == "running")
            if await _change(connection, *same, VIDEO.c.lease_until <= now(), **values):
                late = (now() - row["lease_until"]).total_seconds()
                expired.append(Expired(row["id"], row["attempt"], values["status"], late))
    return expired


async def held(database: Database, video_id: str, attempt: int) -> bool:
    """Is this attempt under way, somewhere?"""
    here = (VIDEO.c.id == video_id, VIDEO.c.attempt == attempt, VIDEO.c.status == "running")
    return bool(await database.rows(select(VIDEO.c.id).where(*here), {}))


async def queue(database: Database) -> tuple[int, float]:
    """Number of waiting jobs, and the age of the oldest in seconds."""
    measures = func.count().label("number"), func.min(VIDEO.c.created_at).label("oldest")
    (row,) = await database.rows(select(*measures).where(VIDEO.c.status == "queued"), {})
    oldest: datetime | None = row["oldest"]
    return row["number"], 0.0 if oldest is None else max(0.0, (now() - oldest).total_seconds())


@asynccontextmanager
async def _transaction(database: Database) -> AsyncIterator[AsyncConnection]:
    async with database.connection(database.writer) as connection, connection.begin():
        yield connection


def _held(job: Claim) -> tuple[Any, ...]:
    return VIDEO.c.id == job.id, VIDEO.c.attempt == job.attempt, VIDEO.c.status == "running"


def _running(worker: WorkerSettings, progress: int, message: str) -> dict[str, Any]:
    moment = now()
    return {
        "status": "running",
        "progress": progress,
        "message": _short(message),
        "heartbeat_at": moment,
        "lease_until": moment + timedelta(seconds=worker.lease_seconds),
    }


def _final(status: str, message: str) -> dict[str, Any]:
    return {"status": status, "message": _short(message), "lease_until": None, "finished_at": now()}


def _short(message: str) -> str:
    return message if len(message) <= _LONGEST_MESSAGE else message[: _LONGEST_MESSAGE - 1] + "…"


async def _change(connection: AsyncConnection, *conditions: Any, **values: Any) -> bool:
    """One conditional UPDATE; True when it met its row. The version grows, so that whoever watches notices."""
    statement = update(VIDEO).where(*conditions).values(**values, version=VIDEO.c.version + 1, updated_at=now())
    result: Any = await connection.execute(statement)
    return bool(result.rowcount == 1)
