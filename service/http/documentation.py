"""How is the API documented? One OpenAPI document, Swagger UI and ReDoc from an installed package, without a CDN."""

from functools import lru_cache
from importlib.resources import files
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response

from service.http import routing
from service.http.errors import MEDIA_TYPE, ProblemDetails

ASSETS = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "redoc.standalone.js": "text/javascript",
    "favicon.png": "image/png",
}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; worker-src blob:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
TITLE = "TecnoCursos API"
DESCRIPTION = """
Course outlines become narrated videos.

1. `POST /api/v1/users` creates an account, `POST /api/v1/sessions` logs in: send the access token as
   `Authorization: Bearer ...`.
2. `POST /api/v1/projects` creates a course, `POST /api/v1/projects/{id}/scenes` adds its scenes.
3. `POST /api/v1/projects/{id}/videos` asks for the video; follow it on `wss://.../api/v1/videos/{id}/progress`
   (subprotocols `tecnocursos.progress`, `bearer.<access token>`) or by asking again.

Every failure is [problem details](https://www.rfc-editor.org/rfc/rfc9457). Changes need the `ETag` that was read as
`If-Match`. Creations take an `Idempotency-Key`, so that repeating them is safe.
Limits: 1 to 10 requests per second by zone.
"""
TAGS = [
    {"name": "sessions", "description": "Log in, stay logged in, log out"},
    {"name": "users", "description": "The caller's account"},
    {"name": "privacy", "description": "Export and erasure of personal data"},
    {"name": "projects", "description": "Courses"},
    {"name": "scenes", "description": "The steps of a course, in order"},
    {"name": "media", "description": "Pictures and sound, uploaded directly to the store"},
    {"name": "videos", "description": "Renderings and their progress"},
    {"name": "catalogue", "description": "Published courses"},
    {"name": "administration", "description": "Accounts and the audit trail"},
    {"name": "operation", "description": "Probes"},
]
HEADERS = {
    name: {"description": meaning, "schema": {"type": kind}}
    for name, kind, meaning in (
        ("ETag", "string", "Send it as If-Match with a change, as If-None-Match to learn whether there is another"),
        ("Location", "string", "Where it can be read"),
        ("Idempotency-Replayed", "string", "`true`: this is the answer to the first request with this key"),
        ("Retry-After", "integer", "Seconds after which asking again makes sense"),
    )
}
PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><link rel="icon" href="/docs/assets/favicon.png">{head}</head>
<body>{body}</body>
</html>
"""
SWAGGER = PAGE.format(
    title=TITLE,
    head='<link rel="stylesheet" href="/docs/assets/swagger-ui.css"><link rel="stylesheet" href="/docs/theme.css">',
    body='<div id="ui"></div><script src="/docs/assets/swagger-ui-bundle.js"></script>'
    '<script src="/docs/start.js"></script>',
)
REDOC = PAGE.format(
    title=TITLE,
    head="",
    body='<redoc spec-url="/openapi.json" hide-download-button></redoc>'
    '<script src="/docs/assets/redoc.standalone.js"></script>',
)
START = """SwaggerUIBundle({
  url: "/openapi.json", dom_id: "#ui", deepLinking: true, displayRequestDuration: true, filter: true,
  persistAuthorization: false, tryItOutEnabled: true, docExpansion: "none", defaultModelsExpandDepth: 0,
  validatorUrl: null
});
"""
THEME = """.swagger-ui .topbar { display: none }
.swagger-ui .info .title { color: #17324d }
.swagger-ui .opblock-tag { border-bottom-color: #d5dee7 }
.swagger-ui .btn.execute { background: #0b6e4f; border-color: #0b6e4f }
"""

router = routing.router("", include_in_schema=False)


def schema(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document with the shape of every failure."""
    if app.openapi_schema is None:
        document = FastAPI.openapi(app)
        schemas = document["components"]["schemas"]
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        problem = ProblemDetails.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas |= problem.pop("$defs")
        schemas["ProblemDetails"] = problem
        document["tags"] = TAGS
        for path, operations in document["paths"].items():
            for method, operation in operations.items():
                if path.startswith("/api/"):
                    _shared_failures(operation)
                    _headers(schemas, method, operation)
        app.openapi_schema = document
    return app.openapi_schema


def _shared_failures(operation: dict[str, Any]) -> None:
    reference = {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}
    shared = {"500": "An error of ours", "503": "Try again in a moment"}
    if "requestBody" in operation:
        shared["400"] = "The body cannot be read as JSON"
    for status, meaning in shared.items():
        operation["responses"].setdefault(status, {"description": meaning, "content": {MEDIA_TYPE: reference}})
    invalid = operation["responses"].get("422")
    if invalid is not None and "application/json" in invalid.get("content", {}):
        operation["responses"]["422"] = {"description": "Unprocessable Content", "content": {MEDIA_TYPE: reference}}


def _headers(schemas: dict[str, Any], method: str, operation: dict[str, Any]) -> None:
    """What is sent follows from the answer: a version makes an entity tag, what was created has a place."""
    repeatable = any(parameter["name"] == "Idempotency-Key" for parameter in operation.get("parameters", ()))
    for status, answer in list(operation["responses"].items()):
        content = answer.get("content", {}).get("application/json", {}).get("schema", {})
        fields = schemas.get(content.get("$ref", "").rsplit("/", 1)[-1], {}).get("properties", {})
        sent = {
            "ETag": status < "3" and "version" in fields,
            "Location": status in {"201", "202"} and "id" in fields,
            "Idempotency-Replayed": status < "3" and repeatable,
            "Retry-After": status in {"429", "503"},
        }
        headers = {name: HEADERS[name] for name, is_sent in sent.items() if is_sent}
        if headers:
            answer.setdefault("headers", {}).update(headers)
        if method == "get" and sent["ETag"]:
            operation["responses"]["304"] = {"description": "What If-None-Match names is current", "headers": headers}


def _page(request: Request, body: str | bytes, media_type: str, seconds: int = 300) -> Response:
    request.scope["state"]["policy"] = POLICY  # the edge leaves out its own, which allows nothing
    headers = {"content-security-policy": POLICY, "cache-control": f"public, max-age={seconds}"}
    return Response(body, headers=headers, media_type=media_type)


@router.get("/openapi.json")
async def openapi(request: Request) -> Response:
    """The document that the pages read."""
    state = request.app.state
    if not hasattr(state, "openapi"):  # built when first asked for: starting need not wait for it
        state.openapi = orjson.dumps(request.app.openapi())
    return Response(state.openapi, media_type="application/json")


@router.get("/docs")
async def swagger(request: Request) -> Response:
    """Swagger UI: read and try."""
    return _page(request, SWAGGER, "text/html")


@router.get("/redoc")
async def redoc(request: Request) -> Response:
    """ReDoc: read."""
    return _page(request, REDOC, "text/html")


@router.get("/docs/start.js")
async def start(request: Request) -> Response:
    """Starts Swagger UI; a file of its own, so that the policy needs no inline script."""
    return _page(request, START, "text/javascript")


@router.get("/docs/theme.css")
async def theme(request: Request) -> Response:
    """The product's colours."""
    return _page(request, THEME, "text/css")


@router.get("/docs/assets/{name}")
async def asset(name: str, request: Request) -> Response:
    """A file of the installed package."""
    if name not in ASSETS:
        return Response(status_code=404)
    return _page(request, _asset(name), ASSETS[name], seconds=86400)


@lru_cache
def _asset(name: str) -> bytes:
    body = files("fastapi_offline").joinpath("static", name).read_bytes()
    return body.replace(
        b"https://cdn.redoc.ly/redoc/logo-mini.svg", b"/docs/assets/favicon.png"
    )  # the policy forbids it
