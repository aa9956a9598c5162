"""How does a stack come into being without a trace in its tracked configuration? From a scratch folder and a copy."""

import argparse
import re
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import yaml

from rehearsal.engine.environment import require
from rehearsal.engine.run import engine
from rehearsal.engine.settle import settle, tell
from rehearsal.errors import RehearsalError
from rehearsal.files import replace_text
from rehearsal.paths import Paths

SECRETS_PROVIDER = re.compile(r"^(encryptionsalt|secretsprovider|encryptedkey):.*\n?", re.MULTILINE)


def create(paths: Paths, project: str, stack: str) -> bool:
    """Create the stack unless it is there; whether it was created.

    `pulumi stack init` writes the salt of its secrets next to the project's Pulumi.yaml, so it runs in a folder that is
    thrown away: the checkpoint remembers the salt as well. Raises RehearsalError with the engine's last line.
    """
    if paths.checkpoint(project, stack).exists():
        return False
    with tempfile.TemporaryDirectory() as scratch:
        Path(scratch, "Pulumi.yaml").write_text(f"name: {project}\nruntime: python\n")
        done = engine(paths, ["stack", "init", stack, "--no-select", "--non-interactive"], Path(scratch))
    if done.returncode:
        raise RehearsalError(f"stack {stack} of {project} cannot be created: {done.stderr.strip().splitlines()[-1]}")
    return True


def configuration(paths: Paths, project: str, stack: str, source: Path) -> Path:
    """A fresh copy of a stack's configuration for `--config-file`, without the secrets provider of another backend.

    Raises RehearsalError when the file is missing, or holds a value that only another secrets provider can read.
    """
    try:
        text = source.read_text()
    except OSError as error:
        raise RehearsalError(f"{source} cannot be read: {error.strerror}") from error
    try:
        settings = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise RehearsalError(f"{source} is not YAML: {' '.join(str(error).split())}") from error
    for key, value in (settings.get("config") or {}).items():
        if _is_encrypted(value):
            raise RehearsalError(f"{source}: {key} is encrypted for another backend: the rehearsal needs it in plain")
    target = paths.base / "configuration" / project / f"Pulumi.{stack}.yaml"
    replace_text(target, SECRETS_PROVIDER.sub("", text))
    return target


def _is_encrypted(value: object) -> bool:
    """Is the value, or any part of it, what `pulumi config set --secret` leaves?"""
    if isinstance(value, dict):
        return set(value) == {"secure"} or any(map(_is_encrypted, value.values()))
    return isinstance(value, list) and any(map(_is_encrypted, value))


def main(argv: list[str]) -> int:
    """`python -m rehearsal open`: print the path of the configuration's copy; exit code 0, or RehearsalError."""
    parser = argparse.ArgumentParser(prog="python -m rehearsal open", description=__doc__)
    parser.add_argument("--project", required=True)
    parser.add_argument("--stack", required=True)
    parser.add_argument("--config", type=Path, required=True, help="the tracked Pulumi.<stack>.yaml")
    parser.add_argument("--state", type=Path, help="a file backend of its own (its bucket does not exist yet)")
    options = parser.parse_args(argv)
    paths = Paths.current()
    require(paths)
    paths = replace(paths, backend=options.state)
    copy = configuration(paths, options.project, options.stack, options.config)
    if not create(paths, options.project, options.stack):
        tell(settle(paths, options.project, options.stack))
    sys.stdout.write(f"{copy}\n")
    return 0
