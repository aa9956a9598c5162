"""What does a rule see? One resource, or the whole stack, as plain immutable data; and what it says: findings."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pack.values import UNKNOWN, NotKnownYetError, expand


@dataclass(frozen=True)
class Finding:
    """A rule is broken at `path`; `message` names properties and requirements, never a value of the resource.

    `urn` names the resource to blame when it is not the one that the rule was asked about.
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
    """A resource as the rules see it: its checked inputs; `outputs` only serve to recognise references to it."""

    urn: str
    type: str
    properties: Mapping[str, Any] = field(default_factory=dict)
    protect: bool = False
    ignore_changes: tuple[str, ...] = ()
    parent: str = ""
    provider: Mapping[str, Any] = field(default_factory=dict)
    outputs: Mapping[str, Any] = field(default_factory=dict)
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

    def refers(self, path: str, target: "Resource") -> bool:
        """Whether the value at `path` names `target`.

        The engine records which resource a property came from, so this is decided in a preview too, where ids do not
        exist yet; a literal is compared with the target's id, ARN and name.
        """
        if target.urn in self.property_dependencies.get(path.partition(".")[0].partition("[")[0], ()):
            return True
        return any(isinstance(value, str) and value in target.identities for _, value in self.each(path))

    @cached_property
    def identities(self) -> frozenset[str]:
        """What other resources may call this one: id, ARN, name."""
        places = [self.outputs, self.properties, self.properties.get("metadata")]
        keys = ("id", "arn", "name", "bucket")
        found = (place.get(key) for place in places if isinstance(place, Mapping) for key in keys)
        return frozenset(value for value in found if isinstance(value, str) and value)

    @cached_property
    def tags(self) -> Mapping[str, Any]:
        """Tags as AWS gets them: the provider's default tags overlaid with the resource's own (values may be unknown).

        The engine shows a policy the resource's own tags only. Raises `NotKnownYetError` when either set is unknown.
        """
        provider = self.properties if self.type.startswith("pulumi:providers:") else self.provider
        defaults = provider.get("defaultTags") or {}
        if isinstance(defaults, str):  # provider inputs travel as JSON text
            try:
                defaults = json.loads(defaults)
            except ValueError:
                defaults = {}
        own = self.get("tags") or {}
        if defaults is UNKNOWN or (isinstance(defaults, Mapping) and defaults.get("tags") is UNKNOWN):
            raise NotKnownYetError("provider.defaultTags")
        common = defaults.get("tags") if isinstance(defaults, Mapping) else None
        return {**(common if isinstance(common, Mapping) else {}), **(own if isinstance(own, Mapping) else {})}


@dataclass(frozen=True)
class Stack:
    """All resources of a stack, with the links between them."""

    resources: tuple[Resource, ...]

    @cached_property
    def _by_type(self) -> Mapping[str, list[Resource]]:
        index: dict[str, list[Resource]] = {}
        for resource in self.resources:
            index.setdefault(resource.type, []).append(resource)
        return index

    def of(self, *types: str) -> Iterator[Resource]:
        """The resources of these types."""
        return (resource for type_ in types for resource in self._by_type.get(type_, ()))

    @cached_property
    def _by_urn(self) -> Mapping[str, Resource]:
        return {resource.urn: resource for resource in self.resources}

    def named_by(self, source: Resource, *properties: str) -> Iterator[Resource]:
        """The resources that properties of `source` came from: of all its properties when none is named."""
        for name, urns in source.property_dependencies.items():
            if not properties or name in properties:
                yield from (self._by_urn[urn] for urn in urns if urn in self._by_urn)

    def before(self, resource: Resource) -> frozenset[str]:
        """The URNs of everything that is complete before `resource` begins."""
        found: set[str] = set()
        waiting = [resource]
        while waiting:
            one = waiting.pop()
            named = {*one.dependencies, *(urn for urns in one.property_dependencies.values() for urn in urns)}
            waiting += [self._by_urn[urn] for urn in named - found if urn in self._by_urn]
            found |= named
        return frozenset(found)

    def linked(self, type_: str, path: str, target: Resource) -> Iterator[Resource]:
        """The resources of a type whose value at `path` refers to `target`."""
        return (source for source in self.of(type_) if source.refers(path, target))
