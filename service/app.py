"""How is the application put together? Routers, layers and the life of a process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from fastapi import APIRouter, FastAPI

from service import reload
from service.http import documentation, errors, probes
from service.http.edge import Edge
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

STOP_SECONDS = 3  # for what runs in the background


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
        separate_input_output_schemas=False,
        telemetry={"operation_spans": False, "logs": False},
    )
    app.state.runtime = runtime
    # Matching looks through all routes in this order: the busiest come first.
    parts: list[APIRouter] = [projects.router, scenes.router, videos.router, projects.catalogue, importing.router]
    parts += [sharing.router, sessions.router, users.router, recovery.router, plans.router, media.router]
    parts += [progress.router, audit_routes.router, probes.router, page.router]
    parts += [documentation.router] if settings.documentation else []
    for part in parts:
        app.router.routes += part.routes
    app.include_router(media.files, max_body_size=settings.media.largest_upload)
    errors.install(app)
    app.openapi = partial(documentation.schema, app)  # type: ignore[method-assign]
    traces.install(settings)
    app.add_middleware(Edge, runtime=runtime)
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
