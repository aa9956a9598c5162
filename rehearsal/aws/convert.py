"""Do values have the types that the schema declares? Converts what the provider converts, names what is wrong."""

import difflib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from rehearsal.answers import Failure
from rehearsal.aws.constraints import Constraint
from rehearsal.aws.schema import Property, Schemas, Type
from rehearsal.values import UNKNOWN, Path, Value, Values, has_unknown, spell

_WORDS = {"string": "text", "bool": "true or false", "int": "a whole number", "float": "a number"}
_NOT_NUMBERS = frozenset("_nN ")
_INTERNAL = frozenset({"__defaults", "__meta"})


class WrongTypeError(Exception):
    """A value cannot be taken as the declared type."""


@dataclass
class Conversion:
    """One pass over the inputs of one resource; `failures` holds at most one reason for each path.

    `types` false leaves types and names alone, for inputs that were checked before.
    """

    schemas: Schemas
    constraints: Mapping[str, list[Constraint]]
    failures: dict[str, Failure] = field(default_factory=dict)
    types: bool = True

    def fail(self, path: Path, reason: str) -> None:
        """Note what is wrong at `path`; the first reason stays."""
        spelled = spell(path)
        self.failures.setdefault(spelled, Failure(spelled, reason))

    def fields(self, declared: Mapping[str, Property], values: Values, path: Path, rule: str) -> Values:
        """The fields of a resource (`path` empty) or of an object inside it."""
        converted: Values = {}
        for name, value in values.items():
            known = declared.get(name)
            if name in _INTERNAL or value is None:
                continue
            if known is None:
                if self.types:
                    self.fail((*path, name), _unknown_name(name, declared))
                continue
            converted[name] = self.value(known.type, value, (*path, name), f"{rule}.{name}" if rule else name)
        for name, known in declared.items() if self.types else ():
            if known.required and name not in converted:
                self.fail((*path, name), "required, but not set")
            elif known.required and converted.get(name) == [] and _holds_blocks(known.type):
                self.fail((*path, name), "required, but empty")
        return converted

    def value(self, kind: Type, value: Value, path: Path, rule: str) -> Value:
        """One value converted to `kind` and held against the facts of `rule`, its path without indexes."""
        if value is UNKNOWN or value is None:
            return value
        try:
            value = self._convert(kind, value, path, rule)
        except WrongTypeError as error:
            if self.types:
                self.fail(path, str(error))
            return value
        if value is not UNKNOWN and value != "":
            for constraint in self.constraints.get(rule, ()):
                reason = constraint(value)
                if reason:
                    self.fail(path, reason)
        return value

    def _convert(self, kind: Type, value: Value, path: Path, rule: str) -> Value:
        match kind.kind:
            case "list":
                return self._list(kind, value, path, rule)
            case "map":
                return self._map(kind, value, path, rule)
            case "object":
                if not isinstance(value, dict):
                    raise WrongTypeError(f"expected an object, got {_kind_of(value)}")
                return self.fields(self.schemas.fields(kind.cls or ""), value, path, rule)
            case "json" if isinstance(value, dict):
                # As the provider: keys sorted, no spaces; nothing to write while a part of it is unknown.
                return UNKNOWN if has_unknown(value) else json.dumps(value, sort_keys=True, separators=(",", ":"))
            case "any" | "asset":
                return value
            case _:
                return scalar(kind.kind, value)

    def _list(self, kind: Type, value: Value, path: Path, rule: str) -> Value:
        if not isinstance(value, list) or kind.element is None:
            raise WrongTypeError(f"expected a list, got {_kind_of(value)}")
        element, inner = kind.element, rule
        if element.kind not in {"object", "list", "map"}:
            inner = f"{rule}[]"
        return [self.value(element, one, (*path, at), inner) for at, one in enumerate(value)]

    def _map(self, kind: Type, value: Value, path: Path, rule: str) -> Value:
        if not isinstance(value, dict) or kind.element is None:
            raise WrongTypeError(f"expected a map, got {_kind_of(value)}")
        return {key: self.value(kind.element, one, (*path, key), f"{rule}[]") for key, one in value.items()}


def scalar(kind: str, value: Value) -> Value:
    """`value` as text, a number or a truth value; the last two may be written as text, and the other way round."""
    wrong = WrongTypeError(f"expected {_WORDS.get(kind, 'text')}, got {_kind_of(value)}")
    if isinstance(value, list | dict):
        raise wrong
    match kind:
        case "bool":
            if value not in (True, False, "true", "false") or not isinstance(value, bool | str):
                raise wrong
            return value in (True, "true")
        case "int" | "float":
            if isinstance(value, bool):
                raise wrong
            number = _parsed(value, kind) if isinstance(value, str) else value
            return _whole(number) if kind == "int" else number
        case _:
            return str(value).lower() if isinstance(value, bool) else str(value)


def _parsed(text: str, kind: str) -> float:
    wrong = WrongTypeError(f"expected {_WORDS[kind]}, got text")
    if not text or len(text) > 40 or not text.isascii() or _NOT_NUMBERS & set(text):
        raise wrong
    try:
        number = float(text)
    except ValueError:
        raise wrong from None
    if not math.isfinite(number):
        raise wrong
    return int(text) if text.lstrip("+-").isdigit() else number


def _whole(number: float) -> float:
    if isinstance(number, float):
        if not number.is_integer():
            raise WrongTypeError("expected a whole number, got a fraction")
        return int(number)
    return number


def _kind_of(value: Value) -> str:
    match value:
        case bool():
            return "a truth value"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case list():
            return "a list"
        case _:
            return "an object"


def _unknown_name(name: str, declared: Mapping[str, Property]) -> str:
    near = difflib.get_close_matches(name, declared, 1, 0.7) if len(name) <= 80 else []
    return "no such property" + (f"; did you mean {near[0]!r}?" if near else "")


def _holds_blocks(kind: Type) -> bool:
    return kind.element is not None and kind.element.kind == "object"
