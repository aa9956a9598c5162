"""What does an IAM policy document say? Statements with every field as a list, whatever short form was written."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from pack.resource import Resource
from pack.values import NotKnownYetError, has_unknown


class UnreadableError(Exception):
    """The text at `path` is not a policy document, so nothing can be said about it."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


@dataclass(frozen=True)
class Statement:
    """One statement. `principals`: kind ("AWS", "Service", "Federated", "*") -> who; `conditions`: operator -> key in
    lower case -> values. `path` says where it stands."""

    path: str
    allows: bool
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    principals: Mapping[str, tuple[str, ...]]
    conditions: Mapping[str, Mapping[str, tuple[str, ...]]]

    @property
    def anyone(self) -> bool:
        """Whether the principal is everybody."""
        return any("*" in who for kind, who in self.principals.items() if kind in ("*", "AWS"))

    def condition_keys(self) -> set[str]:
        """Every condition key, in lower case."""
        return {key for keys in self.conditions.values() for key in keys}

    def covers(self, action: str) -> bool:
        """Whether its actions include this one (wildcards count)."""
        return any(fnmatchcase(action.lower(), pattern.lower()) for pattern in self.actions)


def statements(resource: Resource, property_: str) -> Iterator[Statement]:
    """The statements of the document in a property; none when it is missing.

    Raises `NotKnownYetError`, or `UnreadableError` for text that is not a document.
    """
    for place, document in resource.known(property_):
        try:
            parsed = json.loads(document) if isinstance(document, str) else document
        except ValueError:
            raise UnreadableError(place) from None
        body = parsed.get("Statement") if isinstance(parsed, Mapping) else None
        for index, raw in enumerate(body if isinstance(body, list) else [body]):
            if has_unknown(raw):
                raise NotKnownYetError(place)
            if not isinstance(raw, Mapping):
                raise UnreadableError(place)
            yield _statement(raw, f"{place}.Statement[{index}]")


def _statement(raw: Mapping[str, Any], path: str) -> Statement:
    allows = raw.get("Effect") == "Allow"

    def everything(inverted: str) -> tuple[str, ...]:
        """What an Allow gives with `NotAction` and the like: nearly all."""
        return ("*",) if allows and inverted in raw else ()

    who = raw.get("Principal", "*" if allows and "NotPrincipal" in raw else {})
    conditions = raw.get("Condition", {})
    if any(not isinstance(part, Mapping) for part in (who if who != "*" else {}, conditions)):
        raise UnreadableError(path)
    if any(not isinstance(keys, Mapping) for keys in conditions.values()):
        raise UnreadableError(path)
    return Statement(
        path=path,
        allows=allows,
        actions=_texts(raw.get("Action")) or everything("NotAction"),
        resources=_texts(raw.get("Resource")) or everything("NotResource"),
        principals={"*": ("*",)} if who == "*" else {kind: _texts(names) for kind, names in who.items()},
        conditions={
            operator: {key.lower(): _texts(values) for key, values in keys.items()}
            for operator, keys in conditions.items()
        },
    )


def _texts(value: Any) -> tuple[str, ...]:
    items = value if isinstance(value, list) else [] if value is None else [value]
    return tuple(str(item).lower() if isinstance(item, bool) else str(item) for item in items)
