"""What may a route ask for? A unit of work for callers with a permission, a version, an idempotency key."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Header, Path, Query, Request
from fastapi.openapi.models import HTTPBearer
from fastapi.security.base import SecurityBase
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.requests import HTTPConnection

from service.data.columns import Identifier
from service.data.database import AfterCommit, after_commit
from service.http.errors import ProblemError
from service.runtime import Runtime
from service.security import audit
from service.security.permissions import Caller, Permission

ENTITY_TAG = re.compile(r'"?([0-9]{1,9})(?:-[0-9]{1,9})?"?')  # a version, and what may change beside it
BEARER = HTTPBearer(description="The access token of POST /api/v1/sessions")


@dataclass(frozen=True, slots=True)
class Reader:
    """Who asks, with the parts of the process: reads that stand alone take connections of their own."""

    caller: Caller
    request: Request
    runtime: Runtime

    def keep(self) -> None:
        """Let the gate keep the answer for the caller's next identical request: only their own writes outdate it."""
        self.request.state.keep = True

    def count(self, metric: str, amount: float = 1, **labels: str) -> None:
        """Add to a counter of the catalogue."""
        self.runtime.metrics.count(metric, amount, **labels)


@dataclass(frozen=True, slots=True)
class UnitOfWork(Reader):
    """One request's unit of work: who does it, in which transaction, with which parts of the process."""

    session: AsyncSession

    def record(self, action: str, target: str, **detail: Any) -> None:
        """Add a line to the audit trail."""
        audit.record(self.session, self.request, action, actor=self.caller.user_id, target=target, **detail)

    def after_commit(self, action: AfterCommit) -> None:
        """Run this once the transaction is committed, and not at all when it is rolled back."""
        after_commit(self.session, action)


async def runtime(connection: HTTPConnection) -> Runtime:
    """The process's parts."""
    found: Runtime = connection.app.state.runtime
    return found


def signed_in(request: Request) -> Caller:
    """Who asks. Raises ProblemError 401."""
    caller: Caller | None = request.state.caller
    if caller is None:
        raise ProblemError(401, "a valid access token is needed", {"www-authenticate": "Bearer"})
    return caller


class _Permitted(SecurityBase):
    """What depends on a signed-in caller with a permission; the gate has read the token.

    One dependency each, because FastAPI takes some 10 microseconds for every one that a dependency has in turn.
    """

    def __init__(self, permission: Permission | None = None) -> None:
        self.model, self.scheme_name, self.permission = BEARER, "HTTPBearer", permission

    def _reader(self, request: Request) -> Reader:
        caller = signed_in(request)
        if self.permission is not None and not caller.may(self.permission):
            raise ProblemError(403, f"the permission {self.permission.value!r} is needed")
        return Reader(caller, request, request.app.state.runtime)


class _Token(_Permitted):
    async def __call__(self) -> None:
        """Nothing: what the documentation asks for."""


class _Reads(_Permitted):
    async def __call__(self, request: Request) -> Reader:
        """Rows, each statement by itself."""
        return self._reader(request)


class _Asks(_Permitted):
    async def __call__(self, request: Request) -> AsyncIterator[UnitOfWork]:
        """Models, each statement by itself."""
        asked = self._reader(request)
        async with asked.runtime.database.reading() as session:
            yield UnitOfWork(asked.caller, request, asked.runtime, session)


class _Writes(_Permitted):
    async def __call__(self, request: Request) -> AsyncIterator[UnitOfWork]:
        """A transaction."""
        asked = self._reader(request)
        async with asked.runtime.database.transaction() as session:
            yield UnitOfWork(asked.caller, request, asked.runtime, session)


async def _caller(request: Request, _: Annotated[None, Depends(_Token())]) -> Caller:
    return signed_in(request)


RuntimeDep = Annotated[Runtime, Depends(runtime)]
Bearer = Annotated[None, Depends(_Token())]
CallerDep = Annotated[Caller, Depends(_caller)]
ProjectReader = Annotated[Reader, Depends(_Reads(Permission.PROJECTS_READ))]
CatalogueReader = Annotated[Reader, Depends(_Reads(Permission.CATALOGUE_READ))]
MediaWriter = Annotated[Reader, Depends(_Reads(Permission.MEDIA_WRITE))]
VideoReader = Annotated[Reader, Depends(_Reads(Permission.VIDEOS_REQUEST))]
# Scope "function": the connection goes back before the response is sent, not after a slow client has read it.
ReadOwn = Annotated[UnitOfWork, Depends(_Asks(), scope="function")]
ReadMedia = Annotated[UnitOfWork, Depends(_Asks(Permission.MEDIA_WRITE), scope="function")]
ReadVideos = Annotated[UnitOfWork, Depends(_Asks(Permission.VIDEOS_REQUEST), scope="function")]
ReadUsers = Annotated[UnitOfWork, Depends(_Asks(Permission.USERS_MANAGE), scope="function")]
ReadAudit = Annotated[UnitOfWork, Depends(_Asks(Permission.AUDIT_READ), scope="function")]
WriteOwn = Annotated[UnitOfWork, Depends(_Writes(), scope="function")]
WriteProjects = Annotated[UnitOfWork, Depends(_Writes(Permission.PROJECTS_WRITE), scope="function")]
WriteMedia = Annotated[UnitOfWork, Depends(_Writes(Permission.MEDIA_WRITE), scope="function")]
RequestVideos = Annotated[UnitOfWork, Depends(_Writes(Permission.VIDEOS_REQUEST), scope="function")]
ManageUsers = Annotated[UnitOfWork, Depends(_Writes(Permission.USERS_MANAGE), scope="function")]


def entity_tag(version: int) -> str:
    """The strong entity tag of a version."""
    return f'"{version}"'


async def _expected(
    request: Request,
    if_match: Annotated[str | None, Header(description="The ETag that was read", examples=['"1"'])] = None,
) -> int:
    signed_in(request)  # strangers are told that they are strangers, not what to send
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
