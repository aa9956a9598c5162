"""How are routes protected that a browser authenticates by cookie? By who may send it: this site's own pages.

The cookie is HttpOnly and SameSite=Strict, and every browser says with a POST, a DELETE or a WebSocket where it comes
from. So a page needs no token of its own, and goes on after it was loaded again.
"""

from fastapi import Response
from starlette.requests import HTTPConnection

from service.runtime import Runtime
from service.settings import Environment

COOKIE = "refresh_token"
PATH = "/api/v1/sessions"


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


def from_own_site(connection: HTTPConnection, runtime: Runtime) -> bool:
    """Did a page of this site, or of one that is configured, cause it? Programs that are no browser say nothing.

    The scheme is taken from the environment: behind the balancer every request arrives as plain HTTP.
    """
    settings, headers = runtime.settings, connection.headers
    schemes = ("http", "https") if settings.environment is Environment.DEV else ("https",)
    own = {f"{scheme}://{headers.get('host')}" for scheme in schemes}
    origin, site = headers.get("origin"), headers.get("sec-fetch-site", "none")
    if origin is None:
        return site in {"same-origin", "none"}
    return origin in settings.security.cors_origins or (origin in own and site in {"same-origin", "none"})
