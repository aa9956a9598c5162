"""What may a video spend at outside providers? Its owner's share of 24 hours, less what was spent in them."""

from sqlalchemy import func, update
from sqlmodel import col, select

from service.data.columns import now
from service.data.database import Database
from service.plans.allowances import table
from service.plans.models import Plan, PlanPeriod
from service.videos.models import Video
from service.videos.service import DAY


async def left(database: Database, video_id: str) -> float:
    """US dollars; 0 when they are used up, or when the video is gone."""
    owner = select(Video.owner_id).where(Video.id == video_id).scalar_subquery()
    spent = select(func.sum(Video.cost_usd)).where(col(Video.owner_id) == owner, col(Video.updated_at) > now() - DAY)
    plan = select(PlanPeriod.plan).where(col(PlanPeriod.user_id) == owner, col(PlanPeriod.until).is_(None))
    async with database.reading() as session:
        used = (await session.exec(spent)).one()
        chosen = (await session.exec(plan)).first()
    return 0.0 if used is None else max(0.0, table()[Plan(chosen or Plan.FREE)].spend_a_day - float(used))


async def charge(database: Database, video_id: str, usd: float, size: int) -> None:
    """Note what an attempt has cost, and the bytes of what it has published."""
    spent = {"cost_usd": col(Video.cost_usd) + usd, "size": size}
    async with database.transaction() as session:
        await session.exec(update(Video).where(col(Video.id) == video_id).values(spent))
