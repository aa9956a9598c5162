"""What exists in an account, seen from one stack: what the stack created, and what AWS itself put there."""

from dataclasses import dataclass

from rehearsal.aws import given
from rehearsal.aws.context import Context
from rehearsal.values import Value
from rehearsal.world import Row, World


@dataclass(frozen=True)
class Inventory:
    """Looks into the account and region of `here`; the stack's own objects come first."""

    world: World
    here: Context

    def rows(self, *tokens: str, **equal: Value) -> list[Row]:
        """Objects of the given types whose outputs have the given top-level values, as `World.rows`."""
        others = [row for row in given.rows(self.here) if row.token in tokens or not tokens]
        return self.world.rows(*tokens, **equal) + [row for row in others if equal.items() <= row.outputs.items()]

    def called(self, name: str) -> list[Row]:
        """Objects with this id or ARN, of any type."""
        return self.world.called(name) + [row for row in given.rows(self.here) if name in (row.id, row.outputs["arn"])]
