"""How is the application put together? Routers, layers and the life of a process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware

from service import reload
from service.http import documentation, edge, errors, probes
from service.http.gate import Gate
from service.media import routes as media
from service.page import routes as page
from service.plans import routes as plans
from service.projects import routes as projects
from service.runtime import Runtime
from service.scenes import importing
from service.scenes import routes as scenes
from service.security import audit_routes
from service.settings import Settings
from service.telemetry import counts, traces, tracker
from service.users import recovery_routes as recovery
from service.users import routes as users
from service.users import session_routes as sessions
from service.videos import progress, sharing
from service.videos import routes as videos

LARGEST_BODY = 256 * 1024  # bytes; uploads have a cap of their own
SMALLEST_COMPRESSED = 1000  # bytes
STOP_SECONDS = 3  # for what runs in the background
COMPRESSION = 4  # 11 microseconds for 7 KB; 6 doubles that and saves 3 %


def create(settings: Settings | None = None, runtime: Runtime | None = None) -> FastAPI:
    """The application, ready to be served; it opens no connection before its first request."""
    runtime = runtime or Runtime(settings or Settings())
    settings = runtime.settings
    app = FastAPI(
        title=documentation.TITLE,
        description=documentation.DESCRIPTION,
        version=settings.version,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan,
        redirect_slashes=False,  # a redirect would repeat the Host that somebody sent
        generate_unique_id_function=documentation.operation_id,
        separate_input_output_schemas=False,
        telemetry={"operation_spans": False, "logs": False},
    )
    app.state.runtime = runtime
    # Matching looks through routers in this order: the busiest come first.
    for part in (
        *(projects, scenes, videos, importing, sharing, progress),
        *(sessions, users, recovery, plans, media, audit_routes),
    ):
        app.include_router(part.router, max_body_size=LARGEST_BODY)
    app.include_router(projects.catalogue)
    app.include_router(media.files, max_body_size=settings.media.largest_upload)
    app.include_router(probes.router)
    app.include_router(page.router)
    if settings.documentation:
        app.include_router(documentation.router)
    errors.install(app)
    app.openapi = partial(documentation.schema, app)  # type: ignore[method-assign]
    traces.install(settings)
    # Outermost last: the edge sees everything, the gate runs before routing and before a body is read.
    app.add_middleware(Gate, runtime=runtime)
    app.add_middleware(GZipMiddleware, minimum_size=SMALLEST_COMPRESSED, compresslevel=COMPRESSION)
    app.add_middleware(CORSMiddleware, **edge.cross_origin(settings))
    app.add_middleware(edge.Edge, runtime=runtime)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    runtime: Runtime = app.state.runtime
    background = [asyncio.create_task(task) for task in (counts.sample(runtime), reload.watch(runtime))]
    try:
        yield
    finally:
        for task in background:
            task.cancel()
        await asyncio.wait(background, timeout=STOP_SECONDS)  # not for ever: a driver may lose a cancellation
    await runtime.close()
    await asyncio.to_thread(tracker.flush)
