"""Which changes replace only sometimes? One small predicate for each property whose answer depends on the values."""

from collections.abc import Callable, Mapping

from rehearsal.values import Values

Transition = Callable[[Values, Values], bool]
"""Old and new inputs of the resource: does this change replace it?"""


def transitions(token: str) -> Mapping[str, Transition]:
    """Predicates for `token`, by path."""
    return TRANSITIONS.get(token, {})


TRANSITIONS: dict[str, dict[str, Transition]] = {}
"""Predicates by type and path."""
