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
    """May traffic come? Once the database was seen, until the process drains.

    All pods share one database: were they unready without it, the balancer would have nobody left to answer anything.
    """
    if runtime.draining:
        response.status_code = 503
        return Health(status="draining", database=None, cache=None)
    neighbours = runtime.neighbours = runtime.neighbours or Neighbours()
    await neighbours.look(runtime)
    status = "ready" if neighbours.database else "without its database" if neighbours.seen else "starting"
    if not neighbours.seen:
        response.status_code = 503
    return Health(status=status, database=neighbours.database, cache=neighbours.cache)


@router.get("/version", response_model=Version)
async def version(runtime: dependencies.RuntimeDep) -> Version:
    """Version and environment."""
    return Version(version=runtime.settings.version, environment=runtime.settings.environment)


class Neighbours:
    """Do database and cache answer? One question at a time, and nobody waits for its answer longer than `PATIENCE`."""

    database = cache = seen = False
    _at = float("-inf")
    _asking: asyncio.Task[None] | None = None

    async def look(self, runtime: Runtime) -> None:
        """Ask, unless that was done just now; a neighbour that keeps its asker waiting does not answer."""
        if self._asking is None and time.monotonic() - self._at > FRESH:
            self._asking = asyncio.create_task(self._ask(runtime))
        if self._asking is not None:
            done, _ = await asyncio.wait({self._asking}, timeout=PATIENCE)
            if not done:
                self.database = False

    async def _ask(self, runtime: Runtime) -> None:
        try:
            self.database, self.cache = await asyncio.gather(_database(runtime), runtime.cache.ping())
            self.seen = self.seen or self.database
        finally:
            self._at, self._asking = time.monotonic(), None


async def _database(runtime: Runtime) -> bool:
    try:
        async with runtime.database.connection(runtime.database.reader) as connection:
            await connection.execute(text("SELECT 1"))
    except (SQLAlchemyError, OSError):
        return False
    return True
