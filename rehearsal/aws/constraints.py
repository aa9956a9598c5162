"""What must a single value satisfy? One function for each fact about a property: it returns what is wrong, or None."""

import difflib
from collections.abc import Callable, Iterable
from typing import Any

import re2

from rehearsal.aws.facts import Rules
from rehearsal.aws.formats import FORMATS

Constraint = Callable[[Any], str | None]
"""Given a converted value that is neither unknown nor empty. The answer never contains the value."""

_SHOWN = 12
_SIMILAR = 80
"""Characters that are compared to find what was meant."""


def compile_constraints(rules: Rules, *, at_up: bool) -> dict[str, list[Constraint]]:
    """Constraints by path: those of the provider, or with `at_up` those that only AWS itself enforces."""
    found: dict[str, list[Constraint]] = {}
    for table, make in _MAKERS.items():
        for path, value in getattr(rules, table).items():
            if (f"{table}.{path}" in rules.refused_at_up) == at_up:
                found.setdefault(path, []).append(make(rules, path, value))
        for path, value in rules.up.get(table, {}).items() if at_up else ():
            found.setdefault(path, []).append(make(rules, path, value))
    return found


def one_of(values: list[Any], *, ignore_case: bool) -> Constraint:
    """One of `values`; text is compared with its case unless told otherwise."""
    known = {_spelled(value, ignore_case) for value in values}
    names = [str(value) for value in values]

    def check(value: Any) -> str | None:
        if isinstance(value, bool | dict | list) or _spelled(value, ignore_case) in known:
            return None
        text = str(value).lower()[:_SIMILAR]
        near = difflib.get_close_matches(text, [name.lower() for name in names], 1, 0.85)
        meant = [name for name in names if near and name.lower() == near[0]]
        hint = f"; did you mean {meant[0]!r}?" if meant else ""
        return f"expected one of {_listed(names)}{hint}"

    return check


def _spelled(value: Any, ignore_case: bool) -> str:
    return str(value).lower() if ignore_case else str(value)


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(repr(name) for name in names[:_SHOWN]) + more


def between(low: float | None, high: float | None) -> Constraint:
    """A number from `low` to `high`, both inclusive; None is open."""

    def check(value: Any) -> str | None:
        number = _number(value)
        if number is None or ((low is None or number >= low) and (high is None or number <= high)):
            return None
        return f"expected a number {_span(low, high)}"

    return check


def _number(value: Any) -> float | None:
    if isinstance(value, bool | dict | list):
        return None
    try:
        return float(value)
    except ValueError:
        return None


def _span(low: float | None, high: float | None) -> str:
    if high is None:
        return f"of at least {low}"
    return f"of at most {high}" if low is None else f"from {low} to {high}"


def long(low: int | None, high: int | None) -> Constraint:
    """Text of `low` to `high` characters, or a list or map of as many items; None is open."""

    def check(value: Any) -> str | None:
        if not isinstance(value, str | list | dict):
            return None
        if (low is None or len(value) >= low) and (high is None or len(value) <= high):
            return None
        what = "characters" if isinstance(value, str) else "items"
        return f"expected {_span(low, high).removeprefix('of ')} {what}, got {len(value)}"

    return check


def matches(patterns: Iterable[str], *, wanted: bool) -> Constraint:
    """Text that all `patterns` find something in, or with `wanted` false, none."""
    compiled = [(source, compile_pattern(source)) for source in patterns]

    def check(value: Any) -> str | None:
        if not isinstance(value, str | int | float) or isinstance(value, bool):
            return None
        for source, pattern in compiled:
            if (pattern(str(value)) is None) == wanted:
                return f"{'must' if wanted else 'must not'} match {source}"
        return None

    return check


def compile_pattern(source: str) -> Callable[[str], Any]:
    """A search function in the dialect of the provider's language: RE2, whose time grows with the text only."""
    search: Callable[[str], Any] = re2.compile(source).search
    return search


def formed(name: str) -> Constraint:
    """A value of the format `name`."""
    test, expected = FORMATS[name]

    def check(value: Any) -> str | None:
        if isinstance(value, bool | dict | list) or test(value):
            return None
        return f"expected {expected}"

    return check


_MAKERS: dict[str, Callable[[Rules, str, Any], Constraint]] = {
    "enums": lambda rules, path, values: one_of(values, ignore_case=path in rules.ignore_case),
    "ranges": lambda _rules, _path, bounds: between(*bounds),
    "lengths": lambda _rules, _path, bounds: long(*bounds),
    "patterns": lambda _rules, _path, patterns: matches(patterns, wanted=True),
    "not_patterns": lambda _rules, _path, patterns: matches(patterns, wanted=False),
    "formats": lambda _rules, _path, name: formed(name),
}
"""How the facts of each table become constraints."""
