"""How do the protocol's property values become plain Python values and back, and what of them is secret?

Plain values are `dict`, `list`, `str`, `int`, `float`, `bool`, `None` and `UNKNOWN`. A property set to null is an
absent one, as for the provider, and a number that is none (infinite) is text. Secrets are unwrapped on the way in and
remembered by path, so that rules see plain values; they are wrapped again on the way out, and `redact` keeps them out
of every message. Assets and archives stay dictionaries with their signature (`is_asset`).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, final

from google.protobuf.struct_pb2 import NULL_VALUE, Struct
from google.protobuf.struct_pb2 import Value as Message

Value: TypeAlias = Any
Values: TypeAlias = dict[str, Any]
Path: TypeAlias = tuple[str | int, ...]

SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
_SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - the protocol's marker of a secret, not one
_OUTPUT: Final = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
_ASSETS: Final = frozenset({"c44067f5952c0a294b673a41bacd8c17", "0def7320c3a5731c473e5ecbe6d01bc7"})
_UNKNOWN: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
# One spelling per kind of value in the protocol: string, bool, number, array, asset, archive, object.
_UNKNOWNS: Final = frozenset(
    {
        _UNKNOWN,
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    }
)


@final
class Unknown:
    """The type of `UNKNOWN`: a value that only exists once something has been created. Compare with `is`."""

    def __repr__(self) -> str:
        return "<unknown>"

    def __copy__(self) -> Unknown:
        return self

    def __deepcopy__(self, _memo: object) -> Unknown:
        return self

    def __reduce__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown()


@dataclass(frozen=True)
class Properties:
    """Plain values and the paths of those that are secret (a secret path covers all below it)."""

    values: Values
    secrets: frozenset[Path] = frozenset()

    def is_secret(self, path: Path) -> bool:
        """Whether the value at `path` is a secret or part of one."""
        return any(path[: len(secret)] == secret for secret in self.secrets)


def load(struct: Struct) -> Properties:
    """Plain values of a message."""
    secrets: set[Path] = set()
    values = _load_fields(struct, (), secrets)
    return Properties(values, frozenset(secrets))


def dump(values: Mapping[str, Value], secrets: Iterable[Path] = ()) -> Struct:
    """The message of plain values, wrapped as secret at `secrets`; a path into what is text now covers the text."""
    struct = Struct()
    _dump_fields(values, struct, frozenset(secrets))
    return struct


def has_unknown(value: Value) -> bool:
    """Whether the value or anything inside it is not known yet."""
    if isinstance(value, dict):
        return any(has_unknown(item) for item in value.values())
    if isinstance(value, list):
        return any(has_unknown(item) for item in value)
    return value is UNKNOWN


def is_asset(value: Value) -> bool:
    """Whether the value is an asset or an archive (a file's content, not a structure to look into)."""
    return isinstance(value, dict) and value.get(SIGNATURE) in _ASSETS


def spell(path: Path) -> str:
    """A path as the engine and people write it: `ingress[0].cidrBlocks`, `annotations["example.com/a"]`."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif step and not re.search(r'[.\[\]"]', step):
            text += f".{step}" if text else step
        else:
            text += '["' + step.replace("\\", "\\\\").replace('"', '\\"') + '"]'
    return text


def redact(text: str, *holders: Properties) -> str:
    """The text without any secret of the given properties."""
    leaves = {leaf for holder in holders for path in holder.secrets for leaf in _leaves(at(holder.values, path))}
    spellings = {spelled for leaf in leaves for spelled in (leaf, repr(leaf)[1:-1], json.dumps(leaf)[1:-1])}
    if not spellings:
        return text
    return re.sub("|".join(re.escape(leaf) for leaf in sorted(spellings, key=len, reverse=True)), "[secret]", text)


def spread(outputs: Values, inputs: Properties) -> Properties:
    """Outputs with the secrets of the inputs they were made from: the same paths, and what repeats a secret's text."""
    texts = {leaf for path in inputs.secrets for leaf in _leaves(at(inputs.values, path))}
    made = {name: set(_leaves(value)) for name, value in outputs.items() if texts and name not in inputs.values}
    repeats = {(name,) for name, leaves in made.items() if any(_repeats(leaf, texts) for leaf in leaves)}
    return Properties(outputs, inputs.secrets | repeats)


def at(values: Value, path: Path) -> Value:
    """The value at a path, None where there is none."""
    for step in path:
        if isinstance(step, int):
            values = values[step] if isinstance(values, list) and step < len(values) else None
        else:
            values = values.get(step) if isinstance(values, dict) else None
    return values


def _repeats(text: str, secrets: set[str]) -> bool:
    return text in secrets or any(len(secret) > 3 and secret in text for secret in secrets)


def _leaves(value: Value) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item)
    elif isinstance(value, str) and value:
        yield value
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield str(value)


def _load_fields(struct: Struct, path: Path, secrets: set[Path]) -> Values:
    values: Values = {}
    for key, message in struct.fields.items():
        value = _load(message, (*path, key), secrets)
        if value is not None:
            values[key] = value
    return values


def _load(message: Message, path: Path, secrets: set[Path]) -> Value:
    value: Value = None
    match message.WhichOneof("kind"):
        case "string_value":
            value = UNKNOWN if message.string_value in _UNKNOWNS else message.string_value
        case "bool_value":
            value = message.bool_value
        case "number_value":
            number = message.number_value
            value = int(number) if number.is_integer() else number if math.isfinite(number) else str(number)
        case "list_value":
            value = [_load(item, (*path, index), secrets) for index, item in enumerate(message.list_value.values)]
        case "struct_value":
            value = _load_struct(message.struct_value, path, secrets)
    return value


def _load_struct(struct: Struct, path: Path, secrets: set[Path]) -> Value:
    fields = struct.fields
    marker = fields[SIGNATURE].string_value if SIGNATURE in fields else None
    if marker not in (_SECRET, _OUTPUT):
        return _load_fields(struct, path, secrets)
    if marker == _SECRET or ("secret" in fields and fields["secret"].bool_value):
        secrets.add(path)
        secrets = set()  # the outer secret covers those inside
    return _load(fields["value"], path, secrets) if "value" in fields else UNKNOWN


def _dump_fields(values: Mapping[str, Value], struct: Struct, secrets: frozenset[Path]) -> None:
    for key, value in values.items():
        _dump(value, struct.fields[key], _below(secrets, key))


def _below(secrets: frozenset[Path], step: str | int) -> frozenset[Path]:
    return frozenset(path[1:] for path in secrets if path and path[0] == step) if secrets else secrets


def _dump(value: Value, message: Message, secrets: frozenset[Path]) -> None:
    if () in secrets or (secrets and not isinstance(value, dict | list)):  # a document that became text: all of it
        fields = message.struct_value.fields
        fields[SIGNATURE].string_value = _SECRET
        _dump(value, fields["value"], frozenset())
    elif value is UNKNOWN:
        message.string_value = _UNKNOWN
    elif value is None:
        message.null_value = NULL_VALUE
    elif isinstance(value, str):
        message.string_value = value
    elif isinstance(value, bool):
        message.bool_value = value
    elif isinstance(value, int | float):
        message.number_value = value
    elif isinstance(value, list):
        message.list_value.SetInParent()
        for index, item in enumerate(value):
            _dump(item, message.list_value.values.add(), _below(secrets, index))
    elif isinstance(value, dict):
        message.struct_value.SetInParent()
        _dump_fields(value, message.struct_value, secrets)
    else:
        raise TypeError(f"not a property value: {type(value).__name__}")
