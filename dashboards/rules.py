"""What do Prometheus' rule files say? Recording rules and alerts, a file for each area."""

from collections.abc import Iterator, Sequence

from pydantic import Field

from dashboards.alerts import Alert, Area, alerts
from dashboards.boards.index import link
from dashboards.burn_rates import WINDOWS, BurnWindow, duration, spent, threshold
from dashboards.documents import dump
from dashboards.metrics import Model
from dashboards.objectives import OBJECTIVES, WINDOW, Objective

BASE = 300  # seconds: the rate that everything longer than an hour is made of
RECORDED = tuple(sorted({seconds for window in WINDOWS for seconds in (window.long, window.short)}))
RAW = 3600  # seconds: up to here ratios are made of raw counters, above of recorded rates, which costs a hundredth
INTERVAL = "30s"  # as often as the scraper scrapes
RUNBOOKS = "docs/runbooks"
PANELS: dict[Area, str] = {  # what shows more of an area, by the panel's name
    "objective": "burn_rate",
    "api": "errors",
    "pods": "pods_ready",
    "resources": "pod_memory",
    "database": "database_latency",
    "cache": "cache_failures",
    "providers": "provider_calls",
    "videos": "queue_age",
    "platform": "nodes",
    "watching": "targets",
}


class Rule(Model):
    """A recording rule, or an alert: exactly one of `record` and `alert` is set. `wait` is written as `for`."""

    record: str | None = None
    alert: str | None = None
    expr: str
    wait: str | None = Field(default=None, serialization_alias="for")
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)


class Group(Model):
    """Rules that are evaluated one after another, every `interval`."""

    name: str
    interval: str
    rules: tuple[Rule, ...]


def recordings(objective: Objective) -> Iterator[Rule]:
    """The series that alerts and the error-budget dashboard read."""
    labels = {"slo": objective.name}
    mine = f'{{slo="{objective.name}"}}'

    def over(window: int, expression: str) -> str:
        return expression.replace(WINDOW, duration(window))

    def record(series: str, expression: str) -> Rule:
        return Rule(record=series, expr=expression, labels=labels)

    def rates(window: int) -> tuple[str, str]:
        """Bad events and events; a counter that never counted is no series, which means none were bad."""
        events = over(window, objective.events)
        return f"({over(window, objective.bad)} or 0 * {events})", f"({events} > 0)"

    yield record("slo:bad:rate5m", rates(BASE)[0])
    yield record("slo:events:rate5m", over(BASE, objective.events))
    for window in (*RECORDED, objective.period_days * 86400):
        name = duration(window)
        if window == BASE:
            bad, events = f"slo:bad:rate5m{mine}", f"(slo:events:rate5m{mine} > 0)"
        elif window <= RAW:
            bad, events = rates(window)
        else:  # weighted by requests, unlike an average of ratios
            bad = f"sum_over_time(slo:bad:rate5m{mine}[{name}])"
            events = f"(sum_over_time(slo:events:rate5m{mine}[{name}]) > 0)"
        yield record(f"slo:error_ratio:rate{name}", f"{bad} / {events}")
    period = duration(objective.period_days * 86400)
    yield record("slo:objective:ratio", f"vector({objective.target})")
    yield record("slo:burn_rate:rate1h", f"slo:error_ratio:rate1h{mine} / {objective.budget}")
    remaining = f"1 - slo:error_ratio:rate{period}{mine} / {objective.budget}"
    yield record("slo:error_budget_remaining:ratio", remaining)


def burn_alert(objective: Objective, window: BurnWindow) -> Alert:
    """One alert of one objective."""
    wrong = threshold(window.factor, objective.budget)
    long, short = duration(window.long), duration(window.short)
    mine = f'{{slo="{objective.name}"}}'
    base = duration(BASE)  # rates of five minutes, every five minutes: their sum is the number of events
    enough = f"sum_over_time(slo:events:rate5m{mine}[{long}:{base}]) * {BASE} >= {objective.least}"
    part = spent(window.factor, window.long, objective.period_days)
    return Alert(
        name=f"{objective.name.capitalize()}BudgetBurn",
        area="objective",
        severity=window.severity,
        wait=duration(window.wait),
        expression=(
            f"slo:error_ratio:rate{long}{mine} > {wrong.normalize():f}\n"
            f"and slo:error_ratio:rate{short}{mine} > {wrong.normalize():f}\n"
            f"and {enough}"
        ),
        summary=f"{{{{ $value | humanizePercentage }}}} of events miss the objective {objective.name}",
        description=f"{objective.title}: over {long}, and still over the last {short}, the error budget of"
        f" {objective.period_days} days burns at more than {window.factor} times its rate;"
        f" {part:.0%} of it is gone in {long}",
        labels={"slo": objective.name, "long": long, "short": short},
    )


def rule(alert: Alert) -> Rule:
    """The alert as Prometheus reads it."""
    return Rule(
        alert=alert.name,
        expr=alert.expression.strip(),
        wait=alert.wait,
        labels={"severity": alert.severity, "area": alert.area, **alert.labels},
        annotations={
            "summary": alert.summary,
            "description": alert.description,
            "runbook": f"{RUNBOOKS}/{alert.name}.md",
            "dashboard": link(alert.panel or PANELS[alert.area]),
        },
    )


def every_alert(support_ends: int | None = None) -> tuple[Alert, ...]:
    """The objectives' alerts, then the others. support_ends: instead of the day that the stacks know."""
    burning = (burn_alert(objective, window) for objective in OBJECTIVES for window in WINDOWS)
    return (*burning, *alerts(ends=support_ends))


def groups(support_ends: int | None = None) -> dict[str, tuple[Group, ...]]:
    """Groups of rules by the name of their file. support_ends: as in `every_alert`."""
    recording = [
        Group(name=f"{objective.name}-recording", interval=INTERVAL, rules=tuple(recordings(objective)))
        for objective in OBJECTIVES
    ]
    by_area: dict[Area, list[Rule]] = {}
    for alert in every_alert(support_ends):
        by_area.setdefault(alert.area, []).append(rule(alert))
    alerting = {area: Group(name=area, interval=INTERVAL, rules=tuple(rules)) for area, rules in by_area.items()}
    objective = (*recording, alerting.pop("objective"))
    return {"objective": objective, **{area: (group,) for area, group in alerting.items()}}


def as_yaml(found: Sequence[Group]) -> str:
    """A rule file's text."""
    return dump({"groups": [group.model_dump(mode="json", by_alias=True, exclude_defaults=True) for group in found]})


def files(support_ends: int | None = None) -> Iterator[tuple[str, str]]:
    """Every rule file with its path. support_ends: as in `every_alert`."""
    for name, found in groups(support_ends).items():
        yield f"rules/{name}.yaml", as_yaml(found)
