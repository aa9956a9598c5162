"""What is an object called: its id, its ARN and the other names that AWS makes up, in AWS's shapes?"""

import datetime
import functools
import hashlib
import re
import string
import tomllib
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

from rehearsal.aws.context import Context
from rehearsal.aws.schema import Resource
from rehearsal.aws.zones import short_region
from rehearsal.values import Value, Values

_UPPER = string.ascii_uppercase + string.digits
_FIELD = re.compile(r'\{([^{}"]+)\}')  # a quote inside is JSON's, not a field's


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


def shape_of(token: str, resource: Resource | None) -> Mapping[str, Any]:
    """The shapes of a type's names and outputs: the committed ones, else what its import example shows."""
    committed = _committed().get(canonical(token))
    if committed is not None or resource is None:
        return committed or {}
    example = resource.example_id or ""
    names = [name for name, known in resource.inputs.items() if known.type.kind == "string" and known.required]
    name = f"{token.rpartition(':')[2][:1].lower()}{token.rpartition(':')[2][1:]}"
    own = [one for one in ("name", f"{name}Name", f"{name}Id", f"{name}Identifier") if one in resource.inputs]
    name_input = own[0] if own else None
    shape = {"id": generalise(example, names, name_input)}
    return shape | {"arn": generalise_arn(example, name_input)} if shape["id"] == "{arn}" else shape


def is_committed(token: str) -> bool:
    """Whether the shapes of this type are known rather than guessed."""
    return canonical(token) in _committed()


def canonical(token: str) -> str:
    """The type's plain name where the SDK has several for one: `alb` is `lb`, and S3 types come with `V2` as well."""
    if token.startswith("aws:alb/"):
        return token.replace("aws:alb/", "aws:lb/", 1)
    return token.replace("V2:", ":").removesuffix("V2") if token.startswith("aws:s3/") else token


@functools.cache
def _committed() -> Mapping[str, Mapping[str, Any]]:
    return tomllib.loads(resources.files("rehearsal.aws").joinpath("data/objects.toml").read_text())


_RECOGNISED = (
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "{uuid}"),
    (r"\d{12}", "{account}"),
    (r"[a-z]{2}(-gov)?-[a-z]+-\d", "{region}"),
    (r"((?:[a-z0-9]+-)+)[0-9a-f]{8,32}", r"\1{hex:17}"),
    (r"[0-9a-f]{17,}", "{hex:32}"),
    (r"[A-Z0-9]{8,}", "{upper:14}"),
)


def generalise(example: str, required: Sequence[str], name: str | None) -> str:
    """The shape behind an example id.

    `required` are the type's required text inputs, `name` its own name: the words of a composed example stand for them,
    in that order, where there are as many of them.
    """
    if not example:
        return f"{{{name or 'hex:17'}}}"
    if example.startswith("arn:") and not re.search(r"[,|#;]", example):
        return "{arn}"
    parts = re.split(r"([,:/|#;])", example) if not example.startswith("arn:") else re.split(r"([,|#;])", example)
    words = [part for part in parts[::2] if not any(re.fullmatch(pattern, part) for pattern, _ in _RECOGNISED)]
    names = [one for one in ([*required, name] if name not in required else required) if one]
    if len(parts) == 1 and words:
        return f"{{{name or next(iter(names), 'hex:17')}}}"
    meant = iter(names if len(names) == len(words) else [])
    return "".join(_generalised(part, meant) if at % 2 == 0 else part for at, part in enumerate(parts)) or "{hex:17}"


def generalise_arn(example: str, name: str | None) -> str:
    """The shape behind an example ARN: the kind of object stays, names and random parts give way."""
    head = example.split(":", 5)
    if len(head) < 6:
        return "arn:{partition}:{service}:{region}:{account}:{kind}/{hex:12}"
    _, _, service, region, account, rest = head
    parts = re.split(r"([/:])", rest)
    meant = iter([name] if name else [])
    shown = [_generalised(part, meant) if at % 2 == 0 and at > 0 else part for at, part in enumerate(parts)]
    if len(parts) == 1:
        shown = [_generalised(rest, meant)]
    place = f"{'{region}' if region else ''}:{'{account}' if account else ''}"
    return f"arn:{{partition}}:{service}:{place}:{''.join(shown)}"


def _generalised(part: str, names: Iterator[str]) -> str:
    for pattern, shape in _RECOGNISED:
        match = re.fullmatch(pattern, part)
        if match:
            return match.expand(shape)
    return f"{{{next(names, f'hex:10:{part}')}}}"


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
        if isinstance(self.inputs.get("arn"), str):
            return str(self.inputs["arn"])
        last = "{hex:16}" if self.shape.get("id") == "{arn}" else "{id}"
        return str(
            self.render(self.shape.get("arn", f"arn:{{partition}}:{{service}}:{{region}}:{{account}}:{{kind}}/{last}"))
        )

    def _field(self, text: str) -> str:
        name, _, default = text.partition("|")
        name, _, following = name.partition("&")
        fixed: dict[str, Callable[[], str]] = {
            "id": self.the_id,
            "arn": self.the_arn,
            "region": lambda: self.context.region,
            "zone": lambda: short_region(self.context.region),
            "account": lambda: self.context.account,
            "partition": lambda: self.context.partition,
            "suffix": lambda: self.context.dns_suffix,
            "now": lambda: self.now,
            "hash": lambda: str(zlib.crc32(repr(sorted(self.inputs.items())).encode())),
            "service": lambda: self.token.split(":")[1].split("/")[0],
            "kind": lambda: re.sub(r"(?<!^)(?=[A-Z])", "-", self.token.rpartition(":")[2]).lower(),
        }
        kind, _, rest = name.partition(":")
        if name in fixed:
            value: Value = fixed[name]()
        elif kind in {"hex", "HEX", "upper", "digits", "uuid"}:
            value = self._random(kind, rest)
        elif name in self.inputs:
            value = self.inputs[name]
        else:
            value = self.render(self.shape[name]) if name in self.shape else ""
        if not isinstance(value, str | int | float) or value == "":
            return default if following or default else self.dice.hex(10, name)
        return f"{value}{following}"

    def _random(self, kind: str, rest: str) -> str:
        if kind == "uuid":
            return self.dice.uuid(rest)
        length, _, what = rest.partition(":")
        digits = getattr(self.dice, kind.lower())(int(length), what)
        return str(digits.upper() if kind == "HEX" else digits)
