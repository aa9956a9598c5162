"""What does a preview of production cost in the rehearsal? Against the same program on plugins that do nothing.

First preview of an empty stack, rounds taken in turn; the smallest of each is shown, since noise only adds. CPU seconds
cover the engine, the language host, the program and the plugins. The goal is 1.3 times.
"""

import argparse
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from rehearsal_overhead import DO_NOTHING, PLUGINS, ROOT, environment, timed

VERSIONS = {"aws": "7.51.1", "kubernetes": "4.25.0"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folders = {name: Path(scratch, name) for name in PLUGINS}
        envs = {name: environment(folder) for name, folder in folders.items()}
        for package, version in VERSIONS.items():
            (plugin,) = folders["do-nothing"].glob(f"home/plugins/resource-{package}-*/pulumi-resource-{package}")
            floor = shlex.join([str(ROOT / ".venv/bin/python"), "-I", str(DO_NOTHING), version])
            plugin.write_text(f'#!/bin/sh\nexec {floor} "$@"\n')
        commands = {name: preview(envs[name]) for name in PLUGINS}
        for name in PLUGINS:  # the first run of a fresh checkout writes the SDK's bytecode
            timed(commands[name], ROOT, envs[name])
        seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in PLUGINS}
        for _ in range(options.rounds):
            for name in PLUGINS:
                seconds[name].append(timed(commands[name], ROOT, envs[name]))
    print(f"preview of production, {options.rounds} rounds   do-nothing    rehearsal   ratio")
    for kind, measure in enumerate(("wall", "CPU")):
        low, own = (min(row[kind] for row in seconds[name]) for name in PLUGINS)
        print(f"{measure:4s} seconds {low:33.2f} {own:12.2f} {own / low:7.2f}")


def preview(env: dict[str, str]) -> list[str]:
    """The command, after the stack was made: its configuration is a copy, so the checkout stays clean."""
    stack = ["--project", "tecnocursos", "--stack", "production", "--config", "stacks/Pulumi.production.yaml"]
    opened = subprocess.check_output([sys.executable, "-m", "rehearsal", "open", *stack], cwd=ROOT, env=env, text=True)
    flags = ["--stack", "production", "--non-interactive", "--config-file", opened.split()[-1]]
    return ["pulumi", "preview", *flags]


if __name__ == "__main__":
    main()
