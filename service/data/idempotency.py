"""What was answered to a person's key? Stored in the transaction of what was created, forgotten after a day."""

from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from service.data.columns import TABLE, Digest, Key, Long, Moment, now

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


async def claim(session: AsyncSession, record: IdempotencyRecord) -> IdempotencyRecord | None:
    """Take the key of this record, or find what it was used for.

    A concurrent repetition waits on the unique key until the first is committed.
    """
    mine = (col(IdempotencyRecord.user_id) == record.user_id, col(IdempotencyRecord.key) == record.key)
    try:
        async with session.begin_nested():
            session.add(record)
    except IntegrityError:
        # A shared lock sees what was committed meanwhile, and several that wait do not block each other.
        return (await session.exec(select(IdempotencyRecord).where(*mine).with_for_update(read=True))).one()
    return None


async def purge(session: AsyncSession) -> int:
    """Forget keys older than a day; how many."""
    result = await session.exec(delete(IdempotencyRecord).where(col(IdempotencyRecord.created_at) < now() - KEPT))
    return int(result.rowcount)
