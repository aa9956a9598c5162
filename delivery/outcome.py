"""What did an operation do, or what would it do? Events in, one picture out; nothing here knows HTML or Markdown."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from delivery import events
from delivery.model import (
    STACK_TYPE,
    Change,
    Finding,
    Message,
    Op,
    Outcome,
    Property,
    Run,
    Status,
    name_of,
    short_type,
)
from delivery.redact import ENGINE_SECRET, UNKNOWN, redact, secret_name

_OPS = {
    "create": Op.CREATE,
    "update": Op.UPDATE,
    "delete": Op.DELETE,
    "import": Op.IMPORT,
    "replace": Op.REPLACE,
    "create-replacement": Op.REPLACE,
    "delete-replaced": Op.REPLACE,
    "discard-replaced": Op.REPLACE,
    "import-replacement": Op.REPLACE,
    "read-replacement": Op.REPLACE,
}
_COLOR = re.compile(r"<\{%.*?%\}>|\x1b\[[0-9;]*m")
_ECHO = re.compile(
    r"(preview|update|refresh|destroy) failed|(.*: )?context canceled|Resource monitor has terminated, shutting down"
    r"|an unhandled error occurred: [Pp]rogram exited with non-zero exit code: \d+"
    r"|an unhandled error occurred: the program ended with exit code \d+"
)
_KINDS = {"EXEMPT": "exemption", "UNDECIDED": "undecided", "RULE ERROR": "rule error"}


def outcome(run: Run, log: events.Log, stateful: Mapping[str, str]) -> Outcome:
    """The picture of one run. stateful: type token to what is lost with a resource of that type."""
    before, after = _states(log)
    known = _vocabulary(before, after)
    summary = next((line.summary_event for line in reversed(log.lines) if line.summary_event), events.Summary())
    preview = summary.is_preview or run.operation == "preview"
    stack = next((state for state in after.values() if state.type == STACK_TYPE), events.State())
    analyzed = [line.policy_analyze_summary_event for line in log.lines if line.policy_analyze_summary_event]
    whole = [line.policy_analyze_stack_summary_event for line in log.lines if line.policy_analyze_stack_summary_event]
    return Outcome(
        run=run,
        preview=preview,
        result=summary.result,
        counts=dict(summary.resource_changes),
        changes=_changes(log, before, after, preview, stateful),
        findings=_findings(log, known),
        rules=len({rule for one in analyzed + whole for rule in one.passed + one.failed}),
        judged=len({one.resource_urn for one in analyzed}),
        messages=_messages(log, known, interrupted=run.interrupted),
        outputs={name: _shown(name, value) for name, value in sorted(stack.outputs.items())},
        unknown=tuple(sorted(urn for urn, state in after.items() if _has_unknown(state.inputs))),
        damaged=log.damaged,
        before=before,
        after=after,
    )


def _steps(log: events.Log) -> Iterable[tuple[Status, events.Step]]:
    for line in log.lines:
        if line.resource_pre_event:
            yield Status.UNFINISHED, line.resource_pre_event.metadata
        elif line.res_outputs_event:
            yield Status.DONE, line.res_outputs_event.metadata
        elif line.res_op_failed_event:
            yield Status.FAILED, line.res_op_failed_event.metadata


def _states(log: events.Log) -> tuple[dict[str, events.State], dict[str, events.State]]:
    """Each resource before and after, as far as the log tells. A replacement's steps leave the new one behind."""
    before: dict[str, events.State] = {}
    after: dict[str, events.State] = {}
    for _, step in _steps(log):
        if step.old:
            before.setdefault(step.urn, step.old)
        if step.new and step.op not in ("delete", "delete-replaced"):
            after[step.urn] = step.new
        elif step.op == "delete":
            after.pop(step.urn, None)
    return before, after


def _changes(
    log: events.Log,
    before: Mapping[str, events.State],
    after: Mapping[str, events.State],
    preview: bool,
    stateful: Mapping[str, str],
) -> tuple[Change, ...]:
    states = {**before, **after}
    found: dict[str, Change] = {}
    for status, step in _steps(log):
        op = _OPS.get(step.op)
        if op is None:
            continue
        protected = any(side.protect for side in (step.old, step.new) if side)
        fresh = Change(
            urn=step.urn,
            type=step.type,
            name=name_of(step.urn),
            component=_component(step.urn, states),
            op=op,
            status=Status.PLANNED if preview and status is not Status.FAILED else status,
            properties=_properties(step) if op in (Op.UPDATE, Op.REPLACE) else (),
            holds=stateful.get(step.type, "what the program protects" if protected else ""),
            protected=protected,
        )
        known = found.get(step.urn)
        found[step.urn] = _merged(known, fresh) if known else fresh
    order = sorted(found.values(), key=lambda change: (change.component, change.type, change.name))
    return tuple(sorted(order, key=lambda change: (not change.loses, change.op.gravity)))


