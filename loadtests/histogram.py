"""How long did things take, in a few numbers? Counts in buckets 2 % wide, so that millions of values fit a line."""

import math
from collections.abc import Mapping

WIDTH = math.log(1.02)
SMALLEST = 0.01  # milliseconds: everything below is one bucket


def bucket(milliseconds: float) -> int:
    """The bucket of a value; buckets are ordered as values are."""
    return 0 if milliseconds <= SMALLEST else 1 + int(math.log(milliseconds / SMALLEST) / WIDTH)


def value(number: int) -> float:
    """Milliseconds in the middle of a bucket: within 1 % of everything in it."""
    return SMALLEST if number == 0 else SMALLEST * math.exp((number - 0.5) * WIDTH)


def merged(*histograms: Mapping[int, int]) -> dict[int, int]:
    """All counts together."""
    total: dict[int, int] = {}
    for histogram in histograms:
        for number, times in histogram.items():
            total[number] = total.get(number, 0) + times
    return total


def percentile(histogram: Mapping[int, int], share: float) -> float:
    """Milliseconds below which this share of the values lies; 0 when there are none."""
    needed, seen = share * sum(histogram.values()), 0
    for number in sorted(histogram):
        seen += histogram[number]
        if seen >= needed:
            return value(number)
    return 0.0


def mean(histogram: Mapping[int, int]) -> float:
    """Milliseconds on average; 0 when there are none."""
    times = sum(histogram.values())
    return sum(value(number) * n for number, n in histogram.items()) / times if times else 0.0


def from_cumulative(counts: Mapping[float, float]) -> list[tuple[float, float]]:
    """A Prometheus histogram (upper bound -> cumulative count) as (upper bound, count of its bucket), ascending."""
    rows, before = [], 0.0
    for bound in sorted(counts):
        rows.append((bound, max(counts[bound] - before, 0.0)))
        before = max(counts[bound], before)
    return rows


def quantile(counts: Mapping[float, float], share: float) -> float:
    """What histogram_quantile says of cumulative counts: linear inside the bucket, the last finite bound beyond it."""
    rows = from_cumulative(counts)
    needed, seen, lower = share * sum(n for _, n in rows), 0.0, 0.0
    for bound, n in rows:
        if n and seen + n >= needed:
            return lower if math.isinf(bound) else lower + (bound - lower) * (needed - seen) / n
        seen, lower = seen + n, bound
    return 0.0
