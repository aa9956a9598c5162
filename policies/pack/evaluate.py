"""What do the rules say about a resource or a stack? Never raises, never prints a value, says what it cannot decide."""

import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pack.catalogue import Rule
from pack.documents import UnreadableError
from pack.exemptions import Exemption
from pack.resource import Resource, Stack, Undecided
from pack.values import NotKnownYetError

VIOLATION, EXEMPT, UNDECIDED, ERROR = "violation", "exempt", "undecided", "error"


@dataclass(frozen=True)
class Verdict:
    """One thing that a rule said: `kind` is violation, exempt, undecided or error (the rule itself failed)."""

    kind: str
    rule: str
    urn: str
    path: str
    message: str
    exemption: Exemption | None = None


@dataclass(frozen=True)
class Setting:
    """How a rule runs: `level` (advisory, mandatory or disabled) and its options."""

    level: str
    options: Mapping[str, Any] = field(default_factory=dict)


def judge(rule: Rule, resource: Resource, stack: Stack | None, options: Mapping[str, Any]) -> Iterator[Verdict]:
    """Run one rule on a resource. An exception of the rule becomes an error verdict with its place, not its text."""
    default = resource.urn
    try:
        for said in rule.check(resource, *([stack] if rule.of_stack else []), **options):
            urn = said.urn or default
            if isinstance(said, Undecided):
                yield Verdict(UNDECIDED, rule.name, urn, said.path, f"{said.path} is not known yet")
            else:
                yield Verdict(VIOLATION, rule.name, urn, said.path, said.message)
    except NotKnownYetError as unknown:
        yield Verdict(UNDECIDED, rule.name, default, unknown.path, f"{unknown.path} is not known yet")
    except UnreadableError as broken:
        yield Verdict(VIOLATION, rule.name, default, broken.path, f"{broken.path} is not a policy document")
    except Exception as failure:  # a rule that fails must show as one, whatever it failed on
        frame = traceback.extract_tb(failure.__traceback__)[-1]
        place = f"{frame.filename.rpartition('/')[2]}:{frame.lineno}"
        yield Verdict(ERROR, rule.name, default, "", f"the rule itself failed: {type(failure).__name__} at {place}")
