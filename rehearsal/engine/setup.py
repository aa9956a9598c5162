"""What must be on this machine before the engine can run? Engine, plugins, language host, schema cache; made once."""

import argparse
import os
import shlex
import sys
from pathlib import Path

from rehearsal import progress
from rehearsal.aws import given, schema
from rehearsal.cluster import binaries
from rehearsal.engine.locate import Engine, obtain
from rehearsal.files import replace_text
from rehearsal.paths import Paths, interpreter

EMULATED = {"aws": "7.51.1"}
"""Plugins of our own, by version of the SDK they stand in for."""

EMULATED_IN_SCHEMA_MODE = {"kubernetes": "4.25.0"}
"""With a real API server (`KUBERNETES=real` or `live`) the official provider takes this place."""

LANGUAGE = (
    ("language", "python", "rehearsal.language"),
    ("resource", "pulumi-python", "rehearsal.language.dynamic"),
)
"""What lies beside the engine in every release: the Python host, and the server of providers written in a program."""

EMPTY_KUBECONFIG = "apiVersion: v1\nkind: Config\n"


def set_up(paths: Paths) -> Engine:
    """Everything the engine needs, left alone where it is already right.

    Raises RehearsalError with one line that names what is missing.
    """
    engine = obtain(paths)
    for folder in (paths.bin, paths.home, paths.state, paths.world):
        folder.mkdir(parents=True, exist_ok=True)
    _link(paths.bin / "pulumi", Path(engine.path))
    emulated = EMULATED | (EMULATED_IN_SCHEMA_MODE if paths.mode == "schema" else {})
    for name, version in emulated.items():
        plugin = paths.home / "plugins" / f"resource-{name}-v{version}" / f"pulumi-resource-{name}"
        replace_text(plugin, wrapper(f"rehearsal.{name}", version), executable=True)
    if paths.mode != "schema":
        _set_up_kubernetes(paths)
    if not schema.cache().is_file():
        with progress.step("schema of the AWS SDK (15 s the first time)") as shown:
            schema.ensure(shown.update)
    if not engine.has_language_host():
        for kind, name, module in LANGUAGE:
            plugin = paths.home / "plugins" / f"{kind}-{name}-{engine.version}" / f"pulumi-{kind}-{name}"
            replace_text(plugin, wrapper(module), executable=True)
    if not paths.kubeconfig.exists():
        replace_text(paths.kubeconfig, EMPTY_KUBECONFIG)
    return engine


def _set_up_kubernetes(paths: Paths) -> None:
    """The official provider, a control plane to talk to, and an answer to its kubeconfig's question."""
    provider = binaries.provider()
    binaries.control_plane()
    folder = paths.home / "plugins" / f"resource-kubernetes-v{binaries.PROVIDER_VERSION}"
    folder.mkdir(parents=True, exist_ok=True)
    _link(folder / provider.name, provider)
    replace_text(paths.bin / "aws", wrapper("rehearsal.cluster.aws_cli"), executable=True)


def wrapper(module: str, *arguments: str) -> str:
    """A plugin's executable. `-I` keeps the program's folder and PYTHONPATH out of the plugin."""
    command = shlex.join([str(interpreter()), "-I", "-m", module, *arguments])
    return f'#!/bin/sh\nexec {command} "$@"\n'


def main(argv: list[str]) -> int:
    """`python -m rehearsal setup`: exit code 0; RehearsalError when something is missing."""
    parser = argparse.ArgumentParser(prog="python -m rehearsal setup", description=__doc__)
    parser.add_argument("--quiet", action="store_true", help="no summary (long steps still show progress)")
    options = parser.parse_args(argv)
    paths = Paths.current()
    engine = set_up(paths)
    if not options.quiet:
        where = f"Kubernetes: {paths.mode}; account: {given.account()}"
        sys.stderr.write(f"engine {engine.version} at {engine.path}; {where}\n")
    return 0


def _link(link: Path, target: Path) -> None:
    if not (link.is_symlink() and link.readlink() == target):
        fresh = link.with_name(f".{link.name}.{os.getpid()}")
        fresh.symlink_to(target)
        fresh.replace(link)
