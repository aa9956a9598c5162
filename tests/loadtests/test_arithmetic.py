"""Are arrivals, percentiles, the knee and the judgement what they say, for any plan and any answers?"""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests import arrivals, chart, histogram, knee, outcome
from loadtests.plans import Knee, PlanError, Profile, Stage, Thresholds, names, profile, thresholds

rates = st.floats(1, 300)
stages = st.lists(
    st.builds(Stage, seconds=st.floats(0.5, 30), rate=rates, to=st.none() | rates), min_size=1, max_size=4
)
milliseconds = st.lists(st.floats(0.02, 60_000), min_size=1, max_size=200)


@given(stages, st.floats(0.05, 1))
def test_as_many_arrive_as_the_plan_says_in_order_and_in_time(plan: list[Stage], share: float) -> None:
    moments = list(arrivals.times(plan, share))
    wanted = sum(stage.arrivals for stage in plan) * share
    assert abs(len(moments) - wanted) <= 0.5 + 1e-6
    assert moments == sorted(moments)
    assert all(0 <= moment <= sum(stage.seconds for stage in plan) for moment in moments)


@given(stages, st.floats(0, 1), st.floats(0, 1))
def test_what_is_offered_between_two_moments_is_what_arrives_between_them(
    plan: list[Stage], one: float, other: float
) -> None:
    length = sum(stage.seconds for stage in plan)
    begin, end = sorted((one * length, other * length))
    seen = sum(begin <= moment < end for moment in arrivals.times(plan, 1))
    assert seen == pytest.approx(arrivals.offered(plan, begin, end), abs=1.01)


@given(st.floats(2, 200), st.floats(1, 10))
def test_a_constant_rate_is_evenly_spaced(rate: float, seconds: float) -> None:
    moments = list(arrivals.times([Stage(seconds=seconds, rate=rate)], 1))
    gaps = [later - earlier for earlier, later in pairwise(moments)]
    assert all(gap == pytest.approx(1 / rate, rel=1e-6) for gap in gaps)
    assert arrivals.rate([Stage(seconds=seconds, rate=rate)], seconds / 2) == rate


@given(milliseconds, st.floats(0.01, 1))
def test_a_percentile_is_within_two_percent_of_the_exact_one(values: list[float], share: float) -> None:
    counts: dict[int, int] = {}
    for value in values:
        counts[histogram.bucket(value)] = counts.get(histogram.bucket(value), 0) + 1
    exact = sorted(values)[max(math.ceil(share * len(values)) - 1, 0)]
    assert histogram.percentile(counts, share) == pytest.approx(exact, rel=0.02)


def test_the_services_quantile_is_what_prometheus_would_say() -> None:
    counts = {0.1: 50.0, 0.2: 90.0, 0.5: 100.0, math.inf: 100.0}
    assert histogram.quantile(counts, 0.5) == pytest.approx(0.1)
    assert histogram.quantile(counts, 0.7) == pytest.approx(0.15)
    assert histogram.quantile({0.1: 0.0, math.inf: 10.0}, 0.95) == pytest.approx(0.1)
    assert histogram.quantile({0.1: 0.0, math.inf: 0.0}, 0.95) == 0


@given(st.floats(20, 20_000), st.floats(50, 2000))
def test_the_knee_of_a_service_with_one_is_found(true_knee: float, first: float) -> None:
    search = Knee(first=first, factor=1.5, precision=0.04, most_steps=40)
    steps: list[knee.Step] = []
    while (rate := knee.following(steps, search)) is not None:
        steps.append(knee.Step(rate, rate <= true_knee))
    good, bad = knee.bounds(steps)
    assert good is not None and bad is not None
    assert good <= true_knee < bad <= good * 1.041


def test_the_search_ends_where_nothing_holds() -> None:
    search = Knee(first=400, factor=2, precision=0.1, most_steps=5)
    steps: list[knee.Step] = []
    while (rate := knee.following(steps, search)) is not None:
        steps.append(knee.Step(rate, holds=False))
    assert [step.rate for step in steps] == [400, 200, 100, 50, 25]
    assert knee.bounds(steps) == (None, 25)


