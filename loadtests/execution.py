"""How is one load test carried out? A target, people, the generator, somebody who watches; all gone afterwards."""

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from loadtests import outcome, population, watch
from loadtests.plans import Profile, Thresholds

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 120  # seconds that a process may take to end
Progress = Callable[[str], None]


class StackError(Exception):
    """The service of one's own did not come up; its words went to standard error."""


@dataclass
class Target:
    """Where the load goes. processes: process ids by group, of what runs on this machine; metrics: pages to scrape."""

    url: str
    sample: dict[str, Any]
    metrics: list[str] = field(default_factory=list)
    processes: dict[str, list[int]] = field(default_factory=dict)


@dataclass
class Moment:
    """One second: what the generator saw and what the servers did in it."""

    seen: outcome.Second
    done: watch.Sample


@dataclass
class Run:
    """Everything about a run. span: what the servers did from its first second's end on; wall: seconds of that."""

    target: str
    profile: Profile
    started: float
    moments: list[Moment]
    span: watch.Sample
    wall: float

    @property
    def seconds(self) -> list[outcome.Second]:
        """What the generator saw."""
        return [moment.seen for moment in self.moments]

    @property
    def answers(self) -> int:
        """Of any kind, in the time that `span` covers."""
        return sum(moment.seen.answers for moment in self.moments[1:])

    def cpu_per_request(self) -> dict[str, float]:
        """Milliseconds of CPU per answer, by group of processes; empty when nothing was answered."""
        return {group: used / self.answers * 1000 for group, used in self.span.cpu.items()} if self.answers else {}

    def query_ms_per_request(self) -> float:
        """Milliseconds that the statements of one answer took; 0 when nothing was answered."""
        return self.span.query_seconds / self.answers * 1000 if self.answers else 0.0

    def shares(self) -> dict[str, float]:
        """CPU that each group used, in cores."""
        return {group: used / self.wall for group, used in self.span.cpu.items()}


@dataclass(frozen=True)
class Judged:
    """A run with its figures and what they were held against."""

    run: Run
    summary: outcome.Summary
    checks: list[outcome.Check]
    wanted: Thresholds

    @property
    def holds(self) -> bool:
        """Whether every threshold holds."""
        return all(check.holds for check in self.checks)

    @property
    def saturated(self) -> str:
        """Why the figures are partly the generator's own; empty when they are not."""
        return outcome.saturated(self.summary, self.run.shares().get("generator", 0))


def judge(run: Run, wanted: Thresholds) -> Judged:
    """The figures of a run against its thresholds."""
    profile, summary = run.profile, outcome.summarise(run.seconds, run.profile)
    window = (profile.zone_rate or 0) * outcome.WINDOW * profile.accounts
    return Judged(run, summary, outcome.judge(summary, wanted, window), wanted)


@contextlib.contextmanager
def own_service(processes: int, accounts: int, settings: list[str], progress: Progress) -> Iterator[Target]:
    """A service with a private database and cache. Raises StackError when it does not come up."""
    command = [sys.executable, "tests/service/servers.py", sys.executable, "-m", "loadtests.stack"]
    command += ["--processes", str(processes), "--accounts", str(accounts)]
    command += [f"--set={pair}" for pair in settings]
    progress("a private database and cache")
    # In a session of its own: Ctrl-C reaches this process alone, which then closes the other's standard input.
    stack = subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    stdin, stdout = _pipes(stack)
    try:
        ready: dict[str, Any] | None = None
        for line in stdout:
            row = json.loads(line) if line.startswith("{") else {}
            if ready := row.get("ready"):
                break
            if words := row.get("progress"):
                progress(words)
        if ready is None:
            raise StackError("the service did not start")
        sample = json.loads(Path(ready["sample"]).read_text())
        yield Target(ready["url"], sample, ready["metrics"], ready["processes"])
    finally:
        progress("stopping what was started")
        stdin.close()
        stack.wait(PATIENCE)
        stdout.close()


@contextlib.contextmanager
def running_service(
    url: str, metrics: list[str], people: Path | None, number: int, progress: Progress
) -> Iterator[Target]:
    """A service that runs already: people come from a sample file, or are registered now and erased afterwards."""
    if people is not None:
        yield Target(url, json.loads(people.read_text()), metrics)
        return
    progress(f"registering {number} accounts")
    rows = population.register(url, number, progress)
    try:
        yield Target(url, {"accounts": rows}, metrics)
    finally:
        progress("erasing the accounts")
        population.erase(url, rows)


def carry_out(target: Target, profile: Profile, progress: Progress) -> Run:
    """Make the requests of a plan and watch; the target's people are afterwards as the run left them.

    Raises OSError when the metrics cannot be read, StackError when the generator fails.
    """
    command = [sys.executable, "-m", "loadtests.generator"]
    generator = subprocess.Popen(  # in a session of its own, as above; it ends when nobody reads what it says
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    stdin, stdout = _pipes(generator)
    processes = target.processes | {"generator": [generator.pid], "watching": [os.getpid()]}
    sample = target.sample | {"accounts": target.sample["accounts"][: profile.accounts]}
    plan = {"target": target.url, "profile": profile.model_dump(), "sample": sample}
    moments: list[Moment] = []
    started = time.time()
    try:
        stdin.write(json.dumps(plan) + "\n")
        stdin.close()
        first = before = None
        begun = time.monotonic()
        for line in stdout:
            row = json.loads(line)
            if people := row.get("accounts"):
                target.sample["accounts"][: profile.accounts] = people
                break
            now = watch.look(processes, target.metrics)
            if before is None:
                first, begun = now, time.monotonic()
            seen = outcome.Second.read(row)
            moments.append(Moment(seen, watch.difference(before or now, now)))
            before = now
            progress(_line(moments[-1], profile))
        if generator.wait(PATIENCE) or first is None or before is None:
            raise StackError(f"the generator ended with exit code {generator.returncode}")
    finally:
        generator.kill()
        generator.wait(PATIENCE)
        stdout.close()
    return Run(target.url, profile, started, moments, watch.difference(first, before), time.monotonic() - begun)


def _pipes(process: subprocess.Popen[str]) -> tuple[IO[str], IO[str]]:
    if process.stdin is None or process.stdout is None:
        raise StackError("a process without pipes")
    return process.stdin, process.stdout


def _line(moment: Moment, profile: Profile) -> str:
    seen = moment.seen
    summary = outcome.summarise([seen], profile.model_copy(update={"warm_up": 0}))
    words = [f"{seen.second + 1:3d} of {profile.seconds:.0f} s", f"{summary.answered:5d} right"]
    words += [f"P95 {summary.p95:6.1f} ms"]
    words += [f"{n} {name}" for name, n in (("limited", summary.limited), ("sent away", summary.sent_away)) if n]
    return "   ".join([*words, *(f"{n} x {name}" for name, n in list(summary.errors.items())[:2])])
