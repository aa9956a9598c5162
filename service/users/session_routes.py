"""What can be asked about login sessions?"""

from typing import Annotated

from fastapi import Cookie, Request, Response

from service.data.columns import Identifier
from service.http import csrf, dependencies, errors, routing
from service.http.errors import ProblemError
from service.runtime import Runtime
from service.security import audit
from service.security.permissions import Caller
from service.users import service, sessions
from service.users.schemas import Issued, Login, Refresh, SessionList, SessionPublic

router = routing.router("/api/v1/sessions", "sessions")
CookieToken = Annotated[str | None, Cookie(alias=csrf.COOKIE, include_in_schema=False)]


def _issued(runtime: Runtime, response: Response, opened: sessions.Opened, *, in_cookie: bool) -> Issued:
    response.headers["cache-control"] = "no-store"
    if in_cookie:
        csrf.set_cookie(response, runtime, opened.refresh_token)
    token = None if in_cookie else opened.refresh_token
    return Issued(access_token=opened.access_token, expires_in=opened.seconds, refresh_token=token)


@router.post("", status_code=201, response_model_exclude_none=True, responses=errors.described(401, 413, 422, 429, 503))
async def log_in(body: Login, request: Request, runtime: dependencies.RuntimeDep, response: Response) -> Issued:
    """Log in: an access token for 15 minutes and a refresh token, in the body or in a cookie."""
    user = await service.authenticate(runtime, request, body.email, body.password.get_secret_value())
    async with runtime.database.transaction() as session:
        if user is None:
            audit.record(session, request, "session.refused", actor=None)
            opened = None
        else:
            opened = await sessions.open_session(session, request, runtime, user)
            audit.record(session, request, "session.opened", actor=user.id, target=opened.session_id)
    runtime.metrics.count("sessions_total", event="opened" if opened else "refused")
    if opened is None:
        raise ProblemError(401, "email and password do not match", sessions.UNAUTHENTICATED)
    return _issued(runtime, response, opened, in_cookie=body.transport == "cookie")


@router.post("/refresh", response_model_exclude_none=True, responses=errors.described(401, 403, 422, 429, 503))
async def refresh_session(
    body: Refresh, request: Request, runtime: dependencies.RuntimeDep, response: Response, cookie: CookieToken = None
) -> Issued:
    """A new access token and a new refresh token, in the cookie when the old one was there.

    The old one is used up: repeated within 20 seconds it gives the same successor, for an answer may be lost on its
    way; later, or once the successor was used, it closes the session.
    """
    token = body.refresh_token or cookie
    if token is None:
        raise ProblemError(401, "no refresh token", sessions.UNAUTHENTICATED)
    if body.refresh_token is None:
        _from_own_site(request, runtime)
    opened = await sessions.refresh(request, runtime, token)
    return _issued(runtime, response, opened, in_cookie=body.refresh_token is None)


def _from_own_site(request: Request, runtime: Runtime) -> None:
    if not csrf.from_own_site(request, runtime):
        raise ProblemError(403, "cookie routes answer to pages of their own site only")


@router.get("", responses=errors.described(401, 429))
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


@router.delete("/current", status_code=204, responses=errors.described(401, 403, 429))
async def log_out(
    request: Request,
    runtime: dependencies.RuntimeDep,
    response: Response,
    _: dependencies.Bearer,
    cookie: CookieToken = None,
) -> None:
    """Close this session: its tokens stop working at once. The cookie alone is enough, when no access token lives."""
    caller: Caller | None = request.state.caller
    async with runtime.database.transaction() as session:
        if caller is not None:
            user_id, session_id = caller.user_id, caller.session_id
        elif cookie is not None and (row := await sessions.live(session, cookie)):
            _from_own_site(request, runtime)
            user_id, session_id = row.user_id, row.family_id
        else:
            raise ProblemError(401, "neither an access token nor a cookie of an open session", sessions.UNAUTHENTICATED)
        await sessions.close(session, runtime, [session_id])
        audit.record(session, request, "session.closed", actor=user_id, target=session_id)
    runtime.metrics.count("sessions_total", event="closed")
    csrf.clear_cookie(response)


@router.delete("/{session_id}", status_code=204, responses=errors.described(401, 404, 422, 429))
async def close_session(session_id: Identifier, work: dependencies.WriteOwn, response: Response) -> None:
    """Close one of the caller's sessions."""
    if session_id not in {row.family_id for row in await sessions.open_sessions(work.session, work.caller.user_id)}:
        raise ProblemError(404, "no such session")
    await sessions.close(work.session, work.runtime, [session_id])
    work.record("session.closed", session_id)
    work.count("sessions_total", event="closed")
    if session_id == work.caller.session_id:
        csrf.clear_cookie(response)
