"""What may a route ask for? A unit of work for callers with a permission, a version, an idempotency key."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Header, Path, Query, Request
from fastapi.security import HTTPBearer
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.requests import HTTPConnection

from service.data.columns import Identifier
from service.data.database import AfterCommit, after_commit
from service.http.errors import ProblemError
from service.runtime import Runtime
from service.security import audit
from service.security.permissions import Caller, Permission

# Every router names its whole path: a prefix given at inclusion would be missing in `scope["route"].path`, which is
# the label of the metrics.
API = "/api/v1"
ENTITY_TAG = re.compile(r'"?([0-9]{1,9})(?:-[0-9]{1,9})?"?')  # a version, and what may change beside it
bearer = HTTPBearer(auto_error=False, description="The access token of POST /api/v1/sessions")


@dataclass(frozen=True, slots=True)
class UnitOfWork:
    """One request's unit of work: who does it, in which transaction, with which parts of the process."""

    caller: Caller
    session: AsyncSession
    request: Request
    runtime: Runtime

    def record(self, action: str, target: str, **detail: Any) -> None:
        """Add a line to the audit trail."""
        audit.record(self.session, self.request, action, actor=self.caller.user_id, target=target, **detail)

    def count(self, metric: str, amount: float = 1, **labels: str) -> None:
        """Add to a counter of the catalogue."""
        self.runtime.metrics.count(metric, amount, **labels)

    def after_commit(self, action: AfterCommit) -> None:
        """Run this once the transaction is committed, and not at all when it is rolled back."""
        after_commit(self.session, action)


async def runtime(connection: HTTPConnection) -> Runtime:
    """The process's parts."""
    found: Runtime = connection.app.state.runtime
    return found


RuntimeDep = Annotated[Runtime, Depends(runtime)]


Bearer = Annotated[Any, Depends(bearer)]  # what the documentation asks for; the gate has read the token


async def _signed_in(request: Request, _: Bearer) -> Caller:
    caller: Caller | None = request.state.caller
    if caller is None:
        raise ProblemError(401, "a valid access token is needed", {"www-authenticate": "Bearer"})
    return caller


CallerDep = Annotated[Caller, Depends(_signed_in)]


def _with(permission: Permission) -> Callable[[CallerDep], Awaitable[Caller]]:
    async def check(caller: CallerDep) -> Caller:
        if not caller.may(permission):
            raise ProblemError(403, f"the permission {permission.value!r} is needed")
        return caller

    return check


def _unit(permission: Permission | None, *, writes: bool) -> Callable[..., AsyncIterator[UnitOfWork]]:
    allowed = _with(permission) if permission else _signed_in

    async def work(
        caller: Annotated[Caller, Depends(allowed)], request: Request, parts: RuntimeDep
    ) -> AsyncIterator[UnitOfWork]:
        async with parts.database.transaction() if writes else parts.database.reading() as session:
            yield UnitOfWork(caller, session, request, parts)

    return work


# Scope "function": the connection goes back before the response is sent, not after a slow client has read it.
ProjectReader = Annotated[Caller, Depends(_with(Permission.PROJECTS_READ))]
CatalogueReader = Annotated[Caller, Depends(_with(Permission.CATALOGUE_READ))]
MediaWriter = Annotated[Caller, Depends(_with(Permission.MEDIA_WRITE))]
VideoReader = Annotated[Caller, Depends(_with(Permission.VIDEOS_REQUEST))]
ReadOwn = Annotated[UnitOfWork, Depends(_unit(None, writes=False), scope="function")]
ReadProjects = Annotated[UnitOfWork, Depends(_unit(Permission.PROJECTS_READ, writes=False), scope="function")]
WriteProjects = Annotated[UnitOfWork, Depends(_unit(Permission.PROJECTS_WRITE, writes=True), scope="function")]
ReadMedia = Annotated[UnitOfWork, Depends(_unit(Permission.MEDIA_WRITE, writes=False), scope="function")]
WriteMedia = Annotated[UnitOfWork, Depends(_unit(Permission.MEDIA_WRITE, writes=True), scope="function")]
ReadVideos = Annotated[UnitOfWork, Depends(_unit(Permission.VIDEOS_REQUEST, writes=False), scope="function")]
RequestVideos = Annotated[UnitOfWork, Depends(_unit(Permission.VIDEOS_REQUEST, writes=True), scope="function")]
ReadUsers = Annotated[UnitOfWork, Depends(_unit(Permission.USERS_MANAGE, writes=False), scope="function")]
ManageUsers = Annotated[UnitOfWork, Depends(_unit(Permission.USERS_MANAGE, writes=True), scope="function")]
ReadAudit = Annotated[UnitOfWork, Depends(_unit(Permission.AUDIT_READ, writes=False), scope="function")]
WriteOwn = Annotated[UnitOfWork, Depends(_unit(None, writes=True), scope="function")]


def entity_tag(version: int) -> str:
    """The strong entity tag of a version."""
    return f'"{version}"'


async def _expected(
    _: CallerDep,  # strangers are told that they are strangers, not what to send
    if_match: Annotated[str | None, Header(description="The ETag that was read", examples=['"1"'])] = None,
) -> int:
    if if_match is None:
        raise ProblemError(428, "send the ETag that you read as If-Match, so that nobody's change is overwritten")
    if not (tag := ENTITY_TAG.fullmatch(if_match.strip())):
        raise ProblemError(412, "If-Match is no ETag of this resource")
    return int(tag[1])


Expected = Annotated[int, Depends(_expected)]


def check_version(expected: int, actual: int) -> None:
    """Refuse a change based on an old reading. Raises ProblemError 412."""
    if expected != actual:
        raise ProblemError(412, "somebody changed it meanwhile: read it again and repeat the change")


@dataclass(frozen=True, slots=True)
class Paging:
    """Which page of a list is asked for."""

    limit: int
    cursor: str | None


async def _paging(
    limit: Annotated[int, Query(ge=1, le=100, description="most items of a page")] = 20,
    cursor: Annotated[Identifier | None, Query(description="`next_cursor` of the page before")] = None,
) -> Paging:
    return Paging(limit, cursor)


Paged = Annotated[Paging, Depends(_paging)]
Secret = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{43}$", description="told when the link was made")]
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[A-Za-z0-9._:-]{8,64}$",
        description="Repeating a creation with the same key and body gives the first answer again (24 hours)",
        examples=["2f1c6a6e-course-1"],
    ),
]
