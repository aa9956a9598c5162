"""`python -m rehearsal live`: start, stop and look at what serves in `KUBERNETES=live`."""

import argparse
import fcntl
import json
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rehearsal import progress, world
from rehearsal.cluster import binaries, control_plane, processes
from rehearsal.errors import RehearsalError
from rehearsal.live.door.viewer import local_name
from rehearsal.live.view import Follower, View
from rehearsal.paths import ROOT, Paths

_REGION = "region"
_PATIENCE = 60.0
NEEDED = {
    "bwrap": "bubblewrap",
    "nsenter": "util-linux",
    "mariadbd": "mariadb-server-core",
    "mariadb": "mariadb-client-core",
    "redis-server": "redis-server",
    "haproxy": "haproxy",
}
"""Programs of Debian packages, without which pods cannot serve."""


def main(argv: list[str]) -> int:
    """Exit code 0; RehearsalError when something is missing or does not start."""
    parser = argparse.ArgumentParser(prog="python -m rehearsal live", description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("start", help="start what is not running; returns when it answers")
    ending = actions.add_parser("stop", help="end every process; data stay unless --forget")
    ending.add_argument("--forget", action="store_true", help="remove databases, objects, images and logs too")
    status = actions.add_parser("status", help="what runs, where the front door is")
    status.add_argument("--addresses", action="store_true", help="only where the front door is")
    audit = actions.add_parser("audit", help="calls that were refused, and permissions that nobody used")
    audit.add_argument("--json", action="store_true")
    options = parser.parse_args(argv)
    paths = Paths.current()
    if paths.mode != "live":
        raise RehearsalError("KUBERNETES must be live for this command: KUBERNETES=live python -m rehearsal live ...")
    if options.action == "start":
        start(paths)
    elif options.action == "stop":
        stop(paths, forget=options.forget)
    elif options.action == "audit":
        return _audit(paths, as_json=options.json)
    elif options.addresses:
        sys.stdout.writelines(f"{address}\n" for address in addresses(paths))
    else:
        return _status(paths)
    return 0


def start(paths: Paths) -> None:
    """Start the region where it does not run; it starts everything else. Raises RehearsalError."""
    missing = [package for program, package in NEEDED.items() if not _found(program)]
    if missing:
        raise RehearsalError(f"live needs: apt-get install --no-install-recommends {' '.join(dict.fromkeys(missing))}")
    folder = paths.live
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _locked(folder):
        if processes.alive(_REGION, folder):
            return
        (folder / "ready").unlink(missing_ok=True)
        line = [
            sys.executable,
            "-m",
            "rehearsal.live.region",
            str(folder),
            str(world.folder()),
            str(binaries.clusters()),
        ]
        with progress.step("region: database, cache, queue, storage, front door"):
            processes.spawn(_REGION, line, folder, {"PYTHONPATH": str(ROOT)})
            deadline = time.monotonic() + _PATIENCE
            while not (folder / "ready").exists():
                if not processes.alive(_REGION, folder) or time.monotonic() > deadline:
                    said = processes.tail(_REGION, folder)
                    stop(paths, locked=True)
                    raise RehearsalError(f"the region does not start: {said}")
                time.sleep(0.05)


def stop(paths: Paths, *, forget: bool = False, locked: bool = False) -> None:
    """End the region, what it started, and the control planes; also after a region that was killed."""
    folder = paths.live
    if not folder.exists():
        return
    with _locked(folder, already=locked):
        processes.stop(_REGION, folder, 30.0)
        for record in sorted(folder.glob("**/*.pid")):
            processes.stop(record.stem, record.parent)
        root = binaries.clusters()
        for cluster in control_plane.known(root):
            control_plane.stop(root, cluster.name)
        (folder / "ready").unlink(missing_ok=True)
        if forget:
            for part in folder.iterdir():
                if part.name != "lock":
                    shutil.rmtree(part) if part.is_dir() else part.unlink()


def addresses(paths: Paths) -> list[str]:
    """Where a person's browser reaches each distribution."""
    try:
        port = json.loads((paths.live / "ready").read_text())["viewer"]
    except FileNotFoundError:
        return []
    view = Follower(world.folder()).changed() or View()
    rows = view.all("aws:cloudfront/distribution:Distribution")
    return [f"https://{local_name(alias)}:{port}" for row in rows for alias in row.outputs.get("aliases") or []]


def _status(paths: Paths) -> int:
    folder = paths.live
    if not processes.alive(_REGION, folder):
        sys.stdout.write("nothing runs: start it with make live\n")
        return 1
    for record in sorted(folder.glob("**/*.pid")):
        if pid := processes.alive(record.stem, record.parent):
            sys.stdout.write(f"{record.stem:10s} {pid:8d}  {record.parent.relative_to(folder)}\n")
    for address in addresses(paths):
        sys.stdout.write(f"front door  {address}\n")
    return 0


def _audit(paths: Paths, *, as_json: bool) -> int:
    try:
        text = (paths.live / "audit.json").read_text()
    except FileNotFoundError:
        raise RehearsalError("nothing was asked yet: start it with make live") from None
    if as_json:
        sys.stdout.write(text + "\n")
        return 0
    found = json.loads(text)
    sys.stdout.write(f"{found['asked']} questions\n")
    for row in found["refused"]:
        sys.stdout.write(f"refused  {row['reason']}\n")
    for row in found["unused"]:
        sys.stdout.write(f"unused   {row['action']} on {row['resource']}, of {row['place']}\n")
    return 0


def _found(program: str) -> bool:
    return bool(shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin"))


@contextmanager
def _locked(folder: Path, *, already: bool = False) -> Iterator[None]:
    if already:
        yield
        return
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
