"""What does the provider refuse once it plans a creation: properties that are right alone but not together?"""

from collections.abc import Callable, Iterator

from rehearsal.answers import Failure
from rehearsal.values import Values

Rule = Callable[[Values], Iterator[Failure]]


def check_plan(token: str, inputs: Values) -> Iterator[Failure]:
    """Failures of the rules for `token`."""
    for rule in RULES.get(token, ()):
        yield from rule(inputs)


RULES: dict[str, tuple[Rule, ...]] = {}
"""Rules by type."""
