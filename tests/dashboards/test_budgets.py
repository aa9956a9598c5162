"""Are burning error budgets told when the arithmetic says so, and no longer than they burn? Tried by promtool."""

import math
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from dashboards import rules
from dashboards.burn_rates import WINDOWS, BurnWindow, duration, threshold, told_after
from dashboards.objectives import OBJECTIVES, Objective
from tests.dashboards import promtool

EVENTS = 6000  # a minute
SMOOTHING = 6  # minutes by which recorded rates of five minutes, and evaluation every minute, may come later
BUCKET = 'http_request_duration_seconds_bucket{component="api", route="/a", le="0.2"}'
REQUESTS = "http_requests_total{component='api', status='%s', route='/a'}"


def series(objective: Objective, phases: list[tuple[int, Decimal]]) -> Mapping[str, str]:
    """Counters of bad events, and good ones or all of them. phases: minutes, and the share of events that are bad."""
    bad, good, every = (
        _counter(phases, lambda r: r),
        _counter(phases, lambda r: 1 - r),
        _counter(phases, lambda r: Decimal(1)),
    )
    return {
        "availability": {REQUESTS % "5xx": bad, REQUESTS % "2xx": good},
        "latency": {BUCKET: good, 'http_request_duration_seconds_count{component="api", route="/a"}': every},
        "videos": {'video_jobs_total{outcome="dead"}': bad, 'video_jobs_total{outcome="done"}': good},
    }[objective.name]


def _counter(phases: list[tuple[int, Decimal]], share: Any) -> str:
    parts, value = ["0"], 0
    for minutes, ratio in phases:
        step = int(share(ratio) * EVENTS)
        parts.append(f"{value + step}+{step}x{minutes - 1}")
        value += step * minutes
    return " ".join(parts)


def told(objective: Objective, window: BurnWindow, minute: int, *, yes: bool) -> dict[str, Any]:
    """Expect this window's alert to fire or not."""
    name = f"{objective.name.capitalize()}BudgetBurn"
    query = f'count(ALERTS{{alertname="{name}", alertstate="firing", long="{duration(window.long)}"}}) or vector(0)'
    return {"expr": query, "eval_time": f"{minute}m", "exp_samples": [{"labels": "{}", "value": int(yes)}]}


def recorded(objective: Objective, phases: list[tuple[int, Decimal]], step: int) -> Mapping[str, str]:
    """The recorded rates instead, a value every `step` minutes: a twentieth of the work where windows are days."""
    bad = " ".join(f"{ratio * EVENTS}x{minutes // step - 1}" for minutes, ratio in phases)
    events = f"{EVENTS}x{sum(minutes for minutes, _ in phases) // step}"
    return {
        f"slo:{name}:rate5m{{slo='{objective.name}'}}": values for name, values in (("bad", bad), ("events", events))
    }


def group(objective: Objective, *windows: int, record: bool = True) -> list[tuple[str, str]]:
    """The rules of one objective only, and if windows are given, of them. record: with the rates of five minutes."""
    recording, alerting = (
        next(g for g in rules.groups()["objective"] if g.name == f"{objective.name}-recording"),
        next(g for g in rules.groups()["objective"] if g.name == "objective"),
    )
    mine = tuple(rule for rule in alerting.rules if rule.labels["slo"] == objective.name)
    if windows:
        wanted = {f"slo:error_ratio:rate{duration(window)}" for window in windows}
        wanted |= {"slo:bad:rate5m", "slo:events:rate5m"} if record else set()
        recording = recording.model_copy(update={"rules": tuple(r for r in recording.rules if r.record in wanted)})
        mine = tuple(rule for rule in mine if rule.labels["long"] == duration(windows[0]))
    return [("objective.yaml", rules.as_yaml([recording, alerting.model_copy(update={"rules": mine})]))]


PAGES = [window for window in WINDOWS if window.severity == "page"]
TICKETS = [window for window in WINDOWS if window.severity == "ticket"]
TRIED = [(objective, window) for objective in OBJECTIVES for window in WINDOWS]


@pytest.mark.parametrize(("objective", "window"), TRIED, ids=lambda x: getattr(x, "name", "") or duration(x.long))
def test_told_when_the_arithmetic_says_and_over_soon_after_repair(
    objective: Objective, window: BurnWindow, tmp_path: Path
) -> None:
    ratio = min(Decimal(1), threshold(window.factor, objective.budget) * 3)
    after = told_after(window, ratio, objective.budget)
    assert after is not None
    step = 5 if window in TICKETS else 1  # minutes between values
    late = SMOOTHING + step
    history, earliest = window.long // 60, math.floor(after / 60)
    bad = (earliest + late) // step * step + 10
    over = history + bad + window.short // 60 + late
    phases = [(history, Decimal(0)), (bad, ratio), (window.short // 60 + 60, Decimal(0))]
    expected = [told(objective, window, minute, yes=False) for minute in (history, history + earliest - step)]
    expected += [
        told(objective, window, minute, yes=True) for minute in range(history + earliest + late, history + bad)
    ]
    expected += [told(objective, window, minute, yes=False) for minute in (over, over + 10)]
    found = group(objective, window.long, window.short, record=window not in TICKETS)
    measured = recorded(objective, phases, step) if window in TICKETS else series(objective, phases)
    promtool.check(tmp_path, found, f"{step}m", measured, promql_expr_test=expected)


@pytest.mark.parametrize("objective", OBJECTIVES, ids=lambda objective: objective.name)
def test_within_the_budget_nobody_is_told_and_what_is_left_is_known(objective: Objective, tmp_path: Path) -> None:
    """Errors at half of what may be, all the time."""
    expected = [told(objective, window, minute, yes=False) for window in WINDOWS for minute in range(0, 360, 30)]
    left = f'round(slo:error_budget_remaining:ratio{{slo="{objective.name}"}}, 0.01)'
    value = [{"labels": f'{{slo="{objective.name}"}}', "value": 0.5}]
    expected.append({"expr": left, "eval_time": "6h", "exp_samples": value})
    promtool.check(
        tmp_path, group(objective), "1m", series(objective, [(360, objective.budget / 2)]), promql_expr_test=expected
    )


@pytest.mark.parametrize("objective", OBJECTIVES, ids=lambda objective: objective.name)
def test_a_single_bad_event_among_few_is_not_told(objective: Objective, tmp_path: Path) -> None:
    """`least` events are needed: at night one request of ten must not wake anybody."""
    few = objective.least // 4
    phases = {name: f"0x30 {few}x90" if "0.2" not in name else "0x120" for name in series(objective, [(1, Decimal(1))])}
    expected = [told(objective, window, minute, yes=False) for window in PAGES for minute in range(30, 120, 2)]
    promtool.check(tmp_path, group(objective), "1m", phases, promql_expr_test=expected)


def test_without_any_error_series_the_ratio_is_zero_not_unknown(tmp_path: Path) -> None:
    expected = {
        "expr": 'slo:error_ratio:rate1h{slo="availability"}',
        "eval_time": "90m",
        "exp_samples": [{"labels": 'slo:error_ratio:rate1h{slo="availability"}', "value": 0}],
    }
    only = {REQUESTS % "2xx": "0+100x120"}
    promtool.check(tmp_path, group(OBJECTIVES[0]), "1m", only, promql_expr_test=[expected])
