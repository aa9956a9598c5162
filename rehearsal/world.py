"""What exists in the emulated cloud?

One SQLite file in the folder that REHEARSAL_WORLD names holds every account, so what one project created in an account
is there for the next. It may be read and written by several processes at once: a writer takes the lock for the whole of
its decision (`changing`), so two plugins cannot both find a name free. Secrets are stored as given, like in the real
service; `show` and `list` leave them out.
"""

import copy
import json
import os
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from rehearsal.errors import RehearsalError
from rehearsal.paths import Paths
from rehearsal.values import Path as PropertyPath
from rehearsal.values import Value, Values

_SCHEMA = """
CREATE TABLE objects (
  account TEXT NOT NULL, token TEXT NOT NULL, region TEXT NOT NULL, id TEXT NOT NULL, urn TEXT NOT NULL,
  inputs TEXT NOT NULL, outputs TEXT NOT NULL, secrets TEXT NOT NULL, seed TEXT NOT NULL, reported INTEGER NOT NULL,
  PRIMARY KEY (account, token, region, id)
) WITHOUT ROWID;
CREATE INDEX objects_urn ON objects (urn);
CREATE INDEX objects_id ON objects (id);
CREATE INDEX objects_arn ON objects (json_extract(outputs, '$.arn'));
CREATE TABLE births (urn TEXT PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID;
"""
_LAYOUT = 3
"""Raised with every change of the tables, so that another layout is not misread."""
_OTHER_LAYOUT = "was made by another version of the rehearsal: remove it and its stack"
_WAIT_SECONDS = 30.0


@dataclass(frozen=True)
class Row:
    """One object of the cloud.

    `outputs` hold its whole state, inputs included; `secrets` are paths into both; what looks random in its names comes
    from `seed`; `account` is the one it lies in, where it does not go without saying.
    """

    token: str
    region: str
    id: str
    urn: str
    inputs: Values
    outputs: Values
    secrets: frozenset[PropertyPath] = frozenset()
    seed: str = ""
    account: str = ""

    @property
    def stack(self) -> str:
        """The `project/stack` whose program created it."""
        head, _, rest = self.urn.removeprefix("urn:pulumi:").partition("::")
        return f"{rest.partition('::')[0]}/{head}"


def folder() -> Path:
    """The folder of the worlds: what REHEARSAL_WORLD names, or this checkout's."""
    named = os.environ.get("REHEARSAL_WORLD")
    return Path(named) if named else Paths.current().world


def changed(row: Row, path: PropertyPath, value: Value) -> Row:
    """The object with one property changed behind the engine's back, and tagsAll with it where that is a tag.

    What a program set, or could have set and did not, is an input too: the next update puts it right.
    """
    outputs = _with(row.outputs, path, value)
    if path[0] == "tags" and "tagsAll" in outputs:
        outputs = _with(outputs, ("tagsAll", *path[1:]), value)
    set_by_program = path[0] in row.inputs or path[0] not in row.outputs
    return replace(row, outputs=outputs, inputs=_with(row.inputs, path, value) if set_by_program else row.inputs)


