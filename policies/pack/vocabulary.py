"""In which words are property rules written? Predicates with their wording, and `must`, which applies one to a path."""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from pack.resource import Finding, Findings, Resource, Undecided
from pack.values import has_unknown


@dataclass(frozen=True)
class Predicate:
    """What a value must be, in words that complete "... must be ...", and the test for it."""

    words: str
    holds: Callable[[Any], bool]


def one_of(*allowed: Any) -> Predicate:
    """One of the literal values."""
    return Predicate(
        " or ".join(str(value).lower() if isinstance(value, bool) else str(value) for value in allowed),
        lambda value: value in allowed or _literal(value) in allowed,
    )


def at_least(minimum: float) -> Predicate:
    """A number, or text of one, not below `minimum`."""
    return Predicate(f"at least {minimum}", lambda value: (given := number(value)) is not None and given >= minimum)


def at_most(maximum: float) -> Predicate:
    """A number, or text of one, not above `maximum`."""
    return Predicate(f"at most {maximum}", lambda value: (given := number(value)) is not None and given <= maximum)


def containing(*wanted: Any) -> Predicate:
    """A list with all of these elements."""
    return Predicate(
        "a list with " + ", ".join(map(str, wanted)),
        lambda value: isinstance(value, list) and all(item in value for item in wanted),
    )


def matching(pattern: str, words: str) -> Predicate:
    """Text that matches the whole pattern, described by `words`."""
    return Predicate(words, lambda value: isinstance(value, str) and re.fullmatch(pattern, value) is not None)


def no(predicate: Predicate) -> Predicate:
    """The opposite."""
    return Predicate(f"other than {predicate.words}", lambda value: not predicate.holds(value))


TRUE = one_of(True)
FALSE = one_of(False)
GIVEN = Predicate("set", lambda value: value not in (None, "") and not (isinstance(value, Collection) and not value))
ABSENT = Predicate("absent", lambda value: not GIVEN.holds(value))


def must(resource: Resource, path: str, predicate: Predicate, default: Any = None) -> Findings:
    """One finding for each place named by `path` whose value (`default` when missing) breaks the predicate."""
    for place, value in resource.each(path):
        if has_unknown(value):
            yield Undecided(place, resource.urn)
        elif not predicate.holds(default if value is None else value):
            yield Finding(place, f"{place} must be {predicate.words}", resource.urn)


def _literal(value: Any) -> Any:
    """Booleans also travel as text (provider configuration, Kubernetes annotations)."""
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


def number(value: Any) -> float | None:
    """A number, or text of one, as float; None for anything else."""
    try:
        return None if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return None
