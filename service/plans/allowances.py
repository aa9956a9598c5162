"""What may an account have and use? Figures by plan, and a lock so that no two requests pass one together."""

from functools import cache
from importlib.resources import files
from typing import Any

import sqlalchemy
import yaml
from pydantic import BaseModel, ConfigDict, NonNegativeFloat, PositiveInt, TypeAdapter
from sqlalchemy import Executable, bindparam, func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from service.http.errors import ProblemError
from service.plans.models import Plan, PlanPeriod
from service.projects.models import Project
from service.users.models import User


class Allowance(BaseModel):
    """The figures of one plan; allowances.yaml says what each counts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    courses: PositiveInt
    scenes: PositiveInt
    bytes: PositiveInt
    videos_a_day: PositiveInt
    spend_a_day: NonNegativeFloat

    def check(self, what: str, number: float) -> None:
        """Refuse a number of things to be had. Raises ProblemError 409."""
        if number > (most := getattr(self, what)):
            raise ProblemError(409, f"this plan includes {most} {what}: delete some, or choose another plan")


@cache
def table() -> dict[Plan, Allowance]:
    """All plans."""
    text = files("service.plans").joinpath("allowances.yaml").read_text(encoding="utf-8")
    return TypeAdapter(dict[Plan, Allowance]).validate_python(yaml.safe_load(text))


def measuring(*measures: SelectOfScalar[Any]) -> Executable:
    """A statement for `hold`, built once: the plan of `:user_id`, and one number by each measure (nothing is 0)."""
    mine = select(PlanPeriod.plan).where(PlanPeriod.user_id == bindparam("user_id"))
    newest = mine.order_by(col(PlanPeriod.version).desc()).limit(1).scalar_subquery()
    return sqlalchemy.select(newest, *(func.coalesce(measure.scalar_subquery(), 0) for measure in measures))


async def hold(session: AsyncSession, statement: Executable, **values: Any) -> tuple[Allowance, list[int]]:
    """What the person with this `user_id` may have, and what a statement of `measuring` says there is.

    Whoever else asks for the same person waits until this transaction ends. Whoever locks a course too does so before:
    all take them in this order. Nothing may have been read in this transaction without a lock, or MySQL counts what
    there was then.
    """
    connection = await session.connection()
    await connection.execute(HELD, values)
    plan, *found = (await connection.execute(statement, values)).one()
    return table()[Plan(plan or Plan.FREE)], [int(number) for number in found]


async def admit(session: AsyncSession, owner_id: str, *, courses: int = 0, scenes: int = 0) -> None:
    """Refuse courses and scenes beyond the owner's plan. Raises ProblemError 409."""
    allowance, (had, held) = await hold(session, KEPT, user_id=owner_id)
    if courses:
        allowance.check("courses", had + courses)
    if scenes:
        allowance.check("scenes", held + scenes)


HELD = select(User.id).where(col(User.id) == bindparam("user_id")).with_for_update()
MINE = col(Project.owner_id) == bindparam("user_id")
KEPT = measuring(select(func.count()).where(MINE), select(func.sum(Project.scene_count)).where(MINE))
