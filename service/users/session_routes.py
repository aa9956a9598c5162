"""What can be asked about login sessions?"""

from typing import Annotated

from fastapi import APIRouter, Cookie, Request, Response

from service.data.columns import Identifier
from service.http import csrf, dependencies, errors
from service.http.errors import ProblemError
from service.runtime import Runtime
from service.security import audit
from service.users import service, sessions
from service.users.schemas import Issued, Login, Refresh, SessionList, SessionPublic

router = APIRouter(prefix=f"{dependencies.API}/sessions", tags=["sessions"])
CookieToken = Annotated[str | None, Cookie(alias=csrf.COOKIE, include_in_schema=False)]


def _issued(runtime: Runtime, opened: sessions.Opened, transport: str, status: int) -> Response:
    in_cookie = transport == "cookie"
    body = Issued(
        access_token=opened.access_token,
        expires_in=opened.seconds,
        refresh_token=None if in_cookie else opened.refresh_token,
        csrf_token=csrf.token_for(runtime, opened.session_id) if in_cookie else None,
    )
    headers = {"cache-control": "no-store"}
    response = Response(body.model_dump_json(exclude_none=True), status, headers, "application/json")
    if in_cookie:
        csrf.set_cookie(response, runtime, opened.refresh_token)
    return response


@router.post("", status_code=201, response_model=Issued, responses=errors.described(401, 413, 422, 429, 503))
async def log_in(body: Login, request: Request, runtime: dependencies.RuntimeDep) -> Response:
    """Log in: an access token for 15 minutes and a refresh token, in the body or in a cookie."""
    user = await service.authenticate(runtime, body.email, body.password.get_secret_value())
    async with runtime.database.transaction() as session:
        if user is None:
            audit.record(session, request, "session.refused", actor=None)
            opened = None
        else:
            opened = await sessions.open_session(session, request, runtime, user, None)
            audit.record(session, request, "session.opened", actor=user.id, target=opened.session_id)
    runtime.metrics.count("sessions_total", event="opened" if opened else "refused")
    if opened is None:
        raise ProblemError(401, "email and password do not match", sessions.UNAUTHENTICATED)
    return _issued(runtime, opened, body.transport, 201)


@router.post("/refresh", response_model=Issued, responses=errors.described(401, 403, 409, 422, 429, 503))
async def refresh_session(
    body: Refresh, request: Request, runtime: dependencies.RuntimeDep, cookie: CookieToken = None
) -> Response:
    """A new access token and a new refresh token; the old one is used up, and using it again closes the session."""
    token = body.refresh_token or cookie
    if token is None:
        raise ProblemError(401, "no refresh token", sessions.UNAUTHENTICATED)
    if body.refresh_token is None:
        await _check_csrf(request, runtime, token)
    opened = await sessions.refresh(request, runtime, token)
    return _issued(runtime, opened, "body" if body.refresh_token else "cookie", 200)


async def _check_csrf(request: Request, runtime: Runtime, token: str) -> None:
    async with runtime.database.reading() as session:
        row = await sessions.family_of(session, token)
    if row is None:
        raise ProblemError(401, "unknown refresh token: log in", sessions.UNAUTHENTICATED)
    csrf.check(request, runtime, row.family_id)


@router.get("", response_model=SessionList, responses=errors.described(401, 429))
async def list_sessions(work: dependencies.ReadOwn) -> SessionList:
    """The caller's open sessions."""
    rows = await sessions.open_sessions(work.session, work.caller.user_id)
    return SessionList(
        items=[
            SessionPublic(
                id=row.family_id,
                created_at=row.created_at,
                expires_at=row.expires_at,
                address=row.address,
                agent=row.agent,
                current=row.family_id == work.caller.session_id,
            )
            for row in rows
        ]
    )


@router.delete("/current", status_code=204, responses=errors.described(401, 429))
async def log_out(work: dependencies.WriteOwn) -> Response:
    """Close this session: its access and refresh tokens stop working at once."""
    return await _close(work, work.caller.session_id)


@router.delete("/{session_id}", status_code=204, responses=errors.described(401, 404, 422, 429))
async def close_session(session_id: Identifier, work: dependencies.WriteOwn) -> Response:
    """Close one of the caller's sessions."""
    if session_id not in {row.family_id for row in await sessions.open_sessions(work.session, work.caller.user_id)}:
        raise ProblemError(404, "no such session")
    return await _close(work, session_id)


async def _close(work: dependencies.UnitOfWork, session_id: str) -> Response:
    await sessions.close(work.session, work.runtime, [session_id])
    work.record("session.closed", session_id)
    work.count("sessions_total", event="closed")
    response = Response(status_code=204)
    csrf.clear_cookie(response)
    return response
