"""How does a person get a shell in which plain `pulumi` works, and leave it without traces in tracked files?"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

from rehearsal.engine.environment import apply, require, variables
from rehearsal.engine.salt import restore, stack_files
from rehearsal.paths import Paths


def main(argv: list[str]) -> int:
    """`python -m rehearsal shell`: the exit code is the shell's (or the command's)."""
    parser = argparse.ArgumentParser(prog="python -m rehearsal shell", description=__doc__)
    parser.add_argument("command", nargs="*", help="a command to run instead of an interactive $SHELL")
    options = parser.parse_args(argv)
    paths = Paths.current()
    require(paths)
    env = apply(variables(paths, os.environ), os.environ)
    if not options.command:
        sys.stderr.write("rehearsal shell: `pulumi` uses the rehearsed cloud; leave it with `exit`\n")
    before = stack_files(Path.cwd())
    try:
        return subprocess.run(options.command or [os.environ.get("SHELL", "/bin/sh")], env=env, check=False).returncode
    finally:
        restore(before)
