"""How is it stored which plan an account was on, when and at what price?"""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index
from sqlmodel import Field

from service.data.columns import TABLE, Identified, Key, Moment, now


class Plan(StrEnum):
    """What an account may be on; the price is agreed with each customer and stored with it."""

    FREE = "free"
    BASIC = "basic"
    PROFESSIONAL = "professional"
    SCHOOL = "school"


class PlanPeriod(Identified, table=True):
    """A time on one plan at one price. The current one is open; an account without any has always been on `free`."""

    __tablename__ = "plan_period"
    __table_args__ = (
        Index("ix_plan_period_user_id", "user_id", "version"),
        Index("ix_plan_period_until", "until", "plan", "price_cents"),
        TABLE,
    )
    user_id: str = Field(sa_type=Key, sa_column_args=(ForeignKey("user.id", ondelete="CASCADE"),))
    plan: str = Field(max_length=20)
    price_cents: int = Field(description="US cents a month")
    version: int = Field(description="1 for the account's first, one more for each that follows")
    since: datetime = Field(default_factory=now, sa_type=Moment)
    until: datetime | None = Field(default=None, sa_type=Moment)
