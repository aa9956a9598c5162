"""Which files are generated, and do the committed ones agree?

Every generator yields pairs of a path below its folder and the file's text; `PLACES` names all of them by folder, which
holds nothing else.
"""

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from dashboards import alertmanager, rules, runbooks
from dashboards.boards import index as boards
from dashboards.metrics import ROOT

FOLDER = ROOT / "dashboards/generated"

File = tuple[str, str]
Generators = Sequence[Callable[[], Iterator[File]]]
GENERATORS: Generators = (rules.files, alertmanager.files, boards.files)
RUNBOOKS = ROOT / rules.RUNBOOKS
PLACES: Mapping[Path, Generators] = {FOLDER: GENERATORS, RUNBOOKS: (runbooks.files,)}


def files(generators: Generators = GENERATORS) -> dict[str, str]:
    """Text of every generated file by its path; ValueError when two generators make the same one."""
    made: dict[str, str] = {}
    for generator in generators:
        for path, text in generator():
            if path in made:
                raise ValueError(f"{path}: two generators make it")
            made[path] = text
    return made


def committed(folder: Path = FOLDER) -> dict[str, str]:
    """Text of every file in the folder by its path."""
    return {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.rglob("*")) if path.is_file()}


def differences(folder: Path = FOLDER, generators: Generators = GENERATORS) -> Iterator[str]:
    """Lines of a unified diff between the folder and what the generators make; none when they agree."""
    there, made = committed(folder), files(generators)
    for path in sorted(there.keys() | made.keys()):
        before, after = there.get(path, "").splitlines(), made.get(path, "").splitlines()
        yield from difflib.unified_diff(before, after, f"committed/{path}", f"generated/{path}", lineterm="", n=1)


def write(folder: Path = FOLDER, generators: Generators = GENERATORS) -> list[Path]:
    """Bring the folder up to date: changed files are written, others removed. The paths that were touched."""
    there, made = committed(folder), files(generators)
    touched = [path for path in sorted(there.keys() | made.keys()) if there.get(path) != made.get(path)]
    for path in touched:
        target = folder / path
        if path in made:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(made[path])
        else:
            target.unlink()
    return [folder / path for path in touched]