def second(number: int, outcomes: dict[str, dict[str, int]], ms: float = 10, late: float = 0.1) -> outcome.Second:
    latency = {kind: {histogram.bucket(ms): sum(seen.values())} for kind, seen in outcomes.items()}
    every = sum(sum(seen.values()) for seen in outcomes.values())
    service, waited = {histogram.bucket(ms): every}, {histogram.bucket(late): every}
    return outcome.Second(number, 1000.0 + number, latency, service, waited, 0, outcomes)


def plan(seconds: float, rate: float, **more: object) -> Profile:
    row = {"meaning": "", "stages": [{"seconds": seconds, "rate": rate}], "connections": 10, "accounts": 10}
    return Profile.model_validate(row | {"most_requests": 100_000} | more)


def test_every_answer_counts_as_exactly_one_thing() -> None:
    seen = {
        "GET /projects": {"200": 90, "429": 4, "500": 1, "ConnectionRefusedError": 1},
        "POST /sessions": {"201": 1, "503": 2},
        "POST /videos/{id}/cancel": {"409": 1},
    }
    summary = outcome.summarise([second(0, seen)], plan(1, 100))
    assert (summary.answered, summary.limited, summary.sent_away) == (92, 4, 2)
    assert summary.errors == {"GET /projects: 500": 1, "GET /projects: ConnectionRefusedError": 1}
    assert summary.total == 100
    assert summary.error_percent == 2
    assert summary.achieved == 1


def test_logins_that_wait_for_their_share_do_not_hide_what_others_feel() -> None:
    waiting = second(0, {"POST /sessions": {"201": 50}}, ms=3000)
    waiting.latency["GET /projects"] = {histogram.bucket(10): 50}
    waiting.outcomes["GET /projects"] = {"200": 50}
    assert outcome.summarise([waiting], plan(1, 100)).p95 == pytest.approx(10, rel=0.02)
    only_logins = outcome.summarise([second(0, {"POST /sessions": {"201": 50}}, ms=3000)], plan(1, 50))
    assert only_logins.p95 == pytest.approx(3000, rel=0.02)


def test_warm_up_is_not_judged_and_stragglers_count_but_not_for_the_rate() -> None:
    failing, right = {"GET /projects": {"500": 100}}, {"GET /projects": {"200": 100}}
    seconds = [second(0, failing, 900), *(second(n, right) for n in range(1, 5))]
    summary = outcome.summarise(seconds, plan(5, 100, warm_up=1))
    assert (summary.seconds, summary.answered, summary.errors) == (4, 400, {})
    assert summary.p99 == pytest.approx(10, rel=0.02)
    late = outcome.summarise([*seconds, second(5, right, 1500), second(14, failing, 9000)], plan(5, 100, warm_up=1))
    assert (late.seconds, late.answered, late.errors) == (4, 400, {"GET /projects: 500": 100})
    assert late.p99 == pytest.approx(9000, rel=0.02)


def test_each_threshold_can_be_broken_by_itself() -> None:
    good = outcome.summarise([second(0, {"GET /projects": {"200": 1000}}, ms=20)], plan(1, 1000))
    wanted = thresholds("baseline", ["requests_per_second=900"])
    assert all(check.holds for check in outcome.judge(good, wanted, 0))
    for field, value, name in (
        ("p95_ms", 19, "P95"),
        ("requests_per_second", 1001, "requests/s"),
    ):
        broken = [c.name for c in outcome.judge(good, wanted.model_copy(update={field: value}), 0) if not c.holds]
        assert broken == [name]
    bad = outcome.summarise([second(0, {"GET /projects": {"200": 900, "429": 40, "500": 10}})], plan(1, 1000))
    broken = [c.name for c in outcome.judge(bad, thresholds("baseline", ["requests_per_second=1"]), 0) if not c.holds]
    assert broken == ["errors", "answered 429"]
    silent = outcome.summarise([second(0, {})], plan(1, 1000))
    assert not any(check.holds for check in outcome.judge(silent, Thresholds(error_percent=0.5, achieved=0.9), 0))


