"""What does a person see of a load test? Progress, figures, checks, and where the report is."""

import argparse
import sys
from contextlib import AbstractContextManager

from loadtests import capacity_page, execution, knee, measured, plans, population, report, targets
from loadtests.execution import Judged, Target
from loadtests.plans import Profile, Thresholds


def run(options: argparse.Namespace) -> int:
    """Carry a profile out; 0 when every threshold holds, 1 when one is broken, 2 when it was refused."""
    try:
        profile = plans.profile(options.profile, rate=options.rate, seconds=options.seconds, model=options.model)
        wanted = plans.thresholds(options.profile, options.threshold)
        allowed = [row["host"] for row in plans.read("targets.yaml")["allowed"]]
        options.target = targets.checked(options.target, allowed) if options.target else ""
        options.metrics = [
            f"{targets.checked(url.removesuffix('/metrics'), allowed)}/metrics" for url in options.metrics
        ]
        print(f"==> {options.profile}: {profile.meaning}", flush=True)
        with _target(options, profile) as target:
            if profile.knee is not None:
                return _knee(options, target, profile.knee, wanted)
            judged = execution.judge(execution.carry_out(target, profile, _progress), wanted)
        _show(options, judged)
        if options.record:
            measured.write(options.profile, judged)
        return 0 if judged.holds else 1
    except (plans.PlanError, targets.TargetError) as error:
        print(f"refused: {error}", file=sys.stderr)
        return 2
    except (population.PopulationError, execution.StackError, measured.MeasuredError, OSError) as error:
        print(f"not carried out: {error}", file=sys.stderr)
        return 2


def capacity(options: argparse.Namespace) -> int:
    """Write docs/capacity.md, or compare it."""
    text, path = capacity_page.page(), capacity_page.PAGE
    if not options.check:
        path.write_text(text)
        return 0
    if not path.exists() or path.read_text() != text:
        print("docs/capacity.md is outdated: python -m loadtests capacity", file=sys.stderr)
        return 1
    return 0


def _target(options: argparse.Namespace, profile: Profile) -> AbstractContextManager[Target]:
    if options.target:
        people = options.accounts_file
        return execution.running_service(options.target, options.metrics, people, profile.accounts, progress=_progress)
    return execution.own_service(options.processes, profile.accounts, options.set, _progress)


def _progress(words: str) -> None:
    print(f"    {words}", flush=True)


def _show(options: argparse.Namespace, judged: Judged) -> None:
    done, summary = judged.run, judged.summary
    print(
        f"==> {summary.rate:.0f} requests/s of {summary.offered_rate:.0f} offered; since due: "
        f"P50 {summary.p50:.1f}   P95 {summary.p95:.1f}   P99 {summary.p99:.1f} ms; since sent: P95 "
        f"{summary.service_p95:.1f} ms; 429: {summary.limited}; logins sent away: {summary.sent_away}"
    )
    per_request, shares = done.cpu_per_request(), done.shares()
    print("    CPU per request: " + ", ".join(f"{group} {ms:.3f} ms" for group, ms in per_request.items()))
    print("    cores used: " + ", ".join(f"{group} {cores:.2f}" for group, cores in shares.items()))
    if why := judged.saturated:
        print(f"    THE GENERATOR WAS SATURATED: {why}; latencies are partly its own")
    if summary.queued:
        print(f"    {summary.queued} requests found all {done.profile.connections} connections busy and waited")
    for name, times in list(summary.errors.items())[:5]:
        print(f"    error: {times} x {name}")
    for check in judged.checks:
        print(f"    {'holds ' if check.holds else 'BROKEN'} {check.name}: {check.seen} (wanted {check.wanted})")
    page = report.write(options.output, options.profile, judged)
    print(f"==> {page}", flush=True)


def _knee(options: argparse.Namespace, target: Target, search: plans.Knee, wanted: Thresholds) -> int:
    """Look for the knee; the report is of the highest rate that held. 1 when none did."""
    steps: list[knee.Step] = []
    held: dict[float, Judged] = {}
    while (rate := knee.following(steps, search)) is not None:
        profile = plans.profile(options.profile, rate=round(rate), seconds=options.seconds, model=options.model)
        for _ in range(search.tries):
            judged = execution.judge(execution.carry_out(target, profile, lambda _: None), wanted)
            broken = ", ".join(f"{check.name} {check.seen}" for check in judged.checks if not check.holds)
            _progress(
                f"{rate:6.0f}/s offered: {judged.summary.rate:6.0f}/s, P95 {judged.summary.p95:7.1f} ms, generator "
                f"{judged.run.shares().get('generator', 0):.2f} cores: {f'broken ({broken})' if broken else 'holds'}"
            )
            if judged.holds:
                held[rate] = judged
                break
        steps.append(knee.Step(rate, rate in held))
    if not held:
        print("    BROKEN: no rate holds the thresholds")
        return 1
    good, bad = knee.bounds(steps)
    _show(options, held[max(held)])
    above = f"broken at {bad:.0f}/s" if bad is not None else "nothing above it was tried"
    print(f"==> knee: {good:.0f} requests/s ({above})", flush=True)
    return 0
