"""What does a run say, and does it hold? Pure: seconds as the generator wrote them in, figures and checks out."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from loadtests import arrivals, histogram
from loadtests.plans import Profile, Thresholds

LIMITED, AWAY = "429", "503"
LOGIN, CANCEL = "POST /sessions", "POST /videos/{id}/cancel"
WINDOW = 10  # seconds of a rate limit's window, whose slots begin at whole multiples of it since the epoch
SATURATED_SHARE = 0.9  # of one core: one locust process cannot use more
SATURATED_MS = 50.0  # lateness at the 95th percentile above which the generator's figures are its own
Histogram = dict[int, int]


@dataclass
class Second:
    """Answers of one second, in milliseconds. latency: since due; service: since sent; late: sent after due.

    late: of requests for which a connection was free; queued: how many had to wait for one.
    """

    second: int
    wall: float
    latency: dict[str, Histogram]
    service: Histogram
    late: Histogram
    queued: int
    outcomes: dict[str, dict[str, int]]

    @classmethod
    def read(cls, row: Mapping[str, Any]) -> "Second":
        """From the generator's line: JSON has turned the buckets into words."""
        return cls(
            row["second"],
            row["wall"],
            {kind: _numbers(counts) for kind, counts in row["latency"].items()},
            _numbers(row["service"]),
            _numbers(row["late"]),
            row["queued"],
            row["outcomes"],
        )

    @property
    def answers(self) -> int:
        """Of any kind."""
        return sum(self.service.values())


def _numbers(counts: Mapping[str, int]) -> Histogram:
    return {int(key): value for key, value in counts.items()}


@dataclass(frozen=True)
class Kind:
    """One kind of request: how often, how long."""

    name: str
    count: int
    p50: float
    p95: float
    p99: float
    outcomes: dict[str, int]


@dataclass
class Summary:
    """The judged part of a run: without its warm-up."""

    seconds: float = 0
    offered: float = 0
    answered: int = 0  # rightly
    limited: int = 0
    sent_away: int = 0  # logins beyond the share of CPU that hashing may use
    errors: dict[str, int] = field(default_factory=dict)
    p50: float = 0
    p95: float = 0
    p99: float = 0
    service_p95: float = 0
    late_p95: float = 0
    queued: int = 0
    kinds: list[Kind] = field(default_factory=list)
    allowed_in_window: float | None = None  # right answers of a full window, all people together

    @property
    def rate(self) -> float:
        """Right answers per second."""
        return self.answered / self.seconds if self.seconds else 0.0

    @property
    def offered_rate(self) -> float:
        """Requests per second that the plan made."""
        return self.offered / self.seconds if self.seconds else 0.0

    @property
    def total(self) -> int:
        """All answers, failures included."""
        return self.answered + self.limited + self.sent_away + sum(self.errors.values())

    @property
    def error_percent(self) -> float:
        """Share of answers that were neither right, nor 429, nor logins sent away."""
        return 100 * sum(self.errors.values()) / self.total if self.total else 100.0

    @property
    def limited_percent(self) -> float:
        """Share of answers 429."""
        return 100 * self.limited / self.total if self.total else 0.0

    @property
    def achieved(self) -> float:
        """Answers of any kind against requests offered."""
        return self.total / self.offered if self.offered else 0.0


@dataclass(frozen=True)
class Check:
    """One threshold: what was wanted, what was seen."""

    name: str
    wanted: str
    seen: str
    holds: bool


def verdict(kind: str, outcome: str) -> str:
    """What an answer counts as: right, limited, away or error."""
    if outcome.startswith("2") or (kind == CANCEL and outcome == "409"):  # a worker was faster: nothing to cancel
        return "right"
    if outcome == LIMITED:
        return "limited"
    return "away" if kind == LOGIN and outcome == AWAY else "error"


