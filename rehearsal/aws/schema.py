"""Which inputs and outputs has each AWS resource type? Answers from a file built once from the installed SDK."""

import functools
import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from rehearsal.aws import sdk

FORMAT = 4
"""Raised whenever the built file changes its layout, so that an older one is not read."""

Kind = Literal["string", "json", "bool", "int", "float", "list", "map", "object", "any", "asset"]


class SchemaMissingError(Exception):
    """The schema file of this SDK version was never built."""


@dataclass(frozen=True, slots=True)
class Type:
    """A property's type: `element` for lists and maps, `cls` for objects.

    `json` is text that the provider also takes as an object and turns into text (policy documents).
    """

    kind: Kind
    element: "Type | None" = None
    cls: str | None = None


@dataclass(frozen=True, slots=True)
class Property:
    """One input or output. `computed`: the provider fills it in when the program leaves it out."""

    name: str
    type: Type
    required: bool = False
    computed: bool = False


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource type.

    `secrets` are the outputs that the SDK marks secret; `example_id` is the id in its documentation's import command.
    """

    token: str
    inputs: Mapping[str, Property]
    outputs: Mapping[str, Property]
    secrets: frozenset[str]
    example_id: str | None = None

    @property
    def regional(self) -> bool:
        """Whether `region` says where the resource is (on a few types it is something else, on global ones absent)."""
        return "region" in self.inputs and self.inputs["region"].type.kind == "string"


class Schemas:
    """The built schema file, read one type at a time."""

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise SchemaMissingError(
                f"no schema of pulumi-aws {sdk.version()} at {path}: run `python -m rehearsal setup`"
            )
        self._file = sqlite3.connect(f"file:{path}?mode=ro", uri=True, check_same_thread=False)
        self.get = functools.cache(self._get)
        self.fields = functools.cache(self._fields)

    def tokens(self) -> list[str]:
        """All resource types of the SDK, sorted."""
        return [name for (name,) in self._file.execute("SELECT name FROM resources ORDER BY name")]

    def _row(self, table: str, name: str) -> Any:
        row = self._file.execute(f"SELECT body FROM {table} WHERE name = ?", (name,)).fetchone()  # noqa: S608
        return json.loads(row[0]) if row else None

    def _get(self, token: str) -> Resource | None:
        body = self._row("resources", token)
        if body is None:
            return None
        return Resource(
            token,
            _properties(body["inputs"]),
            _properties(body["outputs"]),
            frozenset(body["secrets"]),
            body["example"],
        )

    def _fields(self, cls: str) -> Mapping[str, Property]:
        rows = self._row("classes", cls)
        if rows is None:
            raise KeyError(f"the SDK has no class {cls}")
        return _properties(rows)


def _type(body: Any) -> Type:
    if isinstance(body, str):
        return Type(body)  # type: ignore[arg-type]  # the builder writes Kind only
    kind, inner = body
    if kind in {"object", "json"}:
        return Type(kind, cls=inner)
    return Type(kind, element=_type(inner))


def _properties(rows: Iterable[list[Any]]) -> dict[str, Property]:
    return {name: Property(name, _type(body), bool(flags & 1), bool(flags & 2)) for name, body, flags in rows}


def cache() -> Path:
    """Where the schema file of the installed SDK is kept, one for each user and SDK version."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "tecnocursos" / "aws-schema" / f"{sdk.version()}-{FORMAT}.sqlite"


def open_schemas() -> Schemas:
    """The schemas of the installed SDK; raises SchemaMissingError when `ensure` never ran."""
    return Schemas(cache())


def ensure(progress: Callable[[str], None] = lambda line: None) -> Path:
    """Build the schema file unless it is there; an interrupted build leaves nothing behind."""
    path = cache()
    if not path.is_file():
        build(sdk.folder(), path, progress)
    return path


def build(package: Path, target: Path, progress: Callable[[str], None]) -> None:
    """Read every module of the SDK in `package` and write `target` in one step (about 15 s on two cores)."""
    folders = sorted({path.parent for path in package.rglob("*.py")}, key=_weight, reverse=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(f".{os.getpid()}.partial")
    partial.unlink(missing_ok=True)
    try:
        file = sqlite3.connect(partial)
        file.execute("CREATE TABLE resources (name TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID")
        file.execute("CREATE TABLE classes (name TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID")
        for done, module in enumerate(_modules(package, folders), 1):
            file.executemany("INSERT INTO resources VALUES (?, ?)", _dump(module.resources))
            file.executemany("INSERT INTO classes VALUES (?, ?)", _dump(module.classes))
            if done % 50 == 0 or done == len(folders):
                progress(f"schema of pulumi-aws {sdk.version()}: {done} of {len(folders)} modules")
        file.commit()
        file.close()
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def _weight(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("*.py"))


def _modules(package: Path, folders: list[Path]) -> Iterator["sdk.Module"]:
    with ProcessPoolExecutor(max_workers=min(2, os.cpu_count() or 1)) as pool:
        yield from pool.map(functools.partial(sdk.read, package), folders)


def _dump(rows: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    return ((name, json.dumps(body, separators=(",", ":"))) for name, body in rows.items())
