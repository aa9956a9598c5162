"""What does a change do to what is there? Another commit's program is deployed first, in a rehearsal cloud apart."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from delivery import engine

ACCOUNT = "bootstrap"
"""The folder of the account's own project."""

TODAYS = ("rehearsal", "delivery")
"""What another commit is deployed with instead of its own: the tools of this checkout."""


def stage(target: engine.Target, revision: str) -> dict[str, str]:
    """Deploy `revision` into an empty rehearsal cloud and return the environment in which a preview compares with it.

    Raises DeliveryError when the revision does not exist or does not deploy with today's tools.
    """
    if not target.rehearsal:
        raise engine.DeliveryError("BASE: only the rehearsal deploys another commit; CLOUD=aws compares with its state")
    cloud, program = target.folder / "base" / "rehearsal", target.folder / "base" / "program"
    shutil.rmtree(target.folder / "base", ignore_errors=True)
    program.mkdir(parents=True)
    extract(target.root, revision, program)
    env = apart(target, cloud, os.environ)
    ours = env | {"PYTHONPATH": f"{program}{os.pathsep}{env.get('PYTHONPATH', '')}".rstrip(os.pathsep)}
    for before in projects(engine.Target(program, target.project, target.environment, rehearsal=True)):
        deploy(before, ours, target.folder / "base.log")
        if before.room == target.room:
            break
    return env


def projects(target: engine.Target) -> list[engine.Target]:
    """What is deployed into an account, in order: its own project, where the checkout has one, and the estate."""
    return [target.of(room) for room in (ACCOUNT, "") if (target.root / room / "Pulumi.yaml").is_file()]


def apart(target: engine.Target, cloud: Path, ambient: Mapping[str, str]) -> dict[str, str]:
    """The engine's environment for a rehearsal cloud of its own in the folder `cloud`, set up."""
    own = dict(ambient) | {"REHEARSAL_DIR": str(cloud), "KUBERNETES": "schema"}
    engine.output([sys.executable, "-m", "rehearsal", "setup"], target.root, own)
    return engine.variables(target, own) | {"REHEARSAL_DIR": str(cloud)}


def deploy(target: engine.Target, env: Mapping[str, str], log: Path) -> None:
    """Deploy without preview, policies and checkpoints, for a cloud that is thrown away; the output goes into `log`.

    Raises DeliveryError when the engine fails.
    """
    flags = engine.configuration(target, env)
    line = ["pulumi", "up", "--stack", target.environment, "--yes", "--skip-preview", "--non-interactive", *flags]
    quick = {**env, "PULUMI_EXPERIMENTAL": "true", "PULUMI_SKIP_CHECKPOINTS": "true"}
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as written:
        done = subprocess.run(line, cwd=target.program, env=quick, stdout=written, stderr=written, check=False)
    if done.returncode:
        shown = log.relative_to(Path.cwd()) if log.is_relative_to(Path.cwd()) else log
        raise engine.DeliveryError(f"{target.environment} does not deploy: {reason(log.read_text())} (see {shown})")
    if target.room == ACCOUNT:
        delegate(target, env)


def delegate(target: engine.Target, env: Mapping[str, str]) -> None:
    """Tell the rehearsal's registrar the name servers of the account's zone, as a person tells a real one."""
    shown = engine.output(["pulumi", "stack", "output", "--json", "--stack", target.environment], target.program, env)
    for domain in filter(None, [json.loads(shown).get("domain")]):
        engine.output([sys.executable, "-m", "rehearsal", "delegate", domain], target.root, env)


def reason(text: str) -> str:
    """The last error that the engine printed: its first and, of a traceback, its last line."""
    _, _, last = text.rpartition("error: ")
    block = [line.strip() for line in last.split("\n\n")[0].splitlines() if line.strip()]
    return " ".join(dict.fromkeys([block[0], block[-1]])) if block else "no error was printed"


def extract(root: Path, revision: str, folder: Path) -> None:
    """Write the revision's tree into a folder, without its tools and with this checkout's virtual environment."""
    archive = folder.with_suffix(".tar")
    engine.output(["git", "archive", f"--output={archive}", revision], root, os.environ)
    shutil.unpack_archive(archive, folder, filter="data")
    archive.unlink()
    for name in TODAYS:
        shutil.rmtree(folder / name, ignore_errors=True)
    (folder / ".venv").symlink_to(root / ".venv")