class World:
    """The objects of one account; of all accounts where none is named."""

    def __init__(self, worlds: Path, account: str = "") -> None:
        """Open, and make where missing. Raises sqlite3.Error or RehearsalError when the file cannot be used."""
        self.file, self.account = worlds / "cloud.sqlite", account
        if not self.file.exists():
            _make(self.file)
        self._database = sqlite3.connect(self.file, timeout=_WAIT_SECONDS, isolation_level=None)
        self._database.execute("PRAGMA synchronous = NORMAL")  # a killed process loses nothing; only a power cut may
        (layout,) = self._database.execute("PRAGMA user_version").fetchone()
        if layout != _LAYOUT:
            raise RehearsalError(f"{self.file} {_OTHER_LAYOUT}")
        self._unreported = set(self._database.execute("SELECT urn, id FROM objects WHERE NOT reported"))

    def everywhere(self) -> "World":
        """The same cloud with all of its accounts, over the same connection."""
        whole = copy.copy(self)
        whole.account = ""
        return whole

    def close(self) -> None:
        """Let the file go."""
        self._database.close()

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Hold the write lock: what is read inside stays true until the end; an exception undoes all of it."""
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    def rows(self, *tokens: str, **equal: Value) -> list[Row]:
        """Objects of the given types (all types when none is given) whose outputs have the given top-level values.

        Values are texts, numbers and booleans: nothing has another.
        """
        if not all(isinstance(value, str | int | float) for value in equal.values()):
            return []
        where = [f"token IN ({', '.join('?' * len(tokens))})"] if tokens else ["TRUE"]
        where += ["json_extract(outputs, ?) = ?"] * len(equal)
        values = [item for name, value in equal.items() for item in (f'$."{name}"', value)]
        return self._here(" AND ".join(where), *tokens, *values)

    def find(self, token: str, region: str, id: str) -> Row | None:
        """The object with this id, None when there is none."""
        return next(iter(self._here("token = ? AND region = ? AND id = ?", token, region, id)), None)

    def called(self, name: str) -> list[Row]:
        """Objects with this id or ARN, of any type."""
        return self._here("(id = ? OR json_extract(outputs, '$.arn') = ?)", name, name)

    def of_urn(self, urn: str) -> list[Row]:
        """Objects that this resource of the program created: two while one replaces the other."""
        return self._select("urn = ?", urn)

    def put(self, row: Row, *, reported: bool = True) -> None:
        """Create or overwrite an object.

        `reported` is whether the engine knows of it. One that it was never told of, because the plugin was killed
        between creating it and saying so, goes when its URN is created again (`withdraw`).
        """
        secrets = json.dumps(sorted(row.secrets, key=repr))
        documents = (json.dumps(row.inputs), json.dumps(row.outputs), secrets)
        self._database.execute(
            "INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (row.account or self.account, row.token, row.region, row.id, row.urn, *documents, row.seed, reported),
        )

    def report(self, urn: str, id: str) -> None:
        """The engine knows of this object from now on."""
        self._database.execute("UPDATE objects SET reported = TRUE WHERE urn = ? AND id = ?", (urn, id))

    def confirm(self, urn: str, id: str) -> None:
        """The engine asks about this object, so it knows of it, even if its plugin was killed before it noted that."""
        if (urn, id) in self._unreported:
            self.report(urn, id)
            self._unreported.discard((urn, id))

    def withdraw(self, urn: str) -> None:
        """Delete what was created under this URN and never reported: its creation starts again."""
        self._database.execute("DELETE FROM objects WHERE urn = ? AND NOT reported", (urn,))

    def remove(self, row: Row) -> None:
        """Delete an object; nothing happens when it is gone already."""
        self._database.execute(
            "DELETE FROM objects WHERE account = ? AND token = ? AND region = ? AND id = ?",
            (row.account, row.token, row.region, row.id),
        )

    def forget(self, region: str) -> None:
        """Delete every object of a place that is gone."""
        self._database.execute("DELETE FROM objects WHERE region = ?", (region,))

    def birth(self, urn: str) -> int:
        """How many objects this resource of the program has had, counting the one about to be created: never reused."""
        (count,) = self._database.execute(
            "INSERT INTO births VALUES (?, 1) ON CONFLICT (urn) DO UPDATE SET count = count + 1 RETURNING count", (urn,)
        ).fetchone()
        return int(count)

    def reset(self, rows: Sequence[Row]) -> None:
        """Delete these objects and every trace of them."""
        with self.changing():
            for row in rows:
                self.remove(row)
                self._database.execute("DELETE FROM births WHERE urn = ?", (row.urn,))

    def _here(self, where: str, *values: Value) -> list[Row]:
        if not self.account:
            return self._select(where, *values)
        return self._select(f"account = ? AND {where}", self.account, *values)

    def _select(self, where: str, *values: Value) -> list[Row]:
        rows = self._database.execute(
            f"SELECT token, region, id, urn, inputs, outputs, secrets, seed, account FROM objects WHERE {where}",  # noqa: S608
            values,
        )
        return [
            Row(token, region, id, urn, json.loads(inputs), json.loads(outputs), _paths(json.loads(secrets)), *rest)
            for token, region, id, urn, inputs, outputs, secrets, *rest in rows
        ]


class Worlds:
    """The accounts that a plugin has open."""

    def __init__(self) -> None:
        self._open: dict[str, World] = {}

    def of(self, account: str = "") -> World:
        """The objects of an account, or of all of them."""
        if account not in self._open:
            self._open[account] = World(folder(), account)
        return self._open[account]


def _make(file: Path) -> None:
    """Make an empty world in one step: several plugins may open it for the first time at once."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if older := next(file.parent.glob("[!.]*/*.sqlite"), None):
        raise RehearsalError(f"{older} {_OTHER_LAYOUT}")
    with tempfile.TemporaryDirectory(dir=file.parent, prefix=".") as folder:
        fresh = Path(folder, "world.sqlite")
        database = sqlite3.connect(fresh)
        database.execute("PRAGMA synchronous = OFF")  # nothing to lose yet
        database.execute("PRAGMA journal_mode = WAL")  # kept in the file
        database.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {_LAYOUT}; COMMIT;")
        database.close()
        with suppress(FileExistsError):  # another plugin was first
            os.link(fresh, file)


def _with(values: Value, path: PropertyPath, value: Value) -> Value:
    if not path:
        return value
    step, rest = path[0], path[1:]
    if isinstance(step, int):
        items = list(values) if isinstance(values, list) else []
        if step > len(items):
            raise RehearsalError(f"there is no item {step}: the list has {len(items)}")
        return [*items[:step], _with(items[step] if step < len(items) else None, rest, value), *items[step + 1 :]]
    fields = values if isinstance(values, dict) else {}
    return fields | {step: _with(fields.get(step), rest, value)}


def _paths(lists: list[list[str | int]]) -> frozenset[PropertyPath]:
    return frozenset(tuple(path) for path in lists)
