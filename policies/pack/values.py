"""How do the engine's property values become plain Python, unknown ones included?"""

import re
from collections.abc import Iterator, Mapping
from enum import Enum
from functools import cache
from typing import Any

from google.protobuf import struct_pb2

_SIGNATURE = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - the signature that marks a secret on the wire
# One sentinel per kind: boolean, number, string, array, asset, archive, object (sdk/go/common/resource/plugin/rpc.go).
_SENTINELS = frozenset(
    (
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    )
)


class Unknown(Enum):
    """The type of `UNKNOWN`: a value that only exists once the resource has been created."""

    UNKNOWN = "unknown"


UNKNOWN = Unknown.UNKNOWN


class NotKnownYetError(Exception):
    """A rule read a value that is unknown during this preview; `path` says which."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


def plain(raw: Any) -> Any:
    """The value of a state export or golden graph: secrets opened, sentinels as `UNKNOWN`, whole floats as int."""
    match raw:
        case dict():
            return _opened({key: plain(value) for key, value in raw.items()})
        case list():
            return [plain(value) for value in raw]
        case str() | float():
            return _scalar(raw)
    return raw


def from_wire(value: struct_pb2.Value) -> Any:
    """The same for a protobuf value; unlike `json_format` it accepts every number."""
    match value.WhichOneof("kind"):
        case "struct_value":
            return properties(value.struct_value)
        case "list_value":
            return [from_wire(item) for item in value.list_value.values]
        case "string_value":
            return _scalar(value.string_value)
        case "number_value":
            return _scalar(value.number_value)
        case "bool_value":
            return value.bool_value
    return None


def properties(struct: struct_pb2.Struct) -> Any:
    """All properties of a resource: a mapping, or `UNKNOWN` when the whole of it is an unknown secret."""
    return _opened({key: from_wire(value) for key, value in struct.fields.items()})


def has_unknown(value: Any) -> bool:
    """Whether any part of a value is unknown."""
    if isinstance(value, Mapping):
        return any(map(has_unknown, value.values()))
    return value is UNKNOWN or (isinstance(value, list) and any(map(has_unknown, value)))


def _scalar(value: str | float) -> Any:
    if isinstance(value, str):
        return UNKNOWN if value in _SENTINELS else value
    return int(value) if value.is_integer() else value


def _opened(fields: dict[str, Any]) -> Any:
    return fields.get("value") if fields.get(_SIGNATURE) == _SECRET else fields


@cache
def _steps(path: str) -> tuple[str, ...]:
    return tuple(re.findall(r"\[(?:\*|\d+)\]|[^.\[\]]+", path))


def expand(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Each concrete path that `path` (`a.b[*].c`, `a.b[0].c`) names in `value`, with its value.

    A missing property is None; a missing list has no elements; a single value counts as a list of one (the SDK
    flattens some lists); an unknown on the way ends the path there with `UNKNOWN`.
    """
    yield from _walk(value, _steps(path), "")


def _walk(value: Any, steps: tuple[str, ...], done: str) -> Iterator[tuple[str, Any]]:
    if value is UNKNOWN or not steps:
        yield done, value
    elif steps[0].startswith("["):
        items = value if isinstance(value, list) else [] if value is None else [value]
        for index, item in enumerate(items):
            if steps[0] in ("[*]", f"[{index}]"):
                yield from _walk(item, steps[1:], f"{done}[{index}]")
    else:
        below = value.get(steps[0]) if isinstance(value, Mapping) else None
        yield from _walk(below, steps[1:], f"{done}.{steps[0]}" if done else steps[0])
