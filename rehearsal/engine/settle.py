"""What did an engine that died leave behind? Its lock, and operations that may or may not have reached the world."""

import argparse
import fcntl
import json
import os
import socket
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rehearsal.engine.environment import require
from rehearsal.engine.run import engine
from rehearsal.errors import RehearsalError
from rehearsal.files import replace_text
from rehearsal.paths import Paths
from rehearsal.world import World

Document = dict[str, Any]


@dataclass(frozen=True)
class Settled:
    """What became of the pending operations, by URN; `checked` are read again from the world by the engine."""

    adopted: tuple[str, ...]
    forgotten: tuple[str, ...]
    checked: tuple[str, ...]


def settle(paths: Paths, project: str, stack: str) -> Settled:
    """Clear the lock of a dead engine, then bring the state in line with the world where operations were pending.

    Raises RehearsalError when another engine is still at work on the stack, or when the engine cannot read the world.
    """
    nothing = Settled((), (), ())
    checkpoint = paths.checkpoint(project, stack)
    if not checkpoint.exists():
        return nothing
    with (paths.base / "settle.lock").open("w") as alone:
        fcntl.flock(alone, fcntl.LOCK_EX)
        clear_locks(paths.locks(project, stack))
        document = json.loads(checkpoint.read_text())
        latest = document["checkpoint"].get("latest") or {}
        if not latest.get("pending_operations"):
            return nothing
        world = World(paths.world)
        urns = [operation["resource"]["urn"] for operation in latest["pending_operations"]]
        created = {urn: [row.id for row in world.of_urn(urn)] for urn in urns}
        world.close()
        settled = resolve(latest, created)
        replace_text(checkpoint, json.dumps(document, indent=4))
        if targets := [*settled.adopted, *settled.checked]:
            _refresh(paths, project, stack, targets)
    return settled


def clear_locks(folder: Path) -> None:
    """Remove the locks whose process is gone. Raises RehearsalError for a lock that somebody may still hold."""
    for file in sorted(folder.glob("*.json")):
        lock = json.loads(file.read_text())
        if lock["hostname"] != socket.gethostname():
            raise RehearsalError(
                f"the stack is locked by process {lock['pid']} on {lock['hostname']}: if it is gone, `pulumi cancel`"
            )
        if _is_engine(lock["pid"]):
            raise RehearsalError(f"process {lock['pid']} is at work on this stack: wait for it or stop it")
        file.unlink(missing_ok=True)
        file.with_name(f"{file.name}.attrs").unlink(missing_ok=True)


def resolve(latest: Document, created: Mapping[str, Sequence[str]]) -> Settled:
    """Settle a checkpoint's pending operations in place.

    `created` gives the ids of what the world holds under a URN. A pending creation whose object exists becomes a
    resource of the state, still without outputs; one that does not exist is forgotten. Updates and deletions stay
    pending: reading those resources settles them, and that is the engine's work.
    """
    resources: list[Document] = latest.setdefault("resources", [])
    adopted, forgotten, remaining = [], [], []
    for operation in latest["pending_operations"]:
        resource = operation["resource"]
        if operation["type"] in {"updating", "deleting"}:
            remaining.append(operation)
            continue
        known = {other.get("id") for other in resources if other["urn"] == resource["urn"]}
        unknown = [identity for identity in created.get(resource["urn"], ()) if identity not in known]
        if not unknown or operation["type"] == "reading":
            forgotten.append(resource["urn"])
            continue
        _supersede(resources, resource["urn"])
        resources.append({**resource, "id": unknown[-1], "outputs": {}})
        # Until the engine has read its outputs, the next settlement must know of it too.
        remaining.append({"resource": resources[-1], "type": "updating"})
        adopted.append(resource["urn"])
    latest["pending_operations"] = remaining
    checked = [operation["resource"]["urn"] for operation in remaining]
    return Settled(tuple(adopted), tuple(forgotten), tuple(urn for urn in dict.fromkeys(checked) if urn not in adopted))


def _supersede(resources: Iterable[Document], urn: str) -> None:
    """A creation under a URN that the state knows was a replacement: what is there now waits for its deletion."""
    for resource in resources:
        if resource["urn"] == urn:
            resource["delete"] = True
            resource.pop("pendingReplacement", None)


def _refresh(paths: Paths, project: str, stack: str, urns: Sequence[str]) -> None:
    """Let the engine read these resources, and only these, from the world."""
    targets = [word for urn in urns for word in ("--target", urn)]
    with tempfile.TemporaryDirectory() as scratch:
        Path(scratch, "Pulumi.yaml").write_text(f"name: {project}\nruntime: python\n")
        command = ["refresh", "--stack", stack, "--yes", "--skip-preview", "--non-interactive", *targets]
        done = engine(paths, command, Path(scratch))
    if done.returncode:
        raise RehearsalError(f"interrupted resources cannot be read: {(done.stderr or done.stdout).strip()}")


def _is_engine(process: int) -> bool:
    """Does this process live, and is it a `pulumi`? Process numbers are used again."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    name = Path(f"/proc/{process}/comm")
    return not name.exists() or name.read_text().startswith("pulumi")


def main(argv: list[str]) -> int:
    """`python -m rehearsal settle`: exit code 0; RehearsalError when the stack cannot be settled now."""
    parser = argparse.ArgumentParser(prog="python -m rehearsal settle", description=__doc__)
    parser.add_argument("--project", required=True)
    parser.add_argument("--stack", required=True)
    options = parser.parse_args(argv)
    paths = Paths.current()
    require(paths)
    tell(settle(paths, options.project, options.stack))
    return 0


def tell(settled: Settled) -> None:
    """Say on stderr what was settled; nothing when nothing was."""
    for verb, urns in (
        ("adopted", settled.adopted),
        ("forgot", settled.forgotten),
        ("read again", settled.checked),
    ):
        for urn in urns:
            sys.stderr.write(f"==> interrupted operation: {verb} {urn.split('::', 2)[-1]}\n")
