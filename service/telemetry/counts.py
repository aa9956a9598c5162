"""How much is stored, who is active and what is paid? Sampled in the background, so that no request pays for it."""

import asyncio
from datetime import timedelta

import structlog
from sqlalchemy import func
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import SQLModel, col, select

from service.data.columns import now
from service.http.pages import count_of
from service.media.models import Media
from service.plans.models import Plan, PlanPeriod
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
WINDOWS = {"1d": timedelta(days=1), "7d": timedelta(days=7), "30d": timedelta(days=30)}
GAUGES_EVERY = 5.0  # seconds
ROWS_EVERY = 12  # times less often: counting a large table is not free


async def count_rows(runtime: Runtime) -> None:
    """Put the number of rows of every kind into the gauges."""
    async with runtime.database.reading() as session:
        for kind, table in KINDS.items():
            number = await count_of(session, table)
            runtime.metrics.gauge("stored_rows", number, kind=kind)


async def count_business(runtime: Runtime) -> None:
    """Put active users, subscribers and monthly revenue into the gauges; each is a range of one index."""
    gauge = runtime.metrics.gauge
    paying = (
        select(PlanPeriod.plan, func.count(), func.sum(PlanPeriod.price_cents))
        .where(col(PlanPeriod.until).is_(None), col(PlanPeriod.plan) != Plan.FREE.value)
        .group_by(PlanPeriod.plan)
    )
    async with runtime.database.reading() as session:
        accounts = await count_of(session, User, col(User.active).is_(True))
        for window, length in WINDOWS.items():
            recent = col(User.last_active_at) >= now() - length
            gauge("active_users", await count_of(session, User, col(User.active).is_(True), recent), window=window)
        found = {plan: (number, int(cents)) for plan, number, cents in (await session.exec(paying)).all()}
    found[Plan.FREE.value] = (accounts - sum(number for number, _ in found.values()), 0)
    for plan in Plan:
        number, cents = found.get(plan.value, (0, 0))
        gauge("subscribers", number, plan=plan.value)
        gauge("monthly_recurring_revenue_usd", cents / 100, plan=plan.value)


async def sample(runtime: Runtime) -> None:
    """Refresh the gauges until cancelled."""
    turn = 0
    while True:
        runtime.sample()
        if turn % ROWS_EVERY == 0:
            await runtime.cache.count_evictions()
            try:
                await count_rows(runtime)
                await count_business(runtime)
            except (SQLAlchemyError, OSError) as error:
                structlog.get_logger().warning("rows were not counted", kind=type(error).__name__)
            except Exception:
                structlog.get_logger().exception("rows were not counted")
        turn += 1
        await asyncio.sleep(GAUGES_EVERY)
