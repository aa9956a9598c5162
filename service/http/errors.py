"""How does a failure look to a client? RFC 9457 problem details, each kind with its schema."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm.exc import StaleDataError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match

from service.render.errors import CourseError, language_of, problems_of

MEDIA_TYPE = "application/problem+json"
UNREADABLE = "the body cannot be read as JSON"
FIELDS = {"bullets": "text", "image": "image_id", "audio": "audio_id"}  # what authors write, by the renderer's names
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


class FieldError(BaseModel):
    """One thing wrong with one field; the refused value is never repeated."""

    field: str = Field(examples=["body.title"])
    message: str = Field(examples=["it is too short: write something that can be seen"])


class ProblemDetails(BaseModel):
    """RFC 9457 problem details."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"type": "about:blank", "title": "Not Found", "status": 404, "detail": "no such project"}]
        }
    )
    type: str = "about:blank"
    title: str
    status: int
    detail: str | None = None
    request_id: str | None = None
    errors: list[FieldError] | None = None


class ProblemError(Exception):
    """Stops a request with this status; `detail` says what to do about it."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, dict(headers or {})


def response(
    status: int, detail: str | None, headers: Mapping[str, str] | None = None, errors: list[FieldError] | None = None
) -> Response:
    """The problem as an HTTP response."""
    body = ProblemDetails(
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        request_id=structlog.contextvars.get_contextvars().get("request_id"),
        errors=errors,
    )
    return Response(body.model_dump_json(exclude_none=True), status, dict(headers or {}), MEDIA_TYPE)


def described(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses=` of a route that may fail with these."""
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {
                MEDIA_TYPE: {
                    "schema": {"$ref": "#/components/schemas/ProblemDetails"},
                    "example": {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status},
                }
            },
        }
        for status in statuses
    }


def _language(request: Request) -> str:
    """The first language that a client asks for; qualities are ignored, since browsers send them in order."""
    return language_of(request.headers.get("accept-language", ""))


def _allowed(app: FastAPI, request: Request) -> list[str]:
    """The methods of this path; the framework names those of the first route that has it."""
    scope = dict(request.scope)
    found = [
        method
        for method in METHODS
        if any(route.matches(scope | {"method": method})[0] is Match.FULL for route in app.router.routes)
    ]
    return [*found, *["HEAD"][: "GET" in found]]


def install(app: FastAPI) -> None:
    """Answer every known kind of failure with problem details; the unknown ones are the edge's."""

    @app.exception_handler(ProblemError)
    async def _problem(_: Request, error: ProblemError) -> Response:
        return response(error.status, error.detail, error.headers)

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> Response:
        if error.status_code == 400:
            return response(400, UNREADABLE)
        if error.status_code == 405:
            return response(405, None, {"allow": ", ".join(_allowed(app, request))})
        # What is not read any more would fill the connection.
        headers = {"connection": "close"} if error.status_code == 413 else error.headers
        return response(error.status_code, error.detail, headers)

    @app.exception_handler(ClientDisconnect)
    async def _gone(_: Request, __: ClientDisconnect) -> Response:
        return response(400, "the body ended before it was complete")

    @app.exception_handler(RequestValidationError)
    async def _validation(request: Request, error: RequestValidationError) -> Response:
        if any(row["type"] == "json_invalid" for row in error.errors()):
            return response(400, UNREADABLE)
        problems, language = problems_of(error.errors()), _language(request)
        rows = [
            FieldError(
                field=".".join(map(str, problem.place)),
                message=problem.sentence(language) if problem.known else row["msg"].removeprefix("Value error, "),
            )
            for problem, row in zip(problems, error.errors(), strict=True)
        ]
        return response(422, "the request does not have the documented shape", errors=rows)

    @app.exception_handler(CourseError)
    async def _course(request: Request, error: CourseError) -> Response:
        language = _language(request)
        rows = [
            FieldError(field=f"body.{FIELDS.get(name, name)}", message=problem.sentence(language))
            for problem in error.problems
            for name in [part for part in problem.place if isinstance(part, str)][-1:]
        ]
        return response(422, error.told(language), errors=rows or None)

    @app.exception_handler(StaleDataError)
    async def _stale(_: Request, __: StaleDataError) -> Response:
        return response(412, "somebody changed it meanwhile: read it again and repeat the change")

    @app.exception_handler(IntegrityError)
    async def _integrity(_: Request, __: IntegrityError) -> Response:
        return response(409, "it conflicts with what is stored")

    @app.exception_handler(PoolTimeout)
    async def _busy(_: Request, __: PoolTimeout) -> Response:
        return response(503, "the database is busy", {"retry-after": "1"})

    @app.exception_handler(DBAPIError)
    async def _database(_: Request, error: DBAPIError) -> Response:
        structlog.get_logger().error("database", kind=type(error.orig).__name__, lost=error.connection_invalidated)
        if error.connection_invalidated or type(error.orig).__name__ in {"OperationalError", "InterfaceError"}:
            return response(503, "the database does not answer", {"retry-after": "1"})
        raise error
