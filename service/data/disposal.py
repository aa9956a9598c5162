"""Which files must go? Noted with the change that makes them useless, so that none is forgotten when the store fails.

They are deleted after the commit, and once more by the sweeper when no upload link can bring them back.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlmodel import Field, SQLModel, col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from service.data.columns import TABLE, Moment, now
from service.data.database import Database, after_commit
from service.data.storage import Storage

AT_ONCE = 500  # files that one turn of the sweeper deletes


class Disposal(SQLModel, table=True):
    """A file that nothing refers to any more, and from when on it stays deleted."""

    __tablename__ = "disposal"
    __table_args__ = TABLE
    key: str = Field(primary_key=True, max_length=100)
    due_at: datetime = Field(sa_type=Moment, index=True)


async def dispose(session: AsyncSession, storage: Storage, keys: Sequence[str]) -> None:
    """Delete these files once the transaction is committed, and not at all when it is rolled back."""
    due = now() + timedelta(seconds=storage.link_seconds)
    for key in keys:
        await session.merge(Disposal(key=key, due_at=due))
    if keys:
        after_commit(session, lambda: storage.delete(*keys))


async def sweep(database: Database, storage: Storage) -> int:
    """Delete what is due, again or for the first time; how many files."""
    async with database.reading() as session:
        due = select(Disposal.key).where(col(Disposal.due_at) < now()).limit(AT_ONCE)
        keys = (await session.exec(due)).all()
    if keys:
        await storage.delete(*keys)
        async with database.transaction() as session:
            await session.exec(delete(Disposal).where(col(Disposal.key).in_(keys)))
    return len(keys)
