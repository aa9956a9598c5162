"""In one line: is this fine? The headline of every report and comment."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from delivery.model import Change, Op, Outcome, Status

CONVERGENCE = 7  # the engine's exit code for `--expect-no-changes` where there are changes
CANCELLED = {8, 130, 137, 143}  # the engine's own code, and death by SIGINT, SIGKILL, SIGTERM


class Level(StrEnum):
    """How much attention a verdict asks for, least first."""

    CALM = "calm"
    CHANGES = "changes"
    DANGER = "danger"
    FAILED = "failed"


@dataclass(frozen=True)
class Verdict:
    """headline: a few words; reason: one sentence that says why, or what to do."""

    level: Level
    headline: str
    reason: str


def plural(count: int, noun: str, many: str = "") -> str:
    """`1 resource`, `2 resources`."""
    return f"{count} {noun if count == 1 else many or noun + 's'}"


def tally(changes: Iterable[Change]) -> dict[Op, int]:
    """How many changes of each kind, gravest first; kinds that do not occur are left out."""
    ops = [change.op for change in changes]
    return {op: ops.count(op) for op in Op if op in ops}


def words(changes: Sequence[Change]) -> str:
    """`2 to replace, 10 to create`, or in the past tense for what was done."""
    planned = all(change.status is Status.PLANNED for change in changes)
    past = {Op.DELETE: "deleted", Op.REPLACE: "replaced", Op.UPDATE: "updated", Op.CREATE: "created"}
    return ", ".join(
        f"{count} to {op}" if planned else f"{count} {past.get(op, 'imported')}" for op, count in tally(changes).items()
    )


def verdict(outcome: Outcome) -> Verdict:
    """The gravest thing that is true of this outcome."""
    run = outcome.run
    if run.code and run.code != CONVERGENCE:
        return _failure(outcome)
    if not outcome.changes:
        what = "Nothing to do" if run.operation == "destroy" else "No changes"
        return Verdict(Level.CALM, what, f"{run.environment} is what the program says.")
    level, reason = Level.CHANGES, "Nothing that holds data is deleted or replaced."
    if losses := outcome.losses:
        verb = "would go with" if outcome.preview else "went with"
        named = ", ".join(f"{change.name} ({change.op})" for change in losses[:3])
        more = f" and {len(losses) - 3} more" if len(losses) > 3 else ""
        level, reason = Level.DANGER, f"Data {verb}: {named}{more}."
    headline = words(outcome.changes)
    if run.code == CONVERGENCE:
        return Verdict(Level.FAILED, f"Not converged: {headline}", "No change was expected.")
    if outcome.preview:
        return Verdict(level, headline[0].upper() + headline[1:], reason)
    done = {"destroy": "Destroyed", "refresh": "Refreshed"}.get(run.operation, "Deployed")
    return Verdict(Level.CALM if level is Level.CHANGES else level, f"{done}: {headline}", reason)


def _failure(outcome: Outcome) -> Verdict:
    run = outcome.run
    touched = sum(change.status is Status.DONE for change in outcome.changes)
    left = "Nothing was changed." if outcome.preview or not touched else f"{plural(touched, 'resource')} had changed."
    name = {"up": "Deployment"}.get(run.operation, run.operation.capitalize())
    if blocking := outcome.blocking:
        rules = plural(len({finding.rule for finding in blocking}), "mandatory rule")
        return Verdict(Level.FAILED, f"Blocked by policy: {plural(len(blocking), 'finding')} of {rules}", left)
    if run.interrupted or run.code in CANCELLED:
        again = (
            "The next run settles what was under way." if run.rehearsal else "See the runbook for pending operations."
        )
        return Verdict(Level.FAILED, f"{name} was interrupted", f"{left} {again}")
    if errors := outcome.errors:
        return Verdict(Level.FAILED, f"{name} failed: {plural(len(errors), 'error')}", left)
    return Verdict(Level.FAILED, f"{name} failed (exit code {run.code})", f"{left} The engine's own output says why.")
