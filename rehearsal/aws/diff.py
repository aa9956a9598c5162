"""What would an update do: nothing, change in place, or replace, and which properties are the reason?"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from rehearsal.answers import Change, Differences
from rehearsal.aws.context import Context
from rehearsal.aws.defaults import defaults_of
from rehearsal.aws.facts import Rules
from rehearsal.aws.library import Library
from rehearsal.aws.naming import overrides
from rehearsal.aws.sameness import sameness
from rehearsal.aws.schema import Property, Resource, Schemas, Type
from rehearsal.aws.transitions import replacing, silent
from rehearsal.values import UNKNOWN, Path, Value, Values, spell

_ABSENT = object()


def diff(
    library: Library,
    token: str,
    *,
    old_inputs: Values,
    old_outputs: Values,
    news: Values,
    context: Context,
    name: str = "",
    ignore_changes: Iterable[str] = (),
) -> Differences:
    """The differences between checked inputs; `name` is the last part of the URN."""
    resource = library.schemas.get(token)
    if resource is None:
        return Differences()
    olds = dict(old_inputs)
    if resource.regional:
        olds.setdefault("region", context.region)
        news = {"region": context.region, **news}
    comparison = Comparison(library.schemas, resource, library.facts.get(token), olds, news)
    comparison.fields(resource.inputs, olds, news, Place(Type("object"), (), ""))
    comparison.default_tags(old_outputs, context)
    ignored = tuple(ignore_changes)
    changes = [one for one in comparison.changes if not any(_within(one.path, path) for path in ignored)]
    replaces = tuple(dict.fromkeys(_top(one.path) for one in changes if one.replaces))
    return Differences(
        tuple(changes),
        replaces,
        tuple(dict.fromkeys(_top(one.path) for one in changes)),
        bool(replaces) and _delete_first(resource, olds, news, name),
    )


def _top(path: str) -> str:
    return path.split(".", 1)[0].split("[", 1)[0]


def _within(path: str, outer: str) -> bool:
    return path == outer or path.startswith((f"{outer}.", f"{outer}["))


def _delete_first(resource: Resource, olds: Values, news: Values, name: str) -> bool:
    """Whether the old one must go first: its type says so, or both would bear the name that the program fixed."""
    if resource.token in overrides().delete_before_replace:
        return True
    naming = overrides().naming(resource)
    if naming is None or news.get(naming.property) in (None, UNKNOWN):
        return False
    fixed = news[naming.property]
    return fixed == olds.get(naming.property) and not naming.made(fixed, name)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands: its type, its path with indexes, and the path without them that facts go by."""

    type: Type
    path: Path
    rule: str

    def field(self, known: Property) -> "Place":
        """The place of a field of this object."""
        return Place(known.type, (*self.path, known.name), f"{self.rule}.{known.name}" if self.rule else known.name)

    def inside(self, step: str | int) -> "Place":
        """The place of an element of this list or map."""
        return Place(self.type.element or self.type, (*self.path, step), self.rule)


