"""How do figures of a run become the basis of capacity? measured.yaml, with where they came from."""

import os
import platform
from datetime import UTC, datetime
from pathlib import Path

import yaml

from loadtests.execution import Judged

FILE = Path(__file__).with_name("measured.yaml")
HEAD = """\
# What does one request of the full mix cost? Written by `python -m loadtests run --profile baseline --record`;
# docs/capacity.md is made from it. cpu_ms_per_request: of everything that ran on that machine, generator included.
# query_ms_per_request: time that the statements of one request took. cores: used on average.
"""


class MeasuredError(Exception):
    """A run from which nothing can be concluded; the message says why."""


def write(name: str, judged: Judged) -> None:
    """Replace measured.yaml. Raises MeasuredError for a run that failed, or that did not see the servers."""
    done, summary = judged.run, judged.summary
    per_request = {group: round(ms, 3) for group, ms in done.cpu_per_request().items()}
    if summary.errors or summary.limited or not done.answers:
        raise MeasuredError("nothing is recorded from a run with errors, answers 429 or no answers")
    if any(check.name == "P95" and not check.holds for check in judged.checks):
        raise MeasuredError("nothing is recorded from a run that broke the threshold of P95: statements waited, too")
    if not {"api", "database", "cache"} <= per_request.keys():
        raise MeasuredError("nothing is recorded from a target whose processes are not seen: leave --target out")
    when = datetime.fromtimestamp(done.started, UTC)
    row = {
        "source": f"{when:%Y-%m-%d}, profile {name} at {summary.offered_rate:.0f} requests/s offered, "
        f"{os.cpu_count()} cores {platform.machine()}, Python {platform.python_version()}, all on one machine",
        "cpu_ms_per_request": per_request,
        "query_ms_per_request": round(done.query_ms_per_request(), 3),
        "cores": {group: round(cores, 2) for group, cores in done.shares().items()},
        "requests_per_second": round(summary.rate),
        "p95_ms": round(summary.p95, 1),
    }
    FILE.write_text(HEAD + yaml.safe_dump(row, sort_keys=False, width=120))
