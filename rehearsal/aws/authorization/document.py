"""What does a policy document say? JSON into typed statements; refuses what IAM would not store.

IAM user guide, "grammar of the IAM JSON policy language".
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rehearsal.aws.authorization.conditions import Condition, ConditionError

VERSIONS = ("2008-10-17", "2012-10-17")
_NEGATABLE = ("Principal", "Action", "Resource")
_ELEMENTS = {"Sid", "Effect", "Condition", *_NEGATABLE, *(f"Not{element}" for element in _NEGATABLE)}
_KINDS = {"AWS", "Service", "Federated", "CanonicalUser"}


class PolicyError(ValueError):
    """A document that IAM would not store, or that cannot be judged; says where and what to write instead."""


@dataclass(frozen=True)
class Choice:
    """What an element or its negation lists."""

    values: tuple[str, ...]
    excluded: bool = False  # NotAction, NotResource


@dataclass(frozen=True)
class Principals:
    """Whom a statement of a resource's policy names, by kind."""

    by_kind: Mapping[str, tuple[str, ...]]
    excluded: bool = False  # NotPrincipal


@dataclass(frozen=True)
class Statement:
    """One statement. `place` names it to a person; `resources` is None in trust policies."""

    place: str
    allows: bool
    actions: Choice
    resources: Choice | None
    principals: Principals | None
    conditions: tuple[Condition, ...]
    variables: bool


@dataclass(frozen=True)
class Policy:
    """A document and what it is called."""

    name: str
    statements: tuple[Statement, ...]


def parse(document: str | Mapping[str, Any], name: str) -> Policy:
    """Read a document, given as text or as its parsed form. Raises PolicyError."""
    if isinstance(document, str):
        try:
            document = json.loads(document)
        except ValueError as error:
            raise PolicyError(f"{name}: is no JSON ({error}): write a policy document") from None
    if not isinstance(document, Mapping) or "Statement" not in document:
        raise PolicyError(f"{name}: has no Statement: write an object with Version and Statement")
    version = document.get("Version", VERSIONS[0])
    if version not in VERSIONS:
        raise PolicyError(f"{name}: Version {version!r} is unknown: write {VERSIONS[1]!r}")
    rows = document["Statement"]
    rows = rows if isinstance(rows, list) else [rows]
    return Policy(name, tuple(_statement(row, name, index, version) for index, row in enumerate(rows)))


def _statement(row: Any, policy: str, index: int, version: str) -> Statement:
    if not isinstance(row, Mapping):
        raise PolicyError(f"{policy}: statement {index} is no object")
    place = f"{row.get('Sid') or f'statement {index}'} of {policy}"
    if unknown := set(row) - _ELEMENTS:
        raise PolicyError(f"{place}: unknown element {', '.join(sorted(unknown))}: elements are named with their case")
    if row.get("Effect") not in ("Allow", "Deny"):
        raise PolicyError(f"{place}: Effect must be Allow or Deny")
    actions, resources = _choice(row, "Action", place), _choice(row, "Resource", place)
    if actions is None:
        raise PolicyError(f"{place}: has no Action: name what it is about")
    for value in resources.values if resources else ():
        if value != "*" and not value.startswith("arn:"):
            raise PolicyError(f"{place}: Resource {value!r} is neither an ARN nor *")
    return Statement(
        place=place,
        allows=row["Effect"] == "Allow",
        actions=actions,
        resources=resources,
        principals=_principals(row, place),
        conditions=tuple(_conditions(row.get("Condition", {}), place)),
        variables=version == VERSIONS[1],
    )


def _choice(row: Mapping[str, Any], element: str, place: str) -> Choice | None:
    given = [name for name in (element, f"Not{element}") if name in row]
    if len(given) > 1:
        raise PolicyError(f"{place}: has both {element} and Not{element}: keep one")
    if not given:
        return None
    values = _texts(row[given[0]], f"{place}: {given[0]}")
    if not values:
        raise PolicyError(f"{place}: {given[0]} is empty")
    return Choice(values, excluded=given[0] != element)


def _principals(row: Mapping[str, Any], place: str) -> Principals | None:
    if "Principal" in row and "NotPrincipal" in row:
        raise PolicyError(f"{place}: has both Principal and NotPrincipal: keep one")
    for element in ("Principal", "NotPrincipal"):
        if element not in row:
            continue
        value = {"AWS": "*"} if row[element] == "*" else row[element]
        if not isinstance(value, Mapping) or set(value) - _KINDS:
            raise PolicyError(f"{place}: {element} must be * or name {', '.join(sorted(_KINDS))}")
        by_kind = {kind: _texts(names, f"{place}: {element}") for kind, names in value.items()}
        return Principals(by_kind, excluded=element == "NotPrincipal")
    return None


def _conditions(block: Any, place: str) -> Iterator[Condition]:
    if not isinstance(block, Mapping) or not all(isinstance(tests, Mapping) for tests in block.values()):
        raise PolicyError(f"{place}: Condition must be an object of operators, each an object of keys")
    for operator, tests in block.items():
        for key, values in tests.items():
            try:
                yield Condition.of(operator, key, _texts(values, f"{place}: {operator} {key}"))
            except ConditionError as error:
                raise PolicyError(f"{place}: {error}") from None


def _texts(value: Any, place: str) -> tuple[str, ...]:
    """One text or many; IAM takes numbers and booleans as their text."""
    found = []
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, bool):
            found.append("true" if one else "false")
        elif isinstance(one, str | int | float):
            found.append(str(one))
        else:
            raise PolicyError(f"{place} must hold text, not {type(one).__name__}")
    return tuple(found)
