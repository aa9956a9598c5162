"""Which findings are accepted, by whom, why and until when? Reads exemptions.yaml."""

import datetime
from collections.abc import Collection
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from pack import files


@dataclass(frozen=True)
class Exemption:
    """One accepted deviation: findings of `rule` on resources whose URN matches the glob `urn`, at paths matching
    `path`. `expires` is the last day on which it holds; `decision` names the record that explains it."""

    rule: str
    urn: str
    reason: str
    owner: str
    decision: str
    expires: datetime.date
    path: str = "*"

    def covers(self, rule: str, urn: str, path: str) -> bool:
        """Whether it accepts this finding (its date is not looked at)."""
        return self.rule == rule and self.matches(urn) and fnmatchcase(path, self.path)

    def matches(self, urn: str) -> bool:
        """Whether the resource is one it was written for."""
        return fnmatchcase(urn, self.urn)

    def concerns(self, urn: str) -> bool:
        """Whether its pattern can match resources of the stack and project that this one belongs to."""
        pairs = zip(urn.split("::")[:2], self.urn.split("::")[:2], strict=True)
        return all(fnmatchcase(part, pattern) for part, pattern in pairs)


def read(path: Path, rules: Collection[str]) -> tuple[Exemption, ...]:
    """The exemptions in a file. Raises ValueError naming entry and field when one is incomplete or names no rule."""
    rows: Any = files.read(path) or []
    if not isinstance(rows, list):
        raise ValueError(f"{path.name}: must be a list of exemptions")
    return tuple(_checked(row, f"{path.name}[{index}]", rules) for index, row in enumerate(rows))


def _checked(row: Any, place: str, rules: Collection[str]) -> Exemption:
    names = {field.name for field in fields(Exemption)}
    if not isinstance(row, dict) or not names - {"path"} <= row.keys() <= names:
        raise ValueError(f"{place}: must have exactly {', '.join(sorted(names - {'path'}))} and may have path")
    for name, value in row.items():
        kind = datetime.date if name == "expires" else str
        if type(value) is not kind or not value:
            raise ValueError(f"{place}.{name}: must be {'a date (YYYY-MM-DD)' if name == 'expires' else 'text'}")
    if row["rule"] not in rules:
        raise ValueError(f"{place}.rule: there is no rule of this name; `make policies` lists them")
    if not row["urn"].startswith("urn:pulumi:") or row["urn"].count("::") < 3:
        raise ValueError(f"{place}.urn: must be a pattern urn:pulumi:STACK::PROJECT::TYPE::NAME")
    return Exemption(**row)
