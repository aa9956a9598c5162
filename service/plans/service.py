"""What are the rules of plans? Periods follow each other without a gap; what a change means for revenue is counted."""

from sqlalchemy import delete
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from service.data.columns import now
from service.http.dependencies import UnitOfWork, check_version
from service.http.errors import ProblemError
from service.plans.models import Plan, PlanPeriod
from service.plans.schemas import PlanChoice, PlanPublic
from service.telemetry.metrics import Metrics
from service.users.models import User

FREE = PlanChoice(plan=Plan.FREE, price_cents=0)


def kind_of(before: int, after: int, *, ever_paid: bool) -> str:
    """What a change between two monthly prices in US cents means: the label `change` of `plan_changes_total`."""
    if before == 0 and after > 0:
        return "return" if ever_paid else "conversion"
    if after == 0:
        return "churn"
    return "exchange" if before == after else "upgrade" if after > before else "downgrade"


async def current(session: AsyncSession, user_id: str) -> PlanPeriod | None:
    """The open period, None for an account that never had any."""
    newest = select(PlanPeriod).where(PlanPeriod.user_id == user_id).order_by(col(PlanPeriod.version).desc()).limit(1)
    return (await session.exec(newest)).first()


def shown(user: User, period: PlanPeriod | None) -> PlanPublic:
    """The plan as the API tells it."""
    if period is None:
        return PlanPublic(plan=Plan.FREE, price_cents=0, since=user.created_at, version=0)
    return PlanPublic.model_validate(period)


async def put(work: UnitOfWork, user_id: str, choice: PlanChoice, expected: int) -> PlanPublic:
    """Set the plan; setting what is set already changes nothing, so that a repetition is safe.

    Raises ProblemError 404 for nobody, 409 for a closed account, 412 when the plan was changed meanwhile.
    """
    user = await work.session.get(User, user_id, with_for_update=True)  # one change of an account at a time
    if user is None:
        raise ProblemError(404, "no such user")
    if not user.active:
        raise ProblemError(409, "the account is closed")
    period = await current(work.session, user_id)
    before = shown(user, period)
    if (before.plan, before.price_cents) == (choice.plan, choice.price_cents):
        return before
    check_version(expected, before.version)
    return shown(user, await _follow(work, user_id, period, choice))


async def end(work: UnitOfWork, user_id: str) -> None:
    """Put an account that is being closed on the free plan."""
    period = await current(work.session, user_id)
    if period is not None and period.price_cents:
        await _follow(work, user_id, period, FREE)


async def _follow(work: UnitOfWork, user_id: str, period: PlanPeriod | None, choice: PlanChoice) -> PlanPeriod:
    session, moment = work.session, now()
    paid = select(PlanPeriod.id).where(PlanPeriod.user_id == user_id, col(PlanPeriod.price_cents) > 0).limit(1)
    ever_paid = (await session.exec(paid)).first() is not None
    kind = kind_of(period.price_cents if period else 0, choice.price_cents, ever_paid=ever_paid)
    if period is not None:
        period.until = moment
    version = period.version + 1 if period else 1
    following = PlanPeriod(user_id=user_id, version=version, since=moment, **choice.model_dump(mode="json"))
    session.add(following)
    work.record("plan.changed", user_id, change=kind)
    work.count("plan_changes_total", change=kind, plan=choice.plan.value)
    return following


async def forget(session: AsyncSession, metrics: Metrics, user_id: str) -> None:
    """Delete the periods of an account that is being erased."""
    period = await current(session, user_id)
    if period is not None and period.price_cents:
        metrics.count("plan_changes_total", change="churn", plan=Plan.FREE.value)
    await session.exec(delete(PlanPeriod).where(col(PlanPeriod.user_id) == user_id))
