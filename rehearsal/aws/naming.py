"""Which name does the provider give a resource that its program did not name? `name-` and 7 hexadecimal digits."""

import functools
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from rehearsal.aws.facts import DATA
from rehearsal.aws.schema import Resource

_LETTERS = "abcdefghijklmnopqrstuvwxyz"


class NameTooLongError(Exception):
    """The resource's own name leaves no room for the random digits."""


@dataclass(frozen=True)
class Autonaming:
    """What the project's `pulumi:autonaming` asks for: `propose` a name that the type may complete, `enforce` it, or
    `disable` automatic names."""

    mode: Literal["propose", "enforce", "disable"]
    proposed: str = ""


@dataclass(frozen=True)
class Naming:
    """How one type is named; `maximum` 0 is unlimited, `random` 0 adds nothing to the resource's name."""

    property: str = "name"
    separator: str = "-"
    maximum: int = 255
    random: int = 7
    lower: bool = False
    letters: bool = False
    prefix: str = ""
    suffix: str = ""
    suffix_when: str = ""

    def name(self, urn_name: str, random_seed: bytes, inputs: Mapping[str, Any]) -> str:
        """The name for a resource called `urn_name` in the program; the same seed gives the same name."""
        stem = (urn_name.lower() if self.lower else urn_name) + self.separator
        if self.random == 0:
            return stem
        if self.maximum and len(stem) + self.random > self.maximum:
            raise NameTooLongError(
                f"the resource's name and {self.random} random characters exceed {self.maximum} characters:"
                f" set `{self.property}`, or shorten the name in the program"
            )
        digest = hashlib.sha256(stem.encode() + random_seed)
        random = digest.hexdigest()[: self.random]
        if self.letters:
            random = "".join(_LETTERS[byte % len(_LETTERS)] for byte in digest.digest()[: self.random])
        return self._around(stem + random, inputs)

    def choose(
        self,
        inputs: Mapping[str, Any],
        olds: Mapping[str, Any],
        urn_name: str,
        random_seed: bytes,
        autonaming: Autonaming | None,
    ) -> dict[str, Any]:
        """The property with its automatic name: what the project asks for, else the old name, else a new one.

        Empty where the project disables automatic names. Raises NameTooLongError.
        """
        if autonaming is None:
            old = olds.get(self.property)
            return {self.property: old if self.made(old, urn_name) else self.name(urn_name, random_seed, inputs)}
        if autonaming.mode == "disable":
            return {}
        proposed = autonaming.proposed.lower() if self.lower else autonaming.proposed
        return {self.property: autonaming.proposed if autonaming.mode == "enforce" else self._around(proposed, inputs)}

    def made(self, name: Any, urn_name: str) -> bool:
        """Whether `name` is one that this rule could have made for `urn_name`."""
        if not isinstance(name, str):
            return False
        stem = re.escape((urn_name.lower() if self.lower else urn_name) + self.separator)
        random = f"[{'a-z' if self.letters else '0-9a-f'}]{{{self.random}}}"
        return bool(re.fullmatch(f"{re.escape(self.prefix)}{stem}{random}({re.escape(self.suffix)})?", name))

    def _around(self, name: str, inputs: Mapping[str, Any]) -> str:
        prefix = "" if name.startswith(self.prefix) else self.prefix
        return prefix + name + (self.suffix if self.suffix_when and inputs.get(self.suffix_when) is True else "")


@dataclass(frozen=True)
class Overrides:
    """What the Pulumi layer adds to the provider (its source is named in the data file)."""

    types: Mapping[str, Naming | None]
    default: Naming
    delete_before_replace: frozenset[str]
    managed_by_pulumi: Mapping[str, str]

    def naming(self, resource: Resource) -> Naming | None:
        """How `resource` is named, None when it never is."""
        rule = self.types.get(resource.token, self.default)
        return rule if rule is not None and rule.property in resource.inputs else None


@functools.cache
def overrides() -> Overrides:
    """The committed table, read once."""
    data = json.loads((DATA / "naming.json").read_text())
    return Overrides(
        types={token: None if row is None else Naming(**row) for token, row in data["types"].items()},
        default=Naming(**data["default"]),
        delete_before_replace=frozenset(data["delete_before_replace"]),
        managed_by_pulumi=data["managed_by_pulumi"],
    )
