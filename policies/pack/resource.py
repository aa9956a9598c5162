"""What does a rule see? One resource, or the whole stack, as plain immutable data; and what it says: findings."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pack.values import UNKNOWN, NotKnownYetError, expand


@dataclass(frozen=True)
class Finding:
    """A rule is broken at `path`; `message` names properties and requirements, never a value of the resource.

    `urn` is set by stack rules: the resource to blame.
    """

    path: str
    message: str
    urn: str = ""


@dataclass(frozen=True)
class Undecided:
    """The rule needs the value at `path`, which only exists after creation."""

    path: str
    urn: str = ""


Findings = Iterator[Finding | Undecided]


@dataclass(frozen=True)
class Resource:
    """A resource as the rules see it: checked inputs, or outputs for stack rules during a run of the engine."""

    urn: str
    type: str
    properties: Mapping[str, Any] = field(default_factory=dict)
    protect: bool = False
    ignore_changes: tuple[str, ...] = ()
    parent: str = ""
    provider: Mapping[str, Any] = field(default_factory=dict)
    dependencies: tuple[str, ...] = ()
    property_dependencies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The logical name: what follows the last `::` of the URN."""
        return self.urn.rpartition("::")[2]

    def get(self, path: str) -> Any:
        """The value at `path` (no `[*]`), None when missing; raises `NotKnownYetError` when it is unknown."""
        for place, value in expand(self.properties, path):
            if value is UNKNOWN:
                raise NotKnownYetError(place)
            return value
        return None

    def each(self, path: str) -> Iterator[tuple[str, Any]]:
        """Every concrete path and value that `path` names, `UNKNOWN` ones included."""
        return expand(self.properties, path)

    def known(self, path: str) -> Iterator[tuple[str, Any]]:
        """The same without missing values; raises `NotKnownYetError` at the first unknown one."""
        for place, value in expand(self.properties, path):
            if value is UNKNOWN:
                raise NotKnownYetError(place)
            if value is not None:
                yield place, value

    @cached_property
    def tags(self) -> Mapping[str, Any]:
        """Tags as AWS gets them: the provider's default tags overlaid with the resource's own (values may be unknown).

        The engine shows a policy the resource's own tags only. Raises `NotKnownYetError` when either set is unknown.
        """
        defaults = self.provider.get("defaultTags") or {}
        if isinstance(defaults, str):  # provider inputs travel as JSON text
            defaults = json.loads(defaults)
        own = self.get("tags") or {}
        if defaults is UNKNOWN or (isinstance(defaults, Mapping) and defaults.get("tags") is UNKNOWN):
            raise NotKnownYetError("provider.defaultTags")
        common = defaults.get("tags") if isinstance(defaults, Mapping) else None
        return {**(common if isinstance(common, Mapping) else {}), **(own if isinstance(own, Mapping) else {})}


@dataclass(frozen=True)
class Stack:
    """All resources of a stack, with the links between them."""

    resources: tuple[Resource, ...]

    def of(self, *types: str) -> Iterator[Resource]:
        """The resources of these types, in the engine's order."""
        return (resource for resource in self.resources if resource.type in types)

    def linked(self, sources: Iterable[Resource], property_: str, target: Resource) -> Iterator[Resource]:
        """Those of `sources` whose `property_` refers to `target`.

        The engine records which resource a property came from, so this is decided in a preview too, where ids do not
        exist yet; a literal id is compared with the target's.
        """
        for source in sources:
            literal = next((value for _, value in source.each(property_)), None)
            identities = [target.properties.get(key) for key in ("id", "arn", "name", "bucket")]
            if target.urn in source.property_dependencies.get(property_.partition(".")[0], ()) or (
                isinstance(literal, str) and literal in identities
            ):
                yield source
