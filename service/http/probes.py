"""Is the process alive, ready for traffic, and which version is it?"""

import asyncio
import time

from fastapi import Response
from pydantic import BaseModel, Field
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from service.http import dependencies, routing
from service.runtime import Runtime

router = routing.router("", "operation")
FRESH = 1.0  # seconds an answer is kept: a fleet of load balancers must not become load
PATIENCE = 1.0


class Health(BaseModel):
    """State of the process and of what it depends on."""

    status: str = Field(examples=["ready"])
    database: bool | None = Field(default=None, examples=[True])
    cache: bool | None = Field(default=None, description="survived, so it does not make unready", examples=[True])


class Version(BaseModel):
    """What is deployed."""

    version: str = Field(examples=["1.0.0"])
    environment: str = Field(examples=["dev"])


@router.get("/livez", response_model=Health)
async def live() -> Response:
    """Does the event loop turn? No input or output, so a slow database never restarts pods."""
    return Response('{"status":"alive"}', media_type="application/json")


@router.get("/readyz", response_model=Health, responses={503: {"model": Health, "description": "send no traffic"}})
async def ready(runtime: dependencies.RuntimeDep, response: Response) -> Health:
    """May traffic come? Not while draining, and not without the database."""
    if runtime.draining:
        response.status_code = 503
        return Health(status="draining", database=None, cache=None)
    health = await _health(runtime)
    if not health.database:
        response.status_code = 503
    return health


@router.get("/version", response_model=Version)
async def version(runtime: dependencies.RuntimeDep) -> Version:
    """Version and environment."""
    return Version(version=runtime.settings.version, environment=runtime.settings.environment)


async def _health(runtime: Runtime) -> Health:
    at, known = runtime.health or (0.0, None)
    if known is None or time.monotonic() - at > FRESH:
        database, cache = await asyncio.gather(_database(runtime), runtime.cache.ping())
        known = Health(status="ready" if database else "no database", database=database, cache=cache)
        runtime.health = (time.monotonic(), known)
    return known


async def _database(runtime: Runtime) -> bool:
    try:
        async with asyncio.timeout(PATIENCE), runtime.database.connection(runtime.database.reader) as connection:
            await connection.execute(text("SELECT 1"))
    except (SQLAlchemyError, OSError, TimeoutError):
        return False
    return True
