"""How is a fault put back? Into a copy of the checkout, by changing its files or the graphs that it commits."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from tests.infra.record import ROOT

Row = dict[str, Any]
Edit = Mapping[str, Any]


def copy(target: Path) -> None:
    """A copy of what git tracks or would track, by hard links, beside the same virtual environment."""
    line = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(line, cwd=ROOT, check=True, capture_output=True, text=True)
    for name in filter(None, listed.stdout.split("\0")):
        source, place = ROOT / name, target / name
        if source.is_file():
            place.parent.mkdir(parents=True, exist_ok=True)
            _link(source, place)
    (target / ".venv").symlink_to(ROOT / ".venv")


def put_back(target: Path, edits: Sequence[Edit]) -> None:
    """Make every change; an AssertionError names one that does not fit the tree any more."""
    for edit in edits:
        if "file" in edit:
            _write(target / edit["file"], _replaced((target / edit["file"]).read_text(), edit))
        else:
            file = target / "tests/golden" / f"{edit['graph']}.json"
            _write(file, json.dumps(changed(json.loads(file.read_text()), edit)))


def run(target: Path, caught_by: str) -> subprocess.CompletedProcess[str]:
    """The check that is to catch the fault, in the copy: a rule of the policy pack, or a test.

    The exit code is 0 when the check has nothing to say.
    """
    kind, _, name = caught_by.partition(":")
    env = {**os.environ, "PYTHONPATH": str(target)}
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    if kind == "rule":
        rule, _, environment = name.partition("@")
        line = ["policies/check.py", "--env", environment or "production"]
        done = subprocess.run([sys.executable, *line], cwd=target, env=env, capture_output=True, text=True, check=False)
        said = [one for one in done.stdout.splitlines() if one.startswith("mandatory") and f" {rule} " in one]
        return subprocess.CompletedProcess(line, int(bool(said) or done.returncode > 1), "\n".join(said), done.stderr)
    line = ["-m", "pytest", "-p", "no:schemathesis", "-p", "no:locust", "-x", caught_by]
    return subprocess.run([sys.executable, *line], cwd=target, env=env, capture_output=True, text=True, check=False)


def changed(rows: list[Row], edit: Edit) -> list[Row]:
    """A graph with one change: to the resources of a type and name, or a new one.

    set {path: value}, unset [path], protect, ignoreChanges [path]; drop; add {a row}; copies: so many more like it;
    not_after: dependencies that are taken away, each as the end of a type and, after a colon, a pattern of the name.
    `containers[*].env` is a path through all items of a list.
    """
    if "add" in edit:
        return [edit["add"], *rows]
    chosen = [row for row in rows if _is(row, edit["type"]) and fnmatchcase(row["name"], edit.get("name", "*"))]
    assert chosen, f"no resource of the graph is {edit['type']} {edit.get('name', '')}: the fault is out of date"
    if edit.get("drop"):
        gone = {row["urn"] for row in chosen}
        return [_without(row, gone) for row in rows if row["urn"] not in gone]
    if "copies" in edit:
        more = [{**row, "urn": f"{row['urn']}-{at}"} for row in chosen for at in range(edit["copies"])]
        return [*rows, *more]
    by_urn = {row["urn"]: row for row in rows}
    for row in chosen:
        before = json.dumps(row, sort_keys=True)
        for path, value in edit.get("set", {}).items():
            _place(row["inputs"], path, value)
        for path in edit.get("unset", ()):
            _place(row["inputs"], path, None)
        for field in ("protect", "ignoreChanges"):
            row[field] = edit.get(field, row.get(field))
        lost = {urn for urn in _needs(row) for one in edit.get("not_after", ()) if _fits(by_urn[urn], one)}
        row.update(_without(row, lost))
        assert json.dumps(row, sort_keys=True) != before, f"{edit}: nothing of {row['name']} changed"
    return rows


def _is(row: Row, kind: str) -> bool:
    return bool(row["type"] == kind or row["type"].endswith((f"/{kind}", f":{kind}")))


def _fits(row: Row, pattern: str) -> bool:
    """`Type` or `Type:name`, the name as a shell pattern."""
    kind, _, name = pattern.rpartition(":") if ":" in pattern else (pattern, "", "")
    return _is(row, kind) and fnmatchcase(row["name"], name or "*")


def _needs(row: Row) -> set[str]:
    return {*row["dependencies"], *(urn for urns in row["propertyDependencies"].values() for urn in urns)}


def _without(row: Row, gone: set[str]) -> Row:
    kept = {key: [urn for urn in urns if urn not in gone] for key, urns in row["propertyDependencies"].items()}
    return {
        **row,
        "dependencies": [urn for urn in row["dependencies"] if urn not in gone],
        "propertyDependencies": {key: urns for key, urns in kept.items() if urns},
    }


def _replaced(text: str, edit: Edit) -> str:
    found = text.count(edit["text"])
    assert found == 1, f"{edit['file']} has {found} times {edit['text']!r}: the fault is out of date"
    return text.replace(edit["text"], edit["with"])


def _place(value: Any, path: str, given: Any) -> None:
    """Put a value at a path such as `spec.containers[*].env`; None takes it away."""
    *steps, last = re.findall(r"[^.\[\]]+", path)
    for inner in _reached(value, steps):
        if given is None and isinstance(inner, dict):
            inner.pop(last, None)
        else:
            inner[int(last) if last.isdigit() else last] = given


def _reached(value: Any, steps: Sequence[str]) -> Iterator[Any]:
    if not steps:
        yield value
    elif steps[0] == "*":
        for item in value:
            yield from _reached(item, steps[1:])
    else:
        inner = value[int(steps[0])] if steps[0].isdigit() else value.setdefault(steps[0], {})
        yield from _reached(inner, steps[1:])


def _link(source: Path, place: Path) -> None:
    try:
        os.link(source, place)
    except OSError:  # another file system
        place.write_bytes(source.read_bytes())


def _write(file: Path, text: str) -> None:
    """A new file: the old one is the checkout's own."""
    fresh = file.with_name(f".{file.name}.new")
    fresh.write_text(text)
    fresh.replace(file)
