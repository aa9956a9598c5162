"""What is the graph of an environment, in a form that only changes when the environment does?"""

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from delivery import base, engine
from delivery.model import label
from delivery.redact import ENGINE_SECRET

Row = dict[str, Any]
_LONGEST = 8000  # characters; no policy document is longer, whole dashboards are committed elsewhere


def deploy(target: engine.Target) -> list[tuple[engine.Target, list[Row]]]:
    """Deploy account and estate into an empty rehearsal cloud of their own and return the canonical graph of each.

    Raises DeliveryError when the engine fails; its output is then in golden.log.
    """
    graphs = []
    with tempfile.TemporaryDirectory() as scratch:
        env = base.apart(target, Path(scratch), os.environ)
        for project in base.projects(target):
            base.deploy(project, env, project.folder / "golden.log")
            export = engine.output(["pulumi", "stack", "export", "--stack", target.environment], project.program, env)
            graphs.append((project, canonical(json.loads(export)["deployment"]["resources"])))
    return graphs


def canonical(resources: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Rows sorted by URN. Secrets are masked, and the random end of a generated name is always the same."""
    rows = sorted((_row(resource) for resource in resources), key=lambda row: str(row["urn"]))
    text = json.dumps(rows)
    for row in rows:
        for generated in _generated(row["name"], row["inputs"]):
            stem, _, end = generated.rpartition("-")
            text = text.replace(generated, f"{stem}-{'0' * len(end)}")
    settled: list[Row] = json.loads(text)
    return settled


def written(rows: list[Row]) -> str:
    """The rows as the text of a golden file."""
    return json.dumps(rows, indent=1, sort_keys=True) + "\n"


def differences(old: list[Row], new: list[Row], stateful: Mapping[str, str]) -> Iterator[str]:
    """What changed between two graphs, a line each; resources that hold data and disappear come first.

    A resource that was renamed without an alias shows as one that disappears and one that is new.
    """
    before, after = ({row["urn"]: row for row in rows} for rows in (old, new))
    gone = sorted(before.keys() - after.keys(), key=lambda urn: (before[urn]["type"] not in stateful, urn))
    for urn in gone:
        lost = stateful.get(before[urn]["type"])
        yield f"deleted: {label(urn)}" + (f" (what is lost: {lost}; renamed? then give it an alias)" if lost else "")
    for urn in sorted(after.keys() - before.keys()):
        yield f"created: {label(urn)}"
    for urn in sorted(before.keys() & after.keys()):
        parts = [key for key in after[urn] if key != "inputs" and before[urn].get(key) != after[urn][key]]
        inputs = (before[urn]["inputs"], after[urn]["inputs"])
        names = sorted(
            name for name in inputs[0].keys() | inputs[1].keys() if inputs[0].get(name) != inputs[1].get(name)
        )
        if parts or names:
            yield f"changed: {label(urn)}: {', '.join([*names, *parts])}"


def _row(resource: Mapping[str, Any]) -> Row:
    links = resource.get("propertyDependencies") or {}
    inputs = {key: value for key, value in (resource.get("inputs") or {}).items() if key != "__internal"}
    return {
        "urn": resource["urn"],
        "type": resource["type"],
        "name": resource["urn"].rpartition("::")[2],
        "parent": resource.get("parent", ""),
        "inputs": _masked(inputs),
        "dependencies": sorted(resource.get("dependencies") or []),
        "propertyDependencies": {name: sorted(urns) for name, urns in links.items() if urns},
        "protect": bool(resource.get("protect")),
        "provider": resource["provider"].split("::")[-2] if resource.get("provider") else "",
    } | ({"ignoreChanges": sorted(ignored)} if (ignored := resource.get("ignoreChanges")) else {})


def _masked(value: Any) -> Any:
    if isinstance(value, Mapping):
        if ENGINE_SECRET in value:
            return "[secret]"
        return {key: _masked(item) for key, item in value.items()}
    if isinstance(value, str) and len(value) > _LONGEST:
        return f"[{len(value)} characters, sha256 {hashlib.sha256(value.encode()).hexdigest()}]"
    return [_masked(item) for item in value] if isinstance(value, list) else value


def _generated(name: str, inputs: Mapping[str, Any]) -> Iterator[str]:
    """Names that the provider made from the resource's own: `name-` and seven hex digits, eight in Kubernetes."""
    metadata = inputs.get("metadata")
    objects = [metadata.get("name")] if isinstance(metadata, Mapping) else []
    for value in (*inputs.values(), *objects):
        if isinstance(value, str) and re.fullmatch(re.escape(name) + "-[0-9a-f]{7,8}", value):
            yield value


def path(target: engine.Target) -> Path:
    """Where the committed graph of an environment is."""
    return target.root / "tests" / "golden" / f"{'-'.join(filter(None, (target.room, target.environment)))}.json"
