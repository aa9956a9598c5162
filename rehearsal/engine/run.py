"""How is the engine called on behalf of a person who did not type the command?"""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from rehearsal.engine.environment import apply, variables
from rehearsal.paths import Paths


def engine(paths: Paths, arguments: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run `pulumi` in a folder with the rehearsal's environment, its output captured."""
    env = apply(variables(paths, os.environ), os.environ)
    command = [str(paths.bin / "pulumi"), *arguments]
    return subprocess.run(command, cwd=folder, env=env, check=False, capture_output=True, text=True)
