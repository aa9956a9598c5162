"""What can auditors ask?"""

from datetime import datetime
from typing import Any

from pydantic import Field
from sqlmodel import col, select

from service.data.columns import Identifier
from service.http import dependencies, errors, routing
from service.http.pages import Page, Public, paginate
from service.security.audit import AuditEvent


class AuditEventPublic(Public):
    """One line of the trail."""

    id: str = Field(examples=["0190c0de7a5e7000a000000000000007"])
    created_at: datetime = Field(examples=["2026-01-01T12:00:00Z"])
    actor_id: str | None = Field(examples=["0190c0de7a5e7000a000000000000001"])
    action: str = Field(examples=["project.changed"])
    target_id: str | None = Field(examples=["0190c0de7a5e7000a000000000000002"])
    address: str = Field(examples=["203.0.113.7"])
    request_id: str = Field(examples=["4f0b"])
    detail: dict[str, Any] = Field(examples=[{"fields": ["title"]}])


router = routing.router("/api/v1/audit", "administration")


@router.get("", responses=errors.described(401, 403, 422, 429))
async def list_audit_events(
    work: dependencies.ReadAudit, paging: dependencies.Paged, actor_id: Identifier | None = None
) -> Page[AuditEventPublic]:
    """The audit trail, newest first; of one person with `actor_id`."""
    query = select(AuditEvent)
    if actor_id is not None:
        query = query.where(col(AuditEvent.actor_id) == actor_id)
    return await paginate(Page[AuditEventPublic], work.session, AuditEvent, query, paging)