@given(st.integers(60, 140), st.integers(0, 9))
def test_only_full_windows_of_the_limiter_are_counted(allowed: int, offset: int) -> None:
    seconds = [second(n, {"GET /projects": {"200": allowed, "429": 7}}) for n in range(offset, offset + 25)]
    summary = outcome.summarise(seconds, plan(offset + 25, 150, accounts=20))
    assert summary.allowed_in_window == allowed * 10
    (check,) = outcome.judge(summary, Thresholds(limit_error_percent=2), 1000)
    assert check.holds == (abs(allowed * 10 / 1000 - 1) <= 0.02)


def test_a_slow_service_is_not_called_a_saturated_generator() -> None:
    busy = outcome.summarise([second(0, {"GET /projects": {"200": 100}}, ms=4000)], plan(1, 100))
    assert outcome.saturated(busy, 0.4) == ""
    assert "one core" in outcome.saturated(busy, 0.95)
    late = outcome.summarise([second(0, {"GET /projects": {"200": 100}}, late=80)], plan(1, 100))
    assert "late" in outcome.saturated(late, 0.4)


def test_every_profile_is_bounded_and_has_thresholds() -> None:
    for name in names():
        assert profile(name).seconds <= 900
        assert thresholds(name, []).model_dump(exclude_none=True), name


@given(st.floats(30, 3000), st.floats(8, 100))
def test_a_profile_keeps_its_shape_at_another_rate_and_length(rate: float, seconds: float) -> None:
    plain, stretched = profile("baseline"), profile("baseline", rate=rate, seconds=seconds)
    assert max(stage.end for stage in stretched.stages) == pytest.approx(rate)
    assert stretched.seconds == pytest.approx(seconds)
    assert stretched.warm_up / seconds == pytest.approx(plain.warm_up / plain.seconds)
    arrivals_ = [sum(stage.arrivals for stage in plan.stages) / plan.seconds for plan in (plain, stretched)]
    assert arrivals_[1] / arrivals_[0] == pytest.approx(rate / 1550)


def test_the_target_load_asks_for_the_figures_of_the_specification() -> None:
    wanted = thresholds("baseline", [])
    assert (wanted.p95_ms, wanted.error_percent, wanted.requests_per_second) == (200, 0.5, 1500)
    assert profile("baseline").personas == {"reader": 60, "creator": 30, "video_maker": 10}
    assert profile("baseline").model == "open"


@pytest.mark.parametrize(
    ("name", "changes", "words"),
    [
        ("nothing", {}, "there are: smoke"),
        ("smoke", {"rate": 30_000.0}, "stages.0.rate"),
        ("smoke", {"seconds": 2000.0}, "less than or equal to 900"),
        ("smoke", {"accounts": 2}, "every connection an account"),
    ],
)
def test_a_plan_that_cannot_be_is_refused_with_the_field(name: str, changes: dict[str, float], words: str) -> None:
    with pytest.raises(PlanError, match=words):
        profile(name, **changes)


@pytest.mark.parametrize(("override", "words"), [("p96=1", "there are: p95_ms"), ("p95_ms=soon", "p95_ms")])
def test_a_threshold_that_cannot_be_is_refused_with_the_field(override: str, words: str) -> None:
    with pytest.raises(PlanError, match=words):
        thresholds("smoke", [override])


@given(st.floats(0.001, 1e6), st.booleans())
def test_an_axis_reaches_beyond_its_values_in_few_round_steps(most: float, logarithmic: bool) -> None:
    marks = chart.ticks(most, logarithmic=logarithmic)
    assert marks[-1] >= most * 0.999 or (logarithmic and marks[-1] >= 10)
    assert 2 <= len(marks) <= 9
