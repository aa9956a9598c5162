"""Who runs resources whose provider is part of the program? The project's own interpreter, with the SDK's own server.

`python -m rehearsal.language.dynamic [ARGUMENTS]` becomes that process. The engine tells a plugin the project's runtime
options as `PULUMI_RUNTIME_*` variables.
"""

import os
import sys
from pathlib import Path

from rehearsal.errors import RehearsalError
from rehearsal.language.interpreter import Project

PREFIX = "PULUMI_RUNTIME_"


def main(arguments: list[str]) -> None:
    """Replace this process; exits with one line when there is no interpreter to replace it with."""
    here = Path.cwd()
    root = next((folder for folder in (here, *here.parents) if (folder / "Pulumi.yaml").is_file()), here)
    named = {name.removeprefix(PREFIX).lower(): text for name, text in os.environ.items() if name.startswith(PREFIX)}
    try:
        project = Project(root, named)
        python, env = project.python(), project.environment()
    except RehearsalError as error:
        sys.exit(str(error))
    os.execve(python, [python, "-u", "-m", "pulumi.dynamic", *arguments], env)  # noqa: S606 -- no shell is wanted


if __name__ == "__main__":
    main(sys.argv[1:])