def _merged(known: Change, fresh: Change) -> Change:
    """Two steps of one resource: the graver operation, the worse or later status, all properties."""
    op = min(known.op, fresh.op, key=lambda op: op.gravity)
    properties = {item.path: item for item in known.properties}
    for item in fresh.properties:
        already = properties.get(item.path, item)
        properties[item.path] = replace(item, replaces=item.replaces or already.replaces)
    status = Status.FAILED if Status.FAILED in (known.status, fresh.status) else fresh.status
    return replace(
        known,
        op=op,
        status=status,
        properties=tuple(properties.values()),
        holds=known.holds or fresh.holds,
        protected=known.protected or fresh.protected,
    )


def _properties(step: events.Step) -> tuple[Property, ...]:
    """The changed properties; without a detailed difference, the top-level names that the engine gives."""
    if step.detailed_diff:
        return tuple(
            Property(path, diff.diff_kind.removesuffix("-replace") or "update", diff.diff_kind.endswith("-replace"))
            for path, diff in sorted(step.detailed_diff.items())
        )
    names = sorted({*step.diffs, *step.keys})
    return tuple(Property(name, "update", name in step.keys) for name in names)


def _component(urn: str, states: Mapping[str, events.State]) -> str:
    """The name of the outermost component that the resource is or is in; empty directly under the stack."""
    chain = [urn]
    while (parent := states[chain[-1]].parent) in states and parent not in chain:
        chain.append(parent)
    inside = [one for one in chain if states[one].type != STACK_TYPE]
    return name_of(inside[-1]) if inside and not states[inside[-1]].custom else ""


def _findings(log: events.Log, known: frozenset[str]) -> tuple[Finding, ...]:
    found: dict[tuple[str, str, str], Finding] = {}
    for line in log.lines:
        if (said := line.policy_event) is None:
            continue
        what, _, rest = said.message.strip().partition("\n")
        message = rest.strip() or what
        kind = next((kind for start, kind in _KINDS.items() if message.startswith(start)), "violation")
        found[said.policy_name, said.resource_urn, message] = Finding(
            rule=said.policy_name,
            kind=kind,
            mandatory=said.enforcement_level == "mandatory",
            severity=said.severity or "medium",
            about=said.resource_urn,
            what=redact(_plain(what), known),
            message=redact(_plain(message), known),
        )
    return tuple(
        sorted(found.values(), key=lambda one: (not one.mandatory, one.kind != "violation", one.kind, one.rule))
    )


def _messages(log: events.Log, known: frozenset[str], *, interrupted: bool) -> tuple[Message, ...]:
    """What people should read; that something failed is left out where something else says what."""
    found: dict[tuple[str, str], Message] = {}
    for line in log.lines:
        said = line.diagnostic_event
        if said is None or said.severity not in ("error", "warning"):
            continue
        text = redact(_plain(said.message).strip(), known)
        if text:
            found[said.urn, text] = Message(said.severity, said.urn, _headline(text), text)
    telling = [message for message in found.values() if not _ECHO.fullmatch(message.text)]
    explained = any(message.severity == "error" for message in telling)
    blocked = any(line.policy_event and line.policy_event.enforcement_level == "mandatory" for line in log.lines)
    return tuple(telling if explained or blocked or interrupted else found.values())


def _headline(text: str) -> str:
    """Of a traceback its last line, otherwise the first few lines as one."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if "Traceback (most recent call last)" in text else " ".join(lines[:6])


def _plain(text: str) -> str:
    """Without colour marks and control characters."""
    text = _COLOR.sub("", text).replace("\r", "")
    return "".join(c for c in text if c in "\n\t" or c.isprintable())


def _shown(name: str, value: Any) -> str:
    if isinstance(value, Mapping) and ENGINE_SECRET in value:
        return "(secret)"
    if secret_name(name):
        return "(not shown: its name says secret)"
    if _has_unknown(value):
        return "(known after deployment)"
    if isinstance(value, bool | int | float | str):
        return str(value)
    return f"({'list' if isinstance(value, list) else 'object'})"


def _has_unknown(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(_has_unknown(item) for item in value.values())
    if isinstance(value, list):
        return any(_has_unknown(item) for item in value)
    return bool(value == UNKNOWN)


def _vocabulary(*sides: Mapping[str, events.State]) -> frozenset[str]:
    """Names that may stand in a message: of resources, types and top-level properties."""
    words: set[str] = set()
    for side in sides:
        for urn, state in side.items():
            words |= {urn, name_of(urn), state.type, short_type(state.type), *state.inputs, *state.outputs}
    return frozenset(words)
