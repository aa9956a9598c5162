"""How does a creator without a program of their own use the service? One page of plain HTML, CSS and modules at `/`."""

from functools import lru_cache
from importlib.resources import files

from fastapi import Request, Response

from service.http import dependencies, routing
from service.http.errors import ProblemError

TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
SERVED = {"style.css", "app.js", "api.js", "words.js", "icon.svg"}
router = routing.router("", include_in_schema=False)


@router.get("/")
async def index(request: Request, runtime: dependencies.RuntimeDep) -> Response:
    """The page; everything else that it needs has an address of its own below `/page`."""
    store = runtime.storage.origin  # where uploads go and videos come from
    policy = (
        f"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: {store}; "
        f"media-src 'self' {store}; connect-src 'self' {store}; "
        "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    )
    request.scope["state"]["policy"] = policy  # the edge leaves out its own, which allows nothing
    return Response(_file("index.html"), headers={"content-security-policy": policy}, media_type=TYPES["html"])


@router.get("/page/{name}")
async def part(name: str) -> Response:
    """A part of the page."""
    if name not in SERVED:
        raise ProblemError(404, "there is no such page")
    kind = TYPES[name.rpartition(".")[2]]
    return Response(_file(name), headers={"cache-control": "public, max-age=300"}, media_type=kind)


@lru_cache
def _file(name: str) -> bytes:
    return files("service.page").joinpath(name).read_bytes()
