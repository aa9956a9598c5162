"""Is the arithmetic of error budgets right?"""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from dashboards import burn_rates
from dashboards.burn_rates import DAY, HOUR, WINDOWS, BurnWindow
from dashboards.objectives import OBJECTIVES

budgets = st.decimals("0.0001", "0.2", places=4)
ratios = st.decimals("0.0001", "1", places=4)
factors = st.decimals("0.1", "20", places=2)
periods = st.integers(1, 90)


@given(ratios, budgets)
def test_burning_at_that_rate_for_that_long_spends_the_whole_budget(ratio: Decimal, budget: Decimal) -> None:
    """What is bad until exhaustion is what was allowed for the period."""
    rate = burn_rates.burn_rate(ratio, budget)
    assert abs(burn_rates.exhausted_after(rate, 30) * ratio - budget * 30 * DAY) < Decimal("0.001")


@given(factors, periods)
def test_a_budget_is_spent_when_it_is_exhausted(factor: Decimal, days: int) -> None:
    seconds = burn_rates.exhausted_after(factor, days)
    assert abs(burn_rates.spent(factor, int(seconds), days) - 1) < factor / days / DAY


@given(factors, budgets)
def test_threshold_is_a_share_that_can_be_exceeded(factor: Decimal, budget: Decimal) -> None:
    if factor * budget >= 1:
        with pytest.raises(ValueError, match="never reached"):
            burn_rates.threshold(factor, budget)
    else:
        assert 0 < burn_rates.threshold(factor, budget) < 1


@given(st.sampled_from(WINDOWS), ratios, ratios, st.sampled_from([objective.budget for objective in OBJECTIVES]))
def test_more_errors_are_told_sooner(window: BurnWindow, some: Decimal, more: Decimal, budget: Decimal) -> None:
    some, more = sorted((some, more))
    later, sooner = (burn_rates.told_after(window, ratio, budget) for ratio in (some, more))
    assert later is None or (sooner is not None and sooner <= later)
    if sooner is not None:
        assert window.wait < sooner < window.long + window.wait


@given(st.integers(1, 10_000_000))
def test_duration_is_read_back(seconds: int) -> None:
    text = burn_rates.duration(seconds)
    assert int(text[:-1]) * {"s": 1, "m": 60, "h": HOUR, "d": DAY}[text[-1]] == seconds


def test_shares_of_the_budget_are_those_of_the_workbook() -> None:
    assert [burn_rates.spent(w.factor, w.long, 30) for w in WINDOWS] == [
        Decimal(x) for x in ("0.02", "0.05", "0.1", "0.1")
    ]
    assert all(w.short * 12 == w.long for w in WINDOWS)


def test_every_alert_of_every_objective_can_fire() -> None:
    for objective in OBJECTIVES:
        for window in WINDOWS:
            assert burn_rates.told_after(window, Decimal(1), objective.budget) is not None


def test_a_total_outage_is_told_within_three_minutes() -> None:
    told = burn_rates.told_after(WINDOWS[0], Decimal(1), Decimal("0.001"))
    assert told is not None and told < 180


def test_windows_are_ordered() -> None:
    with pytest.raises(ValidationError, match="short"):
        BurnWindow(severity="page", factor=Decimal(1), long=300, short=300, wait=0)
