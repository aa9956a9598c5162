"""What is an object called: its id, its ARN and the other names that AWS makes up, in AWS's shapes?"""

import datetime
import functools
import hashlib
import re
import string
import tomllib
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

from rehearsal.aws.context import Context
from rehearsal.values import Value, Values

_UPPER = string.ascii_uppercase + string.digits
_FIELD = re.compile(r"\{([^{}]+)\}")


@dataclass(frozen=True)
class Dice:
    """Letters and digits that look random and come out the same for the same seed."""

    seed: str

    def hex(self, length: int, what: str = "") -> str:
        """`length` hexadecimal digits."""
        digest = ""
        while len(digest) < length:
            digest += hashlib.sha256(f"{self.seed}/{what}/{len(digest)}".encode()).hexdigest()
        return digest[:length]

    def upper(self, length: int, what: str = "") -> str:
        """`length` capital letters and digits, a letter first."""
        number = int(self.hex(2 * length, what), 16)
        letters = []
        for _ in range(length):
            number, at = divmod(number, len(_UPPER))
            letters.append(_UPPER[at])
        letters[0] = _UPPER[_UPPER.index(letters[0]) % 26]
        return "".join(letters)

    def digits(self, length: int, what: str = "") -> str:
        """`length` decimal digits."""
        return str(int(self.hex(length, what), 16)).zfill(length)[-length:]

    def uuid(self, what: str = "") -> str:
        """A version 4 UUID."""
        text = self.hex(32, what)
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"


@functools.cache
def shapes() -> Mapping[str, Mapping[str, Any]]:
    """The committed shapes, by type token."""
    return tomllib.loads(resources.files("rehearsal.aws").joinpath("data/objects.toml").read_text())


@dataclass
class Names:
    """The names of one object, each worked out when it is first asked for."""

    token: str
    inputs: Values
    context: Context
    dice: Dice
    shape: Mapping[str, Any]
    id: str | None = None
    now: str = field(default_factory=lambda: datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))

    def render(self, shape: Value) -> Value:
        """A shape with its fields filled in; anything but text passes through."""
        if isinstance(shape, str):
            return _FIELD.sub(lambda match: self._field(match.group(1)), shape)
        if isinstance(shape, list):
            return [self.render(item) for item in shape]
        if isinstance(shape, dict):
            return {key: self.render(item) for key, item in shape.items()}
        return shape

    def the_id(self) -> str:
        """The object's id."""
        if self.id is None:
            self.id = str(self.render(self.shape.get("id", "{hex:17}")))
        return self.id

    def the_arn(self) -> str:
        """The object's ARN."""
        service = self.token.split(":")[1].split("/")[0]
        generic = f"arn:{{partition}}:{service}:{{region}}:{{account}}:{_kind(self.token)}/{{id}}"
        return str(self.render(self.shape.get("arn", generic)))

    def _field(self, text: str) -> str:
        name, _, default = text.partition("|")
        fixed: dict[str, Callable[[], str]] = {
            "id": self.the_id,
            "arn": self.the_arn,
            "region": lambda: self.context.region,
            "account": lambda: self.context.account,
            "partition": lambda: self.context.partition,
            "suffix": lambda: self.context.dns_suffix,
            "now": lambda: self.now,
            "hash": lambda: str(zlib.crc32(repr(sorted(self.inputs.items())).encode())),
        }
        if name in fixed:
            return fixed[name]()
        kind, _, rest = name.partition(":")
        if kind == "uuid":
            return self.dice.uuid(rest)
        if kind in {"hex", "upper", "digits"}:
            length, _, what = rest.partition(":")
            return str(getattr(self.dice, kind)(int(length), what))
        value = self.inputs.get(name)
        return (
            str(value) if isinstance(value, str | int | float) and value != "" else default or self.dice.hex(10, name)
        )


def _kind(token: str) -> str:
    """`aws:ec2/vpcEndpoint:VpcEndpoint` -> `vpc-endpoint`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", token.rpartition(":")[2]).lower()
