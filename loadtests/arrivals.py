"""When does each request come? Pure: an open model's arrivals do not wait for answers."""

import math
from collections.abc import Iterator, Sequence
from itertools import count

from loadtests.plans import Stage


def times(stages: Sequence[Stage], share: float) -> Iterator[float]:
    """Seconds from the start of each arrival of a group that makes `share` of all, evenly spaced, ramps included.

    The n-th arrival comes when n + 1/2 were due, so groups of equal share keep their distance from the edges.
    """
    start, before = 0.0, 0.0
    numbers = count()
    number = next(numbers)
    for stage in stages:
        arrivals = stage.arrivals * share
        while number + 0.5 <= before + arrivals:
            yield start + _moment(stage, (number + 0.5 - before) / share)
            number = next(numbers)
        start, before = start + stage.seconds, before + arrivals


def offered(stages: Sequence[Stage], begin: float, end: float) -> float:
    """How many requests come between two moments, in seconds from the start."""
    total, start = 0.0, 0.0
    for stage in stages:
        low, high = (min(max(at - start, 0.0), stage.seconds) for at in (begin, end))
        total += _until(stage, high) - _until(stage, low)
        start += stage.seconds
    return total


def rate(stages: Sequence[Stage], at: float) -> float:
    """Arrivals per second at a moment; 0 after the end."""
    for stage in stages:
        if at < stage.seconds:
            return stage.rate + (stage.end - stage.rate) * at / stage.seconds
        at -= stage.seconds
    return 0.0


def _until(stage: Stage, seconds: float) -> float:
    return stage.rate * seconds + (stage.end - stage.rate) / stage.seconds * seconds**2 / 2


def _moment(stage: Stage, arrivals: float) -> float:
    """The inverse of `_until`: the quadratic's root in the form that stays exact when the rate hardly changes."""
    growth = (stage.end - stage.rate) / stage.seconds
    root = math.sqrt(max(stage.rate**2 + 2 * growth * arrivals, 0.0))
    return min(2 * arrivals / (stage.rate + root), stage.seconds)
