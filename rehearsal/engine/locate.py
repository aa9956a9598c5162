"""Which engine runs? A `pulumi` on PATH that is new enough, else the one built from Go modules."""

import json
import os
import re
import shutil
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path

from rehearsal.engine.golang import GoPrograms, ensure
from rehearsal.paths import ROOT, Paths

OLDEST = (3, 259, 0)
"""The first engine whose flags and settings this rehearsal relies on."""

BUILT_VERSION = "v3.274.1"
BUILT = GoPrograms(
    name="pulumi",
    module=ROOT / "rehearsal" / "engine" / "go-pulumi",
    programs=("pulumi",),
    cost="4 minutes and 2 GB of memory the first time",
    flags=(
        "-tags=osusergo,grpcnotrace",
        f"-ldflags=-w -s -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version={BUILT_VERSION}",
    ),
)


@dataclass(frozen=True)
class Engine:
    """A `pulumi` binary; `changed` is its modification time in nanoseconds, by which a newer one is noticed."""

    path: str
    changed: int
    version: str

    def has_language_host(self) -> bool:
        """Does the official Python host lie beside it, as in every release?"""
        return Path(self.path).resolve().with_name("pulumi-language-python").exists()


def locate(paths: Paths) -> Engine | None:
    """The engine to use, or None when one must be built first. Starts a process only for a `pulumi` not seen before."""
    if found := shutil.which("pulumi", path=_foreign_path(paths)):
        engine = _inspect(paths, Path(found))
        if _numbers(engine.version) >= OLDEST:
            return engine
    if BUILT.built():
        binary = BUILT.folder() / "pulumi"
        return Engine(str(binary), binary.stat().st_mtime_ns, BUILT_VERSION)
    return None


def obtain(paths: Paths) -> Engine:
    """The engine to use, built where there is none. Raises RehearsalError when it cannot be built."""
    if engine := locate(paths):
        return engine
    binary = ensure(BUILT) / "pulumi"
    return Engine(str(binary), binary.stat().st_mtime_ns, BUILT_VERSION)


def _foreign_path(paths: Paths) -> str:
    """PATH without the rehearsal's own folder, where a link to the chosen engine lies."""
    entries = os.environ.get("PATH", "").split(os.pathsep)
    return os.pathsep.join(entry for entry in entries if Path(entry) != paths.bin)


def _inspect(paths: Paths, binary: Path) -> Engine:
    """Ask a binary for its version, once for as long as the file does not change."""
    note = paths.base / "engine.json"
    changed = binary.stat().st_mtime_ns
    if note.exists():
        known = Engine(**json.loads(note.read_text()))
        if (known.path, known.changed) == (str(binary), changed):
            return known
    env = os.environ | {"PULUMI_SKIP_UPDATE_CHECK": "true", "PULUMI_HOME": str(paths.home)}
    answer = subprocess.run([binary, "version"], env=env, check=False, capture_output=True, text=True).stdout.strip()
    engine = Engine(str(binary), changed, answer)
    note.parent.mkdir(parents=True, exist_ok=True)
    note.write_text(json.dumps(asdict(engine)))
    return engine


def _numbers(version: str) -> tuple[int, ...]:
    match = re.match(r"v?(\d+)\.(\d+)\.(\d+)", version)
    return tuple(map(int, match.groups())) if match else ()
