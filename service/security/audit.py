"""Who changed what, when and from where? Written in the same transaction as the change itself."""

from datetime import timedelta
from typing import Any

from fastapi import Request
from sqlalchemy import JSON, Index, delete
from sqlmodel import Field, col
from sqlmodel.ext.asyncio.session import AsyncSession

from service.data.columns import TABLE, Identified, Key, first, now


class AuditEvent(Identified, table=True):
    """One line of the trail; never changed, kept when the person behind `actor_id` is erased."""

    __tablename__ = "audit_event"
    __table_args__ = (Index("ix_audit_event_actor_id", "actor_id", "id"), TABLE)
    actor_id: str | None = Field(default=None, sa_type=Key)
    action: str = Field(max_length=60)
    target_id: str | None = Field(default=None, sa_type=Key)
    address: str = Field(max_length=64)
    request_id: str = Field(max_length=64)
    detail: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)


def record(
    session: AsyncSession, request: Request, action: str, *, actor: str | None, target: str | None = None, **detail: Any
) -> None:
    """Add a line; `detail` holds names of fields and kinds, never their values."""
    state = request.state
    session.add(
        AuditEvent(
            actor_id=actor,
            action=action,
            target_id=target,
            address=state.address,
            request_id=state.request_id,
            detail=detail,
        )
    )


async def purge(session: AsyncSession, days: int) -> int:
    """Forget lines older than so many days; how many."""
    old = col(AuditEvent.id) < first(now() - timedelta(days=days))
    return int((await session.exec(delete(AuditEvent).where(old))).rowcount)
