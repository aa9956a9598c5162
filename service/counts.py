"""How much is stored, and how full are the pools? Sampled in the background, so that no request pays for it."""

import asyncio

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import SQLModel

from service.media.models import Media
from service.pages import count_of
from service.projects.models import Project
from service.runtime import Runtime
from service.scenes.models import Scene
from service.users.models import User
from service.videos.models import Video

KINDS: dict[str, type[SQLModel]] = {
    "users": User,
    "projects": Project,
    "scenes": Scene,
    "media": Media,
    "videos": Video,
}
GAUGES_EVERY = 5.0  # seconds
ROWS_EVERY = 12  # times less often: counting a large table is not free


async def count_rows(runtime: Runtime) -> None:
    """Put the number of rows of every kind into the gauges."""
    async with runtime.database.reading() as session:
        for kind, table in KINDS.items():
            number = await count_of(session, table)
            runtime.metrics.gauge("stored_rows", number, kind=kind)


async def sample(runtime: Runtime) -> None:
    """Refresh the gauges until cancelled."""
    turn = 0
    while True:
        runtime.sample()
        if turn % ROWS_EVERY == 0:
            try:
                await count_rows(runtime)
            except (SQLAlchemyError, OSError) as error:
                structlog.get_logger().warning("rows were not counted", kind=type(error).__name__)
        turn += 1
        await asyncio.sleep(GAUGES_EVERY)
