"""How are routes protected that a browser authenticates by cookie? Site checks and a token bound to the session."""

from fastapi import Request, Response

from service.http.errors import ProblemError
from service.runtime import Runtime
from service.settings import Environment

COOKIE = "refresh_token"
PATH = "/api/v1/sessions"
HEADER = "x-csrf-token"


def set_cookie(response: Response, runtime: Runtime, token: str) -> None:
    """Put the refresh token where scripts cannot read it and other sites cannot send it."""
    response.set_cookie(
        COOKIE,
        token,
        max_age=runtime.settings.security.refresh_days * 86400,
        path=PATH,
        secure=runtime.settings.environment is not Environment.DEV,
        httponly=True,
        samesite="strict",
    )


def clear_cookie(response: Response) -> None:
    """Take the cookie back."""
    response.delete_cookie(COOKIE, path=PATH)


def token_for(runtime: Runtime, session_id: str) -> str:
    """The token that a page must send beside the cookie."""
    return runtime.tokens.sign("csrf", session_id)


def check(request: Request, runtime: Runtime, session_id: str) -> None:
    """Refuse a request that another site caused. Raises ProblemError 403."""
    site = request.headers.get("sec-fetch-site", "same-origin")
    origin = request.headers.get("origin")
    own = {str(request.base_url).rstrip("/"), *runtime.settings.security.cors_origins}
    genuine = runtime.tokens.signed(request.headers.get(HEADER, ""), "csrf", session_id)
    if site not in {"same-origin", "none"} and origin not in runtime.settings.security.cors_origins:
        raise ProblemError(403, "cookie routes answer to their own site only")
    if origin is not None and origin not in own:
        raise ProblemError(403, "cookie routes answer to their own site only")
    if not genuine:
        raise ProblemError(403, f"send the session's csrf_token as {HEADER}")
