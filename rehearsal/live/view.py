"""What does the world declare at this moment? Rows of all accounts, read at once and asked by type."""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rehearsal.world import Row, World

Values = dict[str, Any]


@dataclass(frozen=True)
class View:
    """One reading of the world."""

    rows: tuple[Row, ...] = ()
    _by_token: Mapping[str, list[Row]] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: list[Row]) -> "View":
        """From what a world holds."""
        by_token: dict[str, list[Row]] = {}
        for row in rows:
            by_token.setdefault(row.token, []).append(row)
        return cls(tuple(rows), by_token)

    def all(self, token: str) -> list[Row]:
        """Every object of a type."""
        return self._by_token.get(token, [])

    def find(self, token: str, **equal: object) -> Row | None:
        """The first object of a type with these outputs."""
        return next(self.where(token, **equal), None)

    def where(self, token: str, **equal: object) -> Iterator[Row]:
        """Objects of a type with these outputs."""
        for row in self.all(token):
            if all(row.outputs.get(name) == value for name, value in equal.items()):
                yield row

    def graph(self) -> list[Values]:
        """As the evaluator of policies reads graphs."""
        return [{"type": row.token, "urn": row.urn, "inputs": row.inputs, "outputs": row.outputs} for row in self.rows]


class Follower:
    """Reads the world again whenever somebody has changed it; cheap to ask often."""

    def __init__(self, worlds: Path) -> None:
        self._worlds = worlds
        self._database: sqlite3.Connection | None = None
        self._seen = ""

    def changed(self) -> View | None:
        """The world as it is, or None when nothing has happened since the last time."""
        file = self._worlds / "cloud.sqlite"
        if not file.exists():
            self._database, seen = None, "none"
        else:
            if self._database is None:
                self._database = sqlite3.connect(file, isolation_level=None)
            (version,) = self._database.execute("PRAGMA data_version").fetchone()
            seen = json.dumps([file.stat().st_ino, version])
        if seen == self._seen:
            return None
        self._seen = seen
        return View.of(_read(self._worlds) if file.exists() else [])


def _read(worlds: Path) -> list[Row]:
    world = World(worlds)
    try:
        return world.rows()
    finally:
        world.close()
