"""What do requests and answers about plans look like?"""

from datetime import datetime
from typing import Annotated, Self

from pydantic import Field, computed_field, model_validator

from service.http.pages import Body, Public
from service.plans.allowances import Allowance, table
from service.plans.models import Plan

Cents = Annotated[int, Field(ge=0, le=1_000_000, strict=True, description="US cents a month; 0 for `free` alone")]


class PlanChoice(Body):
    """The plan an account shall be on from now."""

    plan: Plan = Field(examples=["professional"])
    price_cents: Cents = Field(examples=[4900])

    @model_validator(mode="after")
    def _free_costs_nothing(self) -> Self:
        if (self.plan is Plan.FREE) != (self.price_cents == 0):
            raise ValueError("price_cents is 0 on the plan 'free', and on no other")
        return self


class PlanPublic(Public):
    """The plan an account is on."""

    plan: Plan = Field(examples=["professional"])
    price_cents: int = Field(examples=[4900])
    since: datetime = Field(examples=["2026-01-01T12:00:00Z"])
    version: int = Field(description="0 until a plan was set", examples=[1])

    @computed_field  # type: ignore[prop-decorator]
    @property
    def allowance(self) -> Allowance:
        """What the plan includes."""
        return table()[self.plan]
