"""What does a reviewer read on a pull request? One Markdown comment: verdict first, names only, never too long."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from delivery import verdict as verdicts
from delivery.cost import Estimate
from delivery.model import Change, Finding, Op, Outcome, Run, Status, label, short_type
from delivery.redact import redact
from delivery.report import by_component, money, signed
from delivery.verdict import Level, plural

LIMIT = 60_000  # bytes; GitHub refuses 65,536 characters, and other places that take Markdown less
SHOWN_PROPERTIES = 10
_SIGNS = {Level.CALM: "✅", Level.CHANGES: "🔵", Level.DANGER: "⚠️", Level.FAILED: "❌"}


@dataclass(frozen=True)
class _Section:
    """A part of the comment. head and tail are always there; rows go in as far as there is room, of details last."""

    head: str
    rows: tuple[str, ...] = ()
    tail: str = ""
    details: bool = False

    def text(self, shown: int) -> str:
        """The section with this many rows, and how many are missing."""
        missing = len(self.rows) - shown
        note = f"\n\n… and {missing} more, in the report." if missing else ""
        return "\n".join([self.head, *self.rows[:shown]]) + note + self.tail


def marker(run: Run) -> str:
    """The hidden line by which the comment is found again; a rehearsed preview and a real one have one each."""
    name = re.sub(r"[^\w.]+", "-", f"{run.project} {run.environment}", flags=re.ASCII)
    return f"<!-- delivery-preview: {name.strip('-')} {'rehearsal' if run.rehearsal else 'aws'} -->"


def comment(outcome: Outcome, estimate: Estimate, notes: Sequence[str] = (), limit: int = LIMIT) -> str:
    """The comment, at most `limit` bytes of UTF-8 (16,000 or more). What does not fit is counted."""
    sections = list(_sections(outcome, estimate, notes))
    room = limit - sum(len(section.text(0).encode()) + len("\n\n") for section in sections)
    fitting = {}
    for section in sorted(sections, key=lambda section: section.details):
        fitting[section.head] = shown = _fitting(section.rows, room)
        room -= sum(len(row.encode()) + 1 for row in section.rows[:shown])
    return "\n\n".join(section.text(fitting[section.head]) for section in sections) + "\n"


def _fitting(rows: Sequence[str], room: int) -> int:
    """How many rows fit into this many bytes."""
    ends = list(accumulate(len(row.encode()) + 1 for row in rows))
    return bisect_right(ends, room)


def _sections(outcome: Outcome, estimate: Estimate, notes: Sequence[str]) -> Iterator[_Section]:
    run, said = outcome.run, verdicts.verdict(outcome)
    where = "rehearsed without a cloud account" if run.rehearsal else "against the real state, read only"
    yield _Section(
        f"{marker(run)}\n## {_SIGNS[said.level]} {prose(run.environment, 60)}: "
        f"{prose(said.headline, 200)}\n\n{prose(said.reason, 600)} {where[0].upper() + where[1:]}."
    )
    if outcome.errors or outcome.reasons:
        rows = [
            f"- {code(why.about, 120)} **{prose(why.kind, 20)}**: {prose(why.message, 500)}" for why in outcome.reasons
        ]
        rows += [f"- {_about(error.about)} {prose(error.headline, 500)}" for error in outcome.errors]
        yield _Section("### What failed\n", tuple(rows))
    if outcome.losses:
        head = "### Data at stake\n\n| | Resource | What is lost | Because of |\n|---|---|---|---|"
        yield _Section(head, tuple(_loss(change) for change in outcome.losses))
    yield from _policy(outcome)
    yield from _changes(outcome)
    if outcome.complete:
        yield from _cost(estimate)
    yield from _unknown(outcome, notes)
    yield _Section("<sub>Property names only. The whole report is `report.html` in this run's artifact.</sub>")


def _loss(change: Change) -> str:
    forced = [one for one in change.properties if one.replaces] or list(change.properties)
    why = "it goes away" if change.op is Op.DELETE else _names(one.path for one in forced)
    guarded = " (protected)" if change.protected else ""
    return f"| **{change.op}** | {_resource(change)}{guarded} | {prose(change.holds, 120)} | {why} |"


def _policy(outcome: Outcome) -> Iterator[_Section]:
    blocking = outcome.blocking
    rest = [finding for finding in outcome.findings if not finding.mandatory]
    table = "| Rule | Resource | What it says |\n|---|---|---|"
    if blocking:
        yield _Section(f"### Policy: {len(blocking)} blocking\n\n{table}", tuple(_finding(one) for one in blocking))
    if rest:
        kinds = {
            "violation": "advisory",
            "exemption": "exempt with a reason",
            "undecided": "decided when the update runs",
            "rule error": "rule that failed",
        }
        counts = [f"{count} {text}" for kind, text in kinds.items() if (count := sum(one.kind == kind for one in rest))]
        head = f"<details><summary>Policy, not blocking: {', '.join(counts)}</summary>\n\n{table}"
        yield _Section(head, tuple(_finding(one) for one in rest), "\n\n</details>")
    if not outcome.findings and outcome.judged:
        yield _Section(f"**Policy**: {outcome.rules} rules, {plural(outcome.judged, 'resource')}, no finding.")


def _finding(finding: Finding) -> str:
    about = code(label(finding.about), 160) if finding.about else "the stack"
    return f"| {code(finding.rule, 80)} {prose(finding.severity, 12)} | {about} | {prose(finding.message, 400)} |"


def _changes(outcome: Outcome) -> Iterator[_Section]:
    if not outcome.changes:
        return
    groups = by_component(outcome.changes)
    head = "### Changes\n\n| Component | delete | replace | update | create |\n|---|--:|--:|--:|--:|"
    yield _Section(head, tuple(_counts(name, changes) for name, changes in groups))
    rows = tuple(row for name, changes in groups for row in _listed(name, changes))
    summary = f"<details><summary>All {plural(len(outcome.changes), 'change')}</summary>\n"
    yield _Section(summary, rows, "\n\n</details>", details=True)


def _counts(name: str, changes: Sequence[Change]) -> str:
    tally = verdicts.tally(changes)
    shown = [tally.get(op, 0) + (tally.get(Op.IMPORT, 0) if op is Op.CREATE else 0) for op in list(Op)[:4]]
    return f"| {code(name, 80) if name else 'the stack itself'} | " + " | ".join(str(n or "") for n in shown) + " |"


def _listed(name: str, changes: Sequence[Change]) -> Iterator[str]:
    yield f"- **{prose(name, 80) if name else 'the stack itself'}**"
    for change in changes:
        names = f": {_names(one.path for one in change.properties)}" if change.properties else ""
        state = f" *{change.status}*" if change.status in (Status.FAILED, Status.UNFINISHED) else ""
        yield f"  - {change.op} {_resource(change)}{state}{names}"


def _cost(estimate: Estimate) -> Iterator[_Section]:
    if not estimate.rows:
        return
    difference = estimate.after - estimate.before
    budget = ""
    if estimate.budget is not None:
        left = estimate.budget - estimate.after
        budget = f", {money(abs(left))} {'under' if left >= 0 else '**over**'} the budget of {money(estimate.budget)}"
    sign = signed(difference) if abs(difference) >= 0.005 else "no difference"
    head = f"**Cost** (estimate, list prices of {estimate.as_of}): {money(estimate.after)} a month, {sign}{budget}."
    changed = [row for row in estimate.rows if abs(row.difference) >= 0.005]
    if changed:
        head += "\n\n| Service | Before | After | Difference |\n|---|--:|--:|--:|"
    rows = (
        f"| {row.service} | {money(row.before)} | {money(row.after)} | {signed(row.difference)} |" for row in changed
    )
    yield _Section(head, tuple(rows))


def _unknown(outcome: Outcome, said: Sequence[str]) -> Iterator[_Section]:
    notes = [prose(redact(one), 400) for one in said[:5]]
    if outcome.unknown:
        notes.append(f"{plural(len(outcome.unknown), 'resource')} with inputs known only after others exist")
    if undecided := sum(one.kind == "undecided" for one in outcome.findings):
        notes.append(f"{plural(undecided, 'rule decision')} left to the update")
    if outcome.damaged:
        notes.append(f"{plural(outcome.damaged, 'line')} of the event log unreadable")
    if notes:
        yield _Section(f"**Not known yet**: {'; '.join(notes)}.")


def _about(urn: str) -> str:
    return f"{code(label(urn), 160)}:" if urn else "**Program**:"


def _resource(change: Change) -> str:
    return f"{prose(short_type(change.type), 90)} {code(change.name, 90)}"


def _names(paths: Iterable[str]) -> str:
    names = list(paths)
    more = f" and {len(names) - SHOWN_PROPERTIES} more" if len(names) > SHOWN_PROPERTIES else ""
    return ", ".join(code(name, 60) for name in names[:SHOWN_PROPERTIES]) + more


def code(text: str, room: int) -> str:
    """A name as a code span that nothing in it can end, in a table or outside."""
    inside = _plain(text, room).translate(str.maketrans("`\\|", "'/¦")).strip()
    return f"`{inside}`" if inside else "-"


def prose(text: str, room: int) -> str:
    """Text in which nothing is markup, a mention or a reference."""
    quiet = re.sub(r"([@#])(?=\w)", "\\1\u200b", _plain(text, room))
    return re.sub(r"[\\`*_{}\[\]<>|~&^$!]", lambda found: f"&#{ord(found[0])};", quiet)


def _plain(text: str, room: int) -> str:
    """One line of printable characters, cut to `room`."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= room else line[: room - 1].rstrip() + "…"
