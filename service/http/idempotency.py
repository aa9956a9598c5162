"""What if a client repeats a creation because it saw no answer? Key and answer are stored with what was created."""

import hashlib
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from fastapi import Response
from pydantic import BaseModel
from sqlalchemy import delete, insert
from sqlalchemy.exc import IntegrityError
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from service.data.columns import TABLE, Digest, Key, Long, Moment, now
from service.http.dependencies import UnitOfWork
from service.http.errors import ProblemError

KEPT = timedelta(hours=24)


class IdempotencyRecord(SQLModel, table=True):
    """A key of a user, what was asked under it and what was answered."""

    __tablename__ = "idempotency_record"
    __table_args__ = TABLE
    user_id: str = Field(primary_key=True, sa_type=Key)
    key: str = Field(primary_key=True, max_length=64)
    request: str = Field(sa_type=Digest)
    created_at: datetime = Field(default_factory=now, sa_type=Moment, index=True)
    status: int = 0
    headers: str = Field(default="", max_length=200)
    body: str = Field(default="", sa_type=Long)


async def once(
    work: UnitOfWork, key: str | None, payload: BaseModel, create: Callable[[], Awaitable[Response]]
) -> Response:
    """Run `create` unless this key has been answered: then answer the same again.

    A concurrent repetition waits on the unique key until the first is committed. Raises ProblemError 422 when the key
    was used for another request.
    """
    if key is None:
        return await create()
    user_id, session, scope = work.caller.user_id, work.session, work.request.scope
    wanted = f"{scope['method']}\n{scope['path']}\n{payload.model_dump_json()}"
    fingerprint = hashlib.sha256(wanted.encode()).hexdigest()
    claim = {"user_id": user_id, "key": key, "request": fingerprint, "created_at": now()}
    try:
        async with session.begin_nested():
            await session.exec(insert(IdempotencyRecord).values(status=0, headers="", body="", **claim))
    except IntegrityError:
        return await _again(work, key, fingerprint)
    response = await create()
    record = await session.get_one(IdempotencyRecord, (user_id, key))
    record.status, record.body = response.status_code, bytes(response.body).decode()
    record.headers = "\n".join(f"{name}: {response.headers[name]}" for name in ("etag", "location"))
    return response


async def _again(work: UnitOfWork, key: str, fingerprint: str) -> Response:
    mine = (col(IdempotencyRecord.user_id) == work.caller.user_id, col(IdempotencyRecord.key) == key)
    record = (await work.session.exec(select(IdempotencyRecord).where(*mine).with_for_update())).one()
    if record.request != fingerprint:
        raise ProblemError(422, "this Idempotency-Key was used for another request")
    work.count("feature_use_total", feature="idempotent_replay")
    headers = dict(line.split(": ", 1) for line in record.headers.splitlines()) | {"idempotency-replayed": "true"}
    return Response(record.body, record.status, headers, "application/json")


async def purge(session: AsyncSession) -> int:
    """Forget keys older than a day; how many."""
    result = await session.exec(delete(IdempotencyRecord).where(col(IdempotencyRecord.created_at) < now() - KEPT))
    return int(result.rowcount)
