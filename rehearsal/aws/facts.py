"""What is known about a resource type beyond its schema? Answers from the committed facts, one type at a time."""

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / "data"


@dataclass(frozen=True)
class Rules:
    """The facts of one type. Paths are wire names joined by dots (`rules.filter.prefix`); `x[]` is each element of x.

    `refused_at_up` names facts (`lengths.name`) that AWS enforces although the provider does not check them; `up` holds
    more of that kind from the API's own model, by table, with their source and the service's error code;
    `level` is "facts" where the provider's own source was read, else "schema": then nothing is known of replacement.
    `sources` says for each fact (or for `*`: for all the others) where it was seen.
    """

    replace_on: frozenset[str] = frozenset()
    replace_sometimes: Mapping[str, str] = field(default_factory=dict)
    computed: frozenset[str] = frozenset()
    not_computed: frozenset[str] = frozenset()
    enums: Mapping[str, list[Any]] = field(default_factory=dict)
    ignore_case: frozenset[str] = frozenset()
    ranges: Mapping[str, list[Any]] = field(default_factory=dict)
    lengths: Mapping[str, list[Any]] = field(default_factory=dict)
    patterns: Mapping[str, list[str]] = field(default_factory=dict)
    not_patterns: Mapping[str, list[str]] = field(default_factory=dict)
    formats: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    conflicts: list[list[str]] = field(default_factory=list)
    at_most_one_of: list[list[str]] = field(default_factory=list)
    at_least_one_of: list[list[str]] = field(default_factory=list)
    exactly_one_of: list[list[str]] = field(default_factory=list)
    required_with: list[list[str]] = field(default_factory=list)
    refused_at_up: frozenset[str] = frozenset()
    unverified: frozenset[str] = frozenset()
    up: Mapping[str, Any] = field(default_factory=dict)
    level: str = "schema"
    sources: Mapping[str, str] = field(default_factory=dict)

    def source(self, fact: str) -> str:
        """Where `fact` (`enums.type`, `replace_on`) was seen."""
        table, _, path = fact.partition(".")
        if path in self.up.get(table, ()):
            return str(self.up["source"])
        return self.sources.get(fact) or self.sources.get(fact.split(".", 1)[0]) or self.sources.get("*", "")


_SETS = frozenset({"replace_on", "computed", "not_computed", "ignore_case", "refused_at_up", "unverified"})


class Facts:
    """The committed facts file: a line for each type, parsed when the type is first asked for."""

    def __init__(self, path: Path = DATA / "facts.jsonl") -> None:
        self._lines = {line[10 : line.index('"', 10)]: line for line in path.read_text().splitlines()}
        self.get = functools.cache(self._get)

    def tokens(self) -> list[str]:
        """All types with facts, sorted."""
        return sorted(self._lines)

    def _get(self, token: str) -> Rules:
        line = self._lines.get(token)
        if line is None:
            return Rules()
        row = json.loads(line)
        values: dict[str, Any] = {
            key: frozenset(value) if key in _SETS else value for key, value in row.items() if key != "token"
        }
        return Rules(**{"level": "facts", **values})