@dataclass
class Comparison:
    """One pass over old and new inputs of one resource."""

    schemas: Schemas
    resource: Resource
    rules: Rules
    olds: Values
    news: Values
    changes: list[Change] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._defaults = defaults_of(self.resource, self.rules)
        self._same = sameness(self.resource.token)
        self._replacing = replacing(self.resource.token)
        self._silent = silent(self.resource.token)

    def fields(self, declared: Mapping[str, Property], old: Values, new: Values, at: Place) -> None:
        """Compare the fields of two objects."""
        for name in sorted(old.keys() | new.keys()):
            known = declared.get(name)
            if known is None:
                continue
            place = at.field(known)
            default = self._defaults.get(place.rule, _ABSENT)
            was, now = old.get(name, default), new.get(name, default)
            if name not in new and self._stays(known, place.rule):
                continue
            if was is _ABSENT:
                if not self._empty(now, known.type):
                    self._note("add", None, now, place)
            elif now is _ABSENT:
                if not self._empty(was, known.type):
                    self._note("delete", was, None, place)
            else:
                self.value(was, now, place)

    def default_tags(self, outputs: Values, context: Context) -> None:
        """Other default tags of the provider change resources whose own tags stay as they are."""
        was, own = outputs.get("tagsAll"), self.news.get("tags", {})
        if isinstance(was, dict) and isinstance(own, dict) and not self.changes:
            now = {**context.default_tags, **own}
            if was != now:
                self.changes.append(Change("tagsAll", "update"))

    def _stays(self, known: Property, rule: str) -> bool:
        """Whether AWS keeps its own value when the program leaves the property out."""
        return (known.computed and rule not in self.rules.not_computed) or rule in self.rules.computed

    def _empty(self, value: Value, kind: Type) -> bool:
        """What the provider does not tell from a property that is not set; a block without content is set."""
        return kind.kind != "object" and not (self._same.exact and value in ("", 0, False)) and empty(value)

    def value(self, old: Value, new: Value, at: Place) -> None:
        """Compare two values of one property."""
        kind = at.type
        if old is UNKNOWN or new is UNKNOWN:
            self._note("update", old, new, at)
        elif kind.kind == "object" and isinstance(old, dict) and isinstance(new, dict):
            self.fields(self.schemas.fields(kind.cls or ""), old, new, at)
        elif kind.kind == "list" and isinstance(old, list) and isinstance(new, list):
            self._list(old, new, at)
        elif kind.kind == "map" and isinstance(old, dict) and isinstance(new, dict):
            self._map(old, new, at)
        elif self._differ(old, new, at.rule):
            self._note("update", old, new, at)

    def _differ(self, old: Value, new: Value, rule: str) -> bool:
        if old == new and isinstance(old, bool) == isinstance(new, bool):
            return False
        return bool(self._spelled(old, rule) != self._spelled(new, rule))

    def _spelled(self, value: Value, rule: str) -> Value:
        if isinstance(value, dict):
            return {key: self._spelled(one, rule) for key, one in value.items()}
        if isinstance(value, list):
            return [self._spelled(one, rule) for one in value]
        return self._same.spelled(rule, value)

    def _map(self, old: Values, new: Values, at: Place) -> None:
        for key in sorted(old.keys() | new.keys()):
            if key not in new:
                self._note("delete", old[key], None, at.inside(key))
            elif key not in old:
                self._note("add", None, new[key], at.inside(key))
            else:
                self.value(old[key], new[key], at.inside(key))

    def _list(self, old: list[Value], new: list[Value], at: Place) -> None:
        gone, come = list(range(len(old))), list(range(len(new)))
        if at.rule not in self._same.ordered:
            gone, come = self._unmatched(old, new, at)
        pairs = list(zip(gone, come, strict=False))
        for before, after in pairs:
            self.value(old[before], new[after], at.inside(after))
        for index in gone[len(pairs) :]:
            self._note("delete", old[index], None, at.inside(index))
        for index in come[len(pairs) :]:
            self._note("add", None, new[index], at.inside(index))

    def _unmatched(self, old: list[Value], new: list[Value], at: Place) -> tuple[list[int], list[int]]:
        """The positions in two sets whose elements the other one does not have."""
        gone, come = [], list(range(len(new)))
        for index, one in enumerate(old):
            match = next((other for other in come if self._alike(one, new[other], at.inside(index))), None)
            if match is None:
                gone.append(index)
            else:
                come.remove(match)
        return gone, come

    def _alike(self, old: Value, new: Value, at: Place) -> bool:
        if at.type.kind != "object":
            return old is not UNKNOWN and new is not UNKNOWN and not self._differ(old, new, at.rule)
        trial = Comparison(self.schemas, self.resource, self.rules, self.olds, self.news)
        trial.value(old, new, at)
        return not trial.changes

    def _note(self, what: Literal["add", "delete", "update"], old: Value, new: Value, at: Place) -> None:
        """Keep a change, with whether it replaces the resource."""
        whole = old if new is None else new
        replaces = any(self._replaces(rule) for rule in (at.rule, *self._leaves(at.type, whole, at.rule)))
        for rule in _prefixes(at.rule):
            if rule in self._silent and self._silent[rule](self.olds, self.news):
                return
            if rule in self._replacing:
                replaces = self._replacing[rule](self.olds, self.news)
        self.changes.append(Change(spell(at.path), what, replaces))

    def _replaces(self, rule: str) -> bool:
        return any(one in self.rules.replace_on for one in _prefixes(rule)) or (
            rule == "region" and self.resource.regional
        )

    def _leaves(self, kind: Type, value: Value, rule: str) -> Iterator[str]:
        """The paths of all values inside `value`, for a block that comes or goes as a whole."""
        if isinstance(value, list) and kind.element:
            for one in value:
                yield from self._leaves(kind.element, one, rule)
        elif isinstance(value, dict) and kind.kind == "object":
            for name, known in self.schemas.fields(kind.cls or "").items():
                if name in value and not empty(value[name]):
                    inner = f"{rule}.{name}"
                    yield inner
                    yield from self._leaves(known.type, value[name], inner)


def _prefixes(rule: str) -> Iterator[str]:
    yield rule
    while "." in rule:
        rule = rule.rpartition(".")[0]
        yield rule


def empty(value: Value) -> bool:
    """Nothing, zero, false, or a list, map or text without content."""
    return value is not UNKNOWN and (value is None or value in ("", 0, False, [], {}))
