"""What does the account know when it judges a request: the object asked for, and everything that exists?"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from rehearsal.answers import Refused
from rehearsal.aws.context import Context
from rehearsal.aws.identity import canonical
from rehearsal.aws.inventory import Inventory
from rehearsal.values import Value, Values
from rehearsal.world import Row


@dataclass(frozen=True)
class Request:
    """The creation, change or deletion of one object; `row` is what it is so far, None for a creation."""

    token: str
    inputs: Values
    context: Context
    inventory: Inventory
    row: Row | None = None

    def others(self, token: str, *, everywhere: bool = False, **equal: Value) -> list[Row]:
        """Other objects of a type, with these outputs, in this region or in all regions."""
        rows = self.inventory.rows(token, **equal)
        return [row for row in rows if (everywhere or row.region == self.context.region) and not self._is_own(row)]

    def find(self, name: Value) -> Row | None:
        """The object with this id or ARN, the one of this region first; None where the world does not know it."""
        rows = self.inventory.called(name) if isinstance(name, str) and name else []
        return next((row for row in rows if row.region == self.context.region), rows[0] if rows else None)

    def named(self, token: str, property: str, name: Value) -> Row | None:
        """The object of a type in this region with this name."""
        rows = self.inventory.rows(token, **{property: name}) if isinstance(name, str) and name else []
        return next((row for row in rows if row.region == self.context.region), None)

    def every(self, path: str) -> list[Value]:
        """The object's values at a dotted path, through all lists on the way."""
        return every(self.inputs, path)

    def words(self, text: str, **found: Value) -> str:
        """A message with its fields filled in from what was found, the object and its place."""
        known = {"account": self.context.account, "region": self.context.region}
        if self.row is not None:
            known |= {"id": self.row.id, **self.row.outputs}
        return text.format_map(_Blank({**known, **self.inputs, **found}))

    def _is_own(self, row: Row) -> bool:
        own = self.row
        return own is not None and (row.token, row.region, row.id) == (own.token, own.region, own.id)


Rule = Callable[[Request], Refused | None]


class _Blank(dict[str, Value]):
    """Fields of a message; what an object leaves out is blank."""

    def __missing__(self, key: str) -> str:
        return ""


def every(value: Value, path: str) -> list[Value]:
    """The values at a dotted path, through all lists on the way; nothing for what is left out."""
    found = [value]
    for step in path.split("."):
        inner = [item.get(step) for item in found if isinstance(item, dict)]
        found = list(_flat(inner))
    return found


def _flat(values: list[Value]) -> Iterator[Value]:
    for value in values:
        if isinstance(value, list):
            yield from _flat(value)
        elif value is not None:
            yield value


def plain(token: str) -> str:
    """The type under its plain name."""
    return canonical(token)
