"""What is stored about a person, and how is it told and forgotten in full?"""

from collections.abc import AsyncIterator, Sequence

import orjson
import sqlalchemy
from fastapi import Request
from sqlalchemy import RowMapping, delete, update
from sqlmodel import SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from service.data.columns import now
from service.data.database import after_commit
from service.data.disposal import dispose
from service.data.idempotency import IdempotencyRecord
from service.media.models import Media
from service.plans import service as plans
from service.projects.models import Project
from service.runtime import Runtime
from service.security import audit
from service.security.audit import AuditEvent
from service.users import sessions
from service.users.models import RefreshToken, User
from service.users.schemas import UserPublic
from service.videos.models import Files, Video

BATCH = 20  # rows held at a time: some 400 KB of long scenes
# Kind -> table, the column that says whose a row is, and what stays secret. Scenes follow their courses.
TOLD = {
    "sessions": ("refresh_token", "user_id", "token_hash"),
    "plans": ("plan_period", "user_id", ""),
    "projects": ("project", "owner_id", ""),
    "scenes": ("scene", "project_id", ""),
    "media": ("media", "owner_id", ""),
    "videos": ("video", "owner_id", ""),
    "audit": ("audit_event", "actor_id", ""),
}


async def export(runtime: Runtime, user: User) -> AsyncIterator[bytes]:
    """The model `Export` as JSON, a few rows at a time; no connection is held while a slow client reads."""
    person = UserPublic.model_validate(user).model_dump_json().encode()
    yield b'{"user":%b,"last_active_at":%b' % (person, _json(user.last_active_at))
    courses: list[str] = []
    for kind, (name, column, hidden) in TOLD.items():
        yield b',"%b":[' % kind.encode()
        comma = b""
        for owner in courses if kind == "scenes" else [user.id]:
            async for rows in _batches(runtime, name, column, hidden, owner):
                yield comma + b",".join(_json(dict(row)) for row in rows)
                comma = b","
                if kind == "projects":
                    courses += [row["id"] for row in rows]
        yield b"]"
    yield b"}"


async def _batches(
    runtime: Runtime, name: str, column: str, hidden: str, owner: str
) -> AsyncIterator[Sequence[RowMapping]]:
    table = SQLModel.metadata.tables[name]
    shown = sqlalchemy.select(*(every for every in table.c if every.name != hidden)).where(table.c[column] == owner)
    after = ""
    while rows := await runtime.database.rows(shown.where(table.c.id > after).order_by(table.c.id).limit(BATCH), {}):
        yield rows
        after = rows[-1]["id"]


def _json(value: object) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_UTC_Z)


async def erase(session: AsyncSession, request: Request, runtime: Runtime, user: User) -> None:
    """Delete what a person made and empty the account; files go once the database has forgotten them.

    Of the trail what was done stays, and not from where. Whoever asked for videos of these courses loses them too.
    """
    mine = col(Project.owner_id) == user.id
    courses = (await session.exec(select(Project.id).where(mine).with_for_update())).all()
    videos = (await session.exec(select(Video).where(col(Video.project_id).in_(courses)))).all()
    uploads = (await session.exec(select(Media).where(col(Media.owner_id) == user.id))).all()
    keys = [row.key for row in uploads]
    keys += [key for row in videos for attempt in range(row.attempt) for key in Files.of(row.id, attempt + 1).all]
    await sessions.close_all(session, runtime, user.id)
    await plans.forget(session, runtime.metrics, user.id)
    await session.exec(delete(Project).where(mine))  # scenes and videos go with them
    await session.exec(delete(Media).where(col(Media.owner_id) == user.id))
    await session.exec(delete(RefreshToken).where(col(RefreshToken.user_id) == user.id))
    await session.exec(delete(IdempotencyRecord).where(col(IdempotencyRecord.user_id) == user.id))
    user.email, user.name, user.password_hash = f"{user.id}@erased.invalid", "erased", "!"
    user.active, user.erased_at, user.last_active_at = False, now(), None
    audit.record(session, request, "user.erased", actor=user.id, target=user.id)
    await session.flush()
    await session.exec(update(AuditEvent).where(col(AuditEvent.actor_id) == user.id).values(address=""))
    await dispose(session, runtime.storage, keys)
    after_commit(session, lambda: runtime.cache.outdate(user.id))
