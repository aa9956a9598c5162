"""What does a stored stack hold? Reads a golden graph, or the JSON of `pulumi stack export`, as resources."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pack.resource import Resource, Stack
from pack.values import plain


def read(path: Path) -> Stack:
    """The stack in a file. Raises ValueError when there is none, or of neither kind."""
    try:
        text = json.loads(path.read_text())
    except FileNotFoundError:
        raise ValueError(f"{path}: no such file; `make golden` writes the graphs of the environments") from None
    except ValueError as wrong:
        raise ValueError(f"{path}: not JSON: {wrong}") from None
    rows = text.get("deployment", text).get("resources") if isinstance(text, dict) else text
    if not isinstance(rows, list) or not all(isinstance(row, dict) and {"urn", "type"} <= row.keys() for row in rows):
        raise ValueError(f"{path}: neither a golden graph nor a stack export")
    return Stack(resources([row for row in rows if not row.get("delete")]))


def resources(rows: list[dict[str, Any]]) -> tuple[Resource, ...]:
    """Rows with urn, type, inputs and so on, as resources that know their provider's inputs."""
    providers: dict[str, Mapping[str, Any]] = {}
    for row in rows:
        if row["type"].startswith("pulumi:providers:"):
            providers[row["urn"]] = providers[row["urn"].rpartition("::")[2]] = plain(row.get("inputs") or {})
    return tuple(_resource(row, providers) for row in rows)


def _resource(row: dict[str, Any], providers: Mapping[str, Mapping[str, Any]]) -> Resource:
    named = str(row.get("provider") or "")  # a name, or URN::ID as in a state
    return Resource(
        urn=row["urn"],
        type=row["type"],
        properties=plain(row.get("inputs") or {}),
        protect=bool(row.get("protect")),
        ignore_changes=tuple(row.get("ignoreChanges") or ()),
        parent=row.get("parent") or "",
        provider=providers.get(named) or providers.get(named.rpartition("::")[0]) or {},
        dependencies=tuple(row.get("dependencies") or ()),
        property_dependencies={name: tuple(urns) for name, urns in (row.get("propertyDependencies") or {}).items()},
        outputs=plain(row.get("outputs") or {}) | ({"id": row["id"]} if row.get("id") else {}),
    )
