"""How does an account come to be ready for its estate? `bootstrap/` is deployed, and its state moves into its bucket.

The bucket that shall hold the state does not exist before the first deployment: that one keeps its state in a folder of
this machine, from which it moves into the bucket. Every step can be interrupted: while the folder is there, it is the
truth, and the next run goes on from it.
"""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import urlsplit

from delivery import base, engine
from delivery.engine import DeliveryError, Ended, Target
from delivery.redact import ENGINE_SECRET

ROOM = base.ACCOUNT
_MISSING = re.compile(r"NoSuchBucket|code=NotFound|StatusCode: 404")


def ensure(target: Target, env: Mapping[str, str], operation: str) -> None:
    """Make a rehearsal account ready that is not yet, so that an estate can be deployed on a fresh machine at once.

    Raises DeliveryError when its project does not deploy. On AWS that is a step of its own: people decide on it.
    """
    if not target.rehearsal or target.room or operation == "destroy":
        return
    account = target.of(ROOM)
    if _is_there(account, env):
        return
    log = account.folder / "up.log"
    sys.stdout.write(f"{target.environment}: its account is made ready first (`make bootstrap`; log: {log}) ...\n")
    sys.stdout.flush()
    engine.configure_policies(account, env)
    with log.open("w") as said:
        ended = bootstrap(account, env, ["--skip-preview"], said)
    if ended.code:
        raise DeliveryError(f"the account does not deploy: {base.reason(log.read_text())} (see {log})")
    # Nobody is asked here, so what a person would tell the registrar is told by the way.
    base.delegate(account, env)


def bootstrap(target: Target, env: Mapping[str, str], extra: Sequence[str], log: TextIO | None = None) -> Ended:
    """Deploy the account; the first time into a folder, whose state then moves into the bucket.

    log: a file that the engine writes to instead of the terminal. Raises DeliveryError when a step cannot be taken.
    """
    folder = _folder(target, env)
    if folder.exists() or not _is_there(target, env):
        ended = _first(target, env, folder, extra, log)
        if ended.code or not _is_there(target, env):
            return ended
        move(target, _local(env, folder), env)
        shutil.rmtree(folder)
        return ended
    if target.environment not in _stacks(target, env):
        bucket = urlsplit(target.backend).netloc
        raise DeliveryError(
            f"bucket {bucket} is there, but holds no state of {target.project}, and neither does {folder}: bring the "
            "folder of the machine that deployed it first, or take what exists into a new state with `pulumi import`"
        )
    flags = engine.configuration(target, env)
    return engine.run(target, "up", env, [*flags, *extra], log)


def move(target: Target, source: Mapping[str, str], destination: Mapping[str, str]) -> None:
    """Copy the stack's state from one backend into another and compare; DeliveryError when it did not arrive whole."""
    engine.configuration(target, destination)
    state, there = _export(target, source), _export(target, destination)
    if _resources(there) - _resources(state):
        raise DeliveryError(
            f"{target.backend} holds resources of {target.project} that the state of this machine does not: somebody "
            "else deployed in between; remove the local state by hand when the bucket is right"
        )
    # What encrypts in the new backend is another: nothing here is encrypted, so only its name changes.
    state["deployment"]["secrets_providers"] = there["deployment"].get("secrets_providers")
    text = json.dumps(state)
    if ENGINE_SECRET in text:
        raise DeliveryError(
            f"the state of {target.project} holds a secret: it cannot change its backend and key at once"
        )
    file = target.folder / "moving.json"
    file.write_text(text)
    engine.output(["pulumi", "stack", "import", *_named(target), "--file", str(file)], target.program, destination)
    file.unlink()
    if _resources(_export(target, destination)) != _resources(state):
        raise DeliveryError(f"the state did not arrive whole in {target.backend}: run `make {ROOM}` again")


def _first(target: Target, env: Mapping[str, str], folder: Path, extra: Sequence[str], log: TextIO | None) -> Ended:
    """Deploy with the state in a folder of this machine."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    local = _local(env, folder)
    if target.rehearsal:
        flags = engine.configuration(target, local, folder)
    else:
        # The secrets provider's key is among what is about to be made: until then there is a passphrase, and no secret.
        settings = folder / f"Pulumi.{target.environment}.yaml"
        text = target.stack_file.read_text()
        settings.write_text(
            re.sub(r"^(secretsprovider|encryptedkey|encryptionsalt):.*\n?", "", text, flags=re.MULTILINE)
        )
        flags = ["--config-file", str(settings)]
        if target.environment not in _stacks(target, local):
            scratch = folder / "init"
            scratch.mkdir(exist_ok=True)
            (scratch / "Pulumi.yaml").write_text(f"name: {target.project}\nruntime: python\n")
            engine.output(["pulumi", "stack", "init", target.environment, "--no-select"], scratch, local)
    return engine.run(target, "up", local, [*flags, *extra], log)


def _folder(target: Target, env: Mapping[str, str]) -> Path:
    """Where the state is until its bucket exists: outside build/, which may be cleaned at any time."""
    home = Path(env["REHEARSAL_WORLD"]).parent if target.rehearsal else target.root / ".bootstrap"
    return home / "first-state" / target.environment


def _local(env: Mapping[str, str], folder: Path) -> dict[str, str]:
    return {**env, "PULUMI_BACKEND_URL": f"file://{folder}", "PULUMI_CONFIG_PASSPHRASE": ""}


def _is_there(target: Target, env: Mapping[str, str]) -> bool:
    """Whether the environment's bucket exists. Raises DeliveryError when that cannot be known.

    The rehearsal keeps no objects: there the bucket is one of the emulated account, and a folder holds what is in it.
    """
    if not target.backend:
        raise DeliveryError(f"{target.stack_file.name}: place.backend: missing; write the URL of its state bucket")
    bucket = urlsplit(target.backend).netloc
    if target.rehearsal:
        line = [sys.executable, "-m", "rehearsal", "world", "list", "--json", "aws:s3/bucket:Bucket"]
        rows = engine.output(line, target.program, env).splitlines()
        return bucket in {json.loads(row)["id"] for row in rows}
    line = ["pulumi", "stack", "ls", "--json"]
    done = subprocess.run(line, cwd=target.program, env=env, capture_output=True, text=True, check=False)
    if done.returncode and not _MISSING.search(done.stderr):
        raise DeliveryError(f"{target.backend} cannot be opened: {done.stderr.strip()}")
    return done.returncode == 0


def _stacks(target: Target, env: Mapping[str, str]) -> set[str]:
    return {row["name"] for row in json.loads(engine.output(["pulumi", "stack", "ls", "--json"], target.program, env))}


def _export(target: Target, env: Mapping[str, str]) -> dict[str, Any]:
    state: dict[str, Any] = json.loads(
        engine.output(["pulumi", "stack", "export", *_named(target)], target.program, env)
    )
    return state


def _resources(state: Mapping[str, Any]) -> set[tuple[str, str]]:
    rows = state["deployment"].get("resources") or []
    return {(row["urn"], row.get("id", "")) for row in rows}


def _named(target: Target) -> list[str]:
    return ["--stack", target.environment]
