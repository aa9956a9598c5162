"""Which Python runs a project? The one its `runtime.options` name (toolchain pip, poetry or uv)."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rehearsal.errors import RehearsalError

TOOLCHAINS = ("pip", "poetry", "uv")


@dataclass(frozen=True)
class Project:
    """A folder with Pulumi.yaml, PulumiPolicy.yaml or PulumiPlugin.yaml, and its runtime options."""

    root: Path
    options: Mapping[str, object]

    @property
    def toolchain(self) -> str:
        """pip, poetry or uv. Raises RehearsalError for anything else."""
        named = str(self.options.get("toolchain") or "pip")
        if named not in TOOLCHAINS:
            raise RehearsalError(f"runtime option `toolchain` is {named!r}: it must be {', '.join(TOOLCHAINS)}")
        return named

    def virtualenv(self) -> Path | None:
        """The project's virtual environment, whether or not it exists; None when it uses the Python on PATH.

        Raises RehearsalError when poetry is asked and cannot answer.
        """
        named = self.options.get("virtualenv")
        if self.toolchain == "poetry":
            return Path(self._poetry("env", "info", "--path"))
        if self.toolchain == "uv":
            chosen = named or os.environ.get("UV_PROJECT_ENVIRONMENT") or ".venv"
            return self._uv_root() / str(chosen)
        return self.root / str(named) if named else None

    def python(self) -> str:
        """The interpreter's path. Raises RehearsalError when there is none, saying how to make it."""
        folder = self.virtualenv()
        if folder is None:
            found = os.environ.get("PULUMI_PYTHON_CMD") or shutil.which("python3") or shutil.which("python")
            if not found:
                raise RehearsalError("no python3 on PATH: install Python, or name a `virtualenv` in runtime.options")
            return found
        python = folder / "bin" / "python"
        if not python.exists():
            raise RehearsalError(f"{folder} is not a virtual environment: run `pulumi install` in {self.root}")
        return str(python)

    def environment(self) -> dict[str, str]:
        """The process environment with the virtual environment active."""
        folder = self.virtualenv()
        if folder is None:
            return dict(os.environ)
        kept = {name: value for name, value in os.environ.items() if name != "PYTHONHOME"}
        path = f"{folder / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
        return kept | {"VIRTUAL_ENV": str(folder), "PATH": path}

    def installation(self) -> list[list[str]]:
        """The commands by which `pulumi install` brings the project's packages."""
        if self.toolchain == "poetry":
            return [["poetry", "install", "--no-ansi"]]
        if self.toolchain == "uv":
            return [["uv", "sync"]]
        folder = self.virtualenv()
        commands = [["python3", "-m", "venv", str(folder)]] if folder and not (folder / "bin/python").exists() else []
        python = str(folder / "bin" / "python") if folder else self.python()
        for name, option in (("requirements.txt", ["-r", "requirements.txt"]), ("pyproject.toml", ["-e", "."])):
            if (self.root / name).exists():
                return [*commands, [python, "-m", "pip", "install", *option]]
        return commands

    def _uv_root(self) -> Path:
        """The folder whose lock covers the project: uv workspaces keep theirs higher up."""
        for folder in (self.root, *self.root.parents):
            if (folder / "uv.lock").exists():
                return folder
        return self.root

    def _poetry(self, *arguments: str) -> str:
        try:
            command = ["poetry", *arguments]
            done = subprocess.run(command, cwd=self.root, check=True, capture_output=True, text=True)
        except FileNotFoundError as error:
            raise RehearsalError("the project's toolchain is poetry, which is not on PATH: install it") from error
        except subprocess.CalledProcessError as error:
            raise RehearsalError(f"poetry has no environment in {self.root}: run `pulumi install` there") from error
        return done.stdout.strip()