def summarise(seconds: Sequence[Second], profile: Profile) -> Summary:
    """The figures of a run.

    What comes after the end was due before it: it is too late for the rate, but its latency and its errors count.
    """
    told = [row for row in seconds if row.second >= profile.warm_up]
    judged = [row for row in told if row.second < profile.seconds]
    begin = judged[0].second if judged else 0
    summary = Summary(seconds=len(judged), offered=arrivals.offered(profile.stages, begin, begin + len(judged)))
    if profile.model == "closed":
        summary.offered = sum(row.answers for row in judged)
    counts: Counter[str] = Counter()
    errors: Counter[str] = Counter()
    by_kind: dict[str, tuple[list[Histogram], Counter[str]]] = {}
    for row in told:
        for kind, outcomes in row.outcomes.items():
            histograms, seen = by_kind.setdefault(kind, ([], Counter()))
            histograms.append(row.latency[kind])
            for outcome, times in outcomes.items():
                seen[outcome] += times
                if (meaning := verdict(kind, outcome)) == "error":
                    errors[f"{kind}: {outcome}"] += times
                elif row.second < profile.seconds:
                    counts[meaning] += times
    summary.answered, summary.limited, summary.sent_away = counts["right"], counts["limited"], counts["away"]
    summary.errors = dict(errors.most_common())
    # Logins wait for their share of CPU on purpose: they are told apart, and what others feel is judged.
    others = {kind: rows for kind, rows in by_kind.items() if kind != LOGIN} or by_kind
    latency = histogram.merged(*(h for histograms, _ in others.values() for h in histograms))
    summary.p50, summary.p95, summary.p99 = (histogram.percentile(latency, share) for share in (0.5, 0.95, 0.99))
    summary.service_p95 = histogram.percentile(histogram.merged(*(row.service for row in told)), 0.95)
    summary.late_p95 = histogram.percentile(histogram.merged(*(row.late for row in told)), 0.95)
    summary.queued = sum(row.queued for row in told)
    for name, (histograms, seen) in sorted(by_kind.items()):
        merged = histogram.merged(*histograms)
        p50, p95, p99 = (histogram.percentile(merged, share) for share in (0.5, 0.95, 0.99))
        summary.kinds.append(Kind(name, sum(merged.values()), p50, p95, p99, dict(seen.most_common())))
    summary.allowed_in_window = allowed_in_window(judged)
    return summary


def allowed_in_window(seconds: Iterable[Second]) -> float | None:
    """Right answers per full window of the limiter, on average; None when no full window was seen.

    The generator's seconds begin with the clock's, as the windows do.
    """
    windows: dict[int, list[int]] = {}
    for row in seconds:
        right = sum(n for k, o in row.outcomes.items() for outcome, n in o.items() if verdict(k, outcome) == "right")
        windows.setdefault(int(row.wall // WINDOW), []).append(right)
    full = [sum(counts) for counts in windows.values() if len(counts) == WINDOW]
    return sum(full) / len(full) if full else None


def judge(summary: Summary, thresholds: Thresholds, configured_window: float) -> list[Check]:
    """Every threshold that is set. configured_window: requests that the limiter may allow in a window, all together."""
    checks = []
    if (most := thresholds.p95_ms) is not None:
        checks.append(Check("P95", f"< {most:g} ms", f"{summary.p95:.1f} ms", summary.p95 < most))
    if (percent := thresholds.error_percent) is not None:
        seen = f"{summary.error_percent:.2f} %"
        checks.append(Check("errors", f"< {percent:g} %", seen, summary.error_percent < percent))
    if (least := thresholds.requests_per_second) is not None:
        checks.append(Check("requests/s", f"> {least:g}", f"{summary.rate:.0f}", summary.rate > least))
    if (share := thresholds.achieved) is not None:
        seen = f"{summary.achieved:.3f}"
        checks.append(Check("answered of offered", f">= {share:g}", seen, summary.achieved >= share))
    if (percent := thresholds.limited_percent) is not None:
        seen = f"{summary.limited_percent:.2f} %"
        checks.append(Check("answered 429", f"<= {percent:g} %", seen, summary.limited_percent <= percent))
    if (percent := thresholds.limit_error_percent) is not None:
        allowed = summary.allowed_in_window
        off = abs(allowed / configured_window - 1) * 100 if allowed is not None and configured_window else 100.0
        wanted = f"{configured_window:.0f} a window, within {percent:g} %"
        seen = "no full window" if allowed is None else f"{allowed:.0f} ({off:.2f} % off)"
        checks.append(Check("allowed by the limiter", wanted, seen, off <= percent))
    return checks


def saturated(summary: Summary, generator_share: float) -> str:
    """Why the figures are partly the generator's own; empty when they are the service's.

    generator_share: CPU of the generator, of one core.
    """
    if generator_share >= SATURATED_SHARE:
        return f"it used {generator_share:.0%} of one core"
    if summary.late_p95 >= SATURATED_MS:
        return f"5 % of its requests were sent {summary.late_p95:.0f} ms late or more, though a connection was free"
    return ""
