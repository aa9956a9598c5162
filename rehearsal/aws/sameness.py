"""When does the provider see no difference between two values that are not equal?"""

import functools
import ipaddress
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rehearsal.aws.documents import canonical
from rehearsal.aws.facts import DATA
from rehearsal.aws.formats import PROTOCOLS
from rehearsal.values import Value


@dataclass(frozen=True)
class Sameness:
    """How the properties of one type are compared. Paths as in the facts.

    A list is a set unless it is `ordered`: over the 135 types whose schemas were read, four of five lists of text are
    sets, and two of three lists of objects. `exact` types tell zero, false and empty text from nothing. `spellings`
    names for a path the function below that makes equal values alike.
    """

    ordered: frozenset[str] = frozenset()
    exact: bool = False
    spellings: Mapping[str, str] = field(default_factory=dict)

    def spelled(self, rule: str, value: Value) -> Value:
        """`value` as all that mean the same are spelled."""
        if isinstance(value, str):
            return SPELLINGS[self.spellings.get(rule, "document")](value)
        return value


def _protocol(text: str) -> str:
    return PROTOCOLS.get(text.lower(), text.lower())


def _network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text, strict=False))
    except ValueError:
        return text


def _number(text: str) -> str:
    try:
        return repr(float(text))
    except ValueError:
        return text


def _alias(text: str) -> str:
    """A KMS key by id or by ARN."""
    return text.rsplit(":key/", 1)[-1]


def _name(text: str) -> str:
    return text.lower().removesuffix(".")


def _as_is(text: str) -> str:
    return text


SPELLINGS: Mapping[str, Callable[[str], str]] = {
    "text": _as_is,
    "document": canonical,
    "case": str.lower,
    "dns": _name,
    "protocol": _protocol,
    "network": _network,
    "number": _number,
    "kms-key": _alias,
}
"""What a spelling in the data file means."""


@functools.cache
def _table() -> dict[str, Any]:
    data: dict[str, Any] = json.loads((DATA / "sameness.json").read_text())["types"]
    return data


@functools.cache
def sameness(token: str) -> Sameness:
    """How the properties of `token` are compared."""
    row = _table().get(token, {})
    return Sameness(
        ordered=frozenset(row.get("ordered", ())),
        exact=row.get("exact", False),
        spellings=row.get("spellings", {}),
    )
