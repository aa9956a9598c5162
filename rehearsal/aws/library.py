"""Everything that is known about the AWS provider, opened once for each process."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from rehearsal.aws.constraints import Constraint, compile_constraints
from rehearsal.aws.facts import Facts
from rehearsal.aws.schema import Schemas, open_schemas


@dataclass(frozen=True)
class Library:
    """Schemas of the installed SDK, the committed facts, and the constraints compiled from them."""

    schemas: Schemas
    facts: Facts
    _compiled: dict[tuple[str, bool], Mapping[str, list[Constraint]]] = field(default_factory=dict)

    @classmethod
    def open(cls) -> "Library":
        """Open both; raises SchemaMissingError when the set-up never ran."""
        return cls(open_schemas(), Facts())

    def constraints(self, token: str, *, at_up: bool) -> Mapping[str, list[Constraint]]:
        """What single values of `token` must satisfy, by path, compiled when first asked for."""
        key = (token, at_up)
        if key not in self._compiled:
            self._compiled[key] = compile_constraints(self.facts.get(token), at_up=at_up)
        return self._compiled[key]
