"""How fast may an error budget burn before somebody is told? Windows and arithmetic, without any PromQL.

A burn rate of 1 uses up the budget exactly at the end of the period. Windows and factors: Google, "The Site Reliability
Workbook", chapter 5, "Multiwindow, Multi-Burn-Rate Alerts", table 5-8.
"""

from decimal import Decimal
from typing import Literal

from pydantic import Field, model_validator

from dashboards.metrics import Model

HOUR = 3600
DAY = 24 * HOUR

Severity = Literal["page", "ticket"]


class BurnWindow(Model):
    """One alert: told when `factor` is exceeded over both windows; the short one makes it end soon after repair.

    long, short, wait: seconds.
    """

    severity: Severity
    factor: Decimal = Field(gt=0)
    long: int = Field(gt=0)
    short: int = Field(gt=0)
    wait: int = Field(ge=0)

    @model_validator(mode="after")
    def _ordered(self) -> "BurnWindow":
        if self.short >= self.long:
            raise ValueError("short: seconds, fewer than long")
        return self


WINDOWS = (
    BurnWindow(severity="page", factor=Decimal("14.4"), long=HOUR, short=300, wait=120),
    BurnWindow(severity="page", factor=Decimal(6), long=6 * HOUR, short=1800, wait=300),
    BurnWindow(severity="ticket", factor=Decimal(3), long=DAY, short=2 * HOUR, wait=900),
    BurnWindow(severity="ticket", factor=Decimal(1), long=3 * DAY, short=6 * HOUR, wait=1800),
)


def threshold(factor: Decimal, budget: Decimal) -> Decimal:
    """The share of bad events at which the budget burns `factor` times as fast as it may.

    Raises ValueError where no share of events, not even all, burns as fast: the alert would be silent for ever.
    """
    ratio = factor * budget
    if ratio >= 1:
        raise ValueError(f"a burn rate of {factor} is never reached with a budget of {budget}: lower one of them")
    return ratio


def burn_rate(ratio: Decimal, budget: Decimal) -> Decimal:
    """How many times as fast as it may the budget burns while `ratio` of the events are bad."""
    return ratio / budget


def spent(factor: Decimal, seconds: int, period_days: int) -> Decimal:
    """Share of a period's budget that is gone after so many seconds at this burn rate."""
    return factor * seconds / (period_days * DAY)


def exhausted_after(factor: Decimal, period_days: int) -> Decimal:
    """Seconds until a whole budget is gone at this burn rate."""
    return Decimal(period_days * DAY) / factor


def told_after(window: BurnWindow, ratio: Decimal, budget: Decimal) -> Decimal | None:
    """Seconds from the first of constant errors, after none, until the alert fires; None when it never does.

    A window of length L that has seen errors for t seconds shows ratio * t / L.
    """
    wrong = threshold(window.factor, budget)
    if ratio <= wrong:
        return None
    return wrong / ratio * window.long + window.wait


def duration(seconds: int) -> str:
    """Seconds as Prometheus writes them, in the largest whole unit: 21600 is 6h."""
    for unit, size in (("d", DAY), ("h", HOUR), ("m", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
