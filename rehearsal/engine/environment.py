"""What must the environment say so that plain `pulumi` finds the rehearsal and nothing else?"""

import argparse
import json
import os
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

from rehearsal import runner
from rehearsal.aws import given
from rehearsal.engine.locate import locate
from rehearsal.errors import RehearsalError
from rehearsal.paths import ROOT, Paths

LEADS_ELSEWHERE = (
    "PULUMI_ACCESS_TOKEN",
    "PULUMI_API",
    "PULUMI_CLOUD_SECRET_OVERRIDE",
    "PULUMI_CONFIG_PASSPHRASE_FILE",
    "PULUMI_CREDENTIALS_PATH",
    "PULUMI_DEBUG_LANGUAGES",
    "PULUMI_DEBUG_PROVIDERS",
    "PULUMI_OPTION_CONFIG_FILE",
    "PULUMI_PLUGIN_DOWNLOAD_URL_OVERRIDES",
)
"""Besides every `AWS_*`: what would take the engine to another backend, plugin source or configuration."""


def variables(paths: Paths, ambient: Mapping[str, str]) -> dict[str, str | None]:
    """The rehearsal's variables for this ambient environment; None means that a variable must not be set."""
    removed: dict[str, str | None] = dict.fromkeys(
        [*LEADS_ELSEWHERE, *(name for name in ambient if name.startswith("AWS_"))]
    )
    return removed | {
        "PATH": _path(paths, ambient),
        "KUBERNETES": paths.mode,
        "KUBECONFIG": str(paths.kubeconfig),
        "REHEARSAL_ACCOUNT": given.account(ambient),
        "REHEARSAL_WORLD": str(paths.world),
        "REHEARSAL_RUNNER": runner.chosen(ambient, paths.world),
        "PULUMI_HOME": str(paths.home),
        "PULUMI_BACKEND_URL": f"file://{paths.state}",
        "PULUMI_CONFIG_PASSPHRASE": "",
        # The checkpoint remembers the salt: stack files need none.
        "PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER": "true",
        # A plugin on PATH would win over the emulated one.
        "PULUMI_IGNORE_AMBIENT_PLUGINS": "true",
        # A program whose SDK is older than the emulated plugin still gets it.
        "PULUMI_ENABLE_LEGACY_PLUGIN_SEARCH": "true",
        # `pulumi import` would write a program too, which takes the official host's code generator.
        "PULUMI_OPTION_GENERATE_CODE": "false",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PULUMI_DISABLE_REGISTRY_RESOLVE": "true",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS": "true",
    }


def apply(variables: Mapping[str, str | None], ambient: Mapping[str, str]) -> dict[str, str]:
    """The whole environment for a child process."""
    merged: dict[str, str | None] = {**ambient, **variables}
    return {name: value for name, value in merged.items() if value is not None}


def require(paths: Paths) -> None:
    """Raises RehearsalError when the set-up has not run for this checkout, mode and engine."""
    engine = locate(paths)
    link = paths.bin / "pulumi"
    linked = engine is not None and link.is_symlink() and link.readlink() == Path(engine.path)
    if not (linked and paths.home.is_dir() and paths.state.is_dir()):
        raise RehearsalError("not set up: run `python -m rehearsal setup`")


def main(argv: list[str]) -> int:
    """`python -m rehearsal env`: exit code 0; RehearsalError when the set-up has not run."""
    parser = argparse.ArgumentParser(prog="python -m rehearsal env", description=__doc__)
    parser.add_argument("--json", action="store_true", help="an object, null for what must be unset")
    options = parser.parse_args(argv)
    paths = Paths.current()
    require(paths)
    wanted = variables(paths, os.environ)
    if options.json:
        sys.stdout.write(json.dumps(wanted, indent=2) + "\n")
    else:
        for name, value in wanted.items():
            line = f"unset {name}" if value is None else f"export {name}={shlex.quote(value)}"
            sys.stdout.write(line + "\n")
    return 0


def _path(paths: Paths, ambient: Mapping[str, str]) -> str:
    """The chosen engine first, then a Python that has the SDKs unless a virtual environment is active."""
    own = [str(paths.bin)]
    if "VIRTUAL_ENV" not in ambient:
        own.append(str(ROOT / ".venv" / "bin"))
    rest = [entry for entry in ambient.get("PATH", "").split(os.pathsep) if entry not in own]
    return os.pathsep.join([*own, *rest])
