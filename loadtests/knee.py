"""Where is the knee? Pure: which arrival rate to try next, from what the steps before have shown."""

from collections.abc import Sequence
from dataclasses import dataclass

from loadtests.plans import Knee


@dataclass(frozen=True)
class Step:
    """One rate that was tried, in arrivals per second, and whether the thresholds held."""

    rate: float
    holds: bool


def following(steps: Sequence[Step], search: Knee) -> float | None:
    """The next rate to try; None when the knee is known to the wanted precision or steps are used up.

    Upwards by a factor until a step fails, downwards by it when the first did, then the middle of what is left.
    """
    if len(steps) >= search.most_steps:
        return None
    good, bad = bounds(steps)
    if bad is None:
        return search.first if good is None else good * search.factor
    if good is None:
        return bad / search.factor
    return (good + bad) / 2 if bad - good > search.precision * good else None


def bounds(steps: Sequence[Step]) -> tuple[float | None, float | None]:
    """The highest rate that held and the lowest above it that did not; None where there is none yet.

    One failure below a success was a disturbance: the higher success counts.
    """
    good = max((step.rate for step in steps if step.holds), default=None)
    bad = min((step.rate for step in steps if not step.holds and (good is None or step.rate > good)), default=None)
    return good, bad
