"""What does a provider answer, in plain values? The server puts these into the protocol's messages."""

from dataclasses import dataclass, field
from typing import Literal

from rehearsal.values import Properties, Values


@dataclass(frozen=True)
class Urn:
    """A resource's name in the engine: `urn:pulumi:stack::project::parent$type::name`."""

    text: str
    stack: str
    project: str
    token: str
    name: str

    @classmethod
    def parse(cls, text: str) -> "Urn":
        """Take a URN apart. Raises ValueError when it is none."""
        parts = text.split("::", 3)
        if len(parts) != 4 or not parts[0].startswith("urn:pulumi:"):
            raise ValueError("not a URN: urn:pulumi:stack::project::type::name is expected")
        return cls(text, parts[0].removeprefix("urn:pulumi:"), parts[1], parts[2].rpartition("$")[2], parts[3])


@dataclass(frozen=True)
class Failure:
    """One property that Check refuses: its path and the reason, which never repeats the value."""

    property: str
    reason: str


@dataclass(frozen=True)
class Checked:
    """Inputs with what the provider adds to them, or why they are refused."""

    inputs: Values
    failures: tuple[Failure, ...] = ()


@dataclass(frozen=True)
class Change:
    """One property that differs, by path."""

    path: str
    kind: Literal["add", "delete", "update"]
    replaces: bool = False


@dataclass(frozen=True)
class Differences:
    """What an update would do. No changes: nothing to do."""

    changes: tuple[Change, ...] = ()
    replaces: tuple[str, ...] = ()
    diffs: tuple[str, ...] = ()
    delete_before_replace: bool = False


@dataclass(frozen=True)
class Object:
    """A resource as the provider holds it: id, checked inputs, outputs."""

    id: str
    inputs: Properties = field(default_factory=lambda: Properties({}))
    outputs: Properties = field(default_factory=lambda: Properties({}))


class Refused(Exception):  # noqa: N818 - what the service says, not a fault of the plugin
    """The service says no: its error code, what it says, and the property at fault where one is."""

    def __init__(self, code: str, message: str, property: str | None = None) -> None:
        self.code, self.message, self.property = code, message, property
        super().__init__(f"{code}: {message}" + (f" (property {property})" if property else ""))
