"""An environment in a rehearsal cloud of its own, spoken to through the real engine."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from delivery import base, engine
from tests.infra.record import ROOT

PROJECT = "tecnocursos"
FAST = {"PULUMI_EXPERIMENTAL": "true", "PULUMI_SKIP_CHECKPOINTS": "true"}  # nothing here is to be recovered
RENAMED = """
import runpy
from infra import estate

database = estate.Database
estate.Database = lambda name, *rest: database("orders", *rest)
runpy.run_path({program!r})
"""


class Environment:
    """One environment in a rehearsal cloud of its own."""

    def __init__(self, name: str, folder: Path, kubernetes: str = "schema") -> None:
        self.name, self.folder = name, folder
        apart = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
        apart |= {"REHEARSAL_DIR": str(folder / "rehearsal"), "KUBERNETES": kubernetes}
        self.env = apart
        self._rehearsal("setup")
        changes: dict[str, str | None] = json.loads(self._rehearsal("env", "--json"))
        self.env = {key: value for key, value in apart.items() if key not in changes}
        self.env |= {key: value for key, value in changes.items() if value is not None} | FAST
        base.deploy(engine.find(name, ROOT, "rehearsal", base.ACCOUNT), self.env, folder / "account.log")
        tracked = f"stacks/Pulumi.{name}.yaml"
        opened = self._rehearsal("open", "--project", PROJECT, "--stack", name, "--config", tracked)
        self.configuration = Path(opened.split()[-1])
        place = yaml.safe_load(self.configuration.read_text())["config"][f"{PROJECT}:place"]
        self.env |= {"REHEARSAL_RUNNER": place["runner"]}

    def engine(self, operation: str, *flags: str, project: Path = ROOT) -> subprocess.CompletedProcess[str]:
        line = ["pulumi", operation, "--stack", self.name, "--non-interactive"]
        line += ["--config-file", str(self.configuration), *flags]
        return subprocess.run(line, cwd=project, env=self.env, capture_output=True, text=True, check=False)

    def works(self, operation: str, *flags: str) -> str:
        done = self.engine(operation, *flags)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def configure(self, concern: str, field: str, value: Any) -> None:
        """Change this environment's copy of the configuration."""
        whole = yaml.safe_load(self.configuration.read_text())
        whole["config"][f"{PROJECT}:{concern}"][field] = value
        self.configuration.write_text(yaml.safe_dump(whole))

    def renamed(self) -> Path:
        """A project whose program gives the database another name, without an alias."""
        project = self.folder / "renamed"
        (project / "stacks").mkdir(parents=True)
        settings = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())
        settings["runtime"]["options"]["virtualenv"] = str(ROOT / ".venv")
        (project / "Pulumi.yaml").write_text(yaml.safe_dump(settings))
        program = RENAMED.format(program=str(ROOT / "stacks/__main__.py"))
        (project / "stacks/__main__.py").write_text(program)
        return project

    def world(self) -> list[str]:
        """What the estate has; the account's own project is not part of it."""
        return self._rehearsal("world", "--project", PROJECT, "list", "--json").splitlines()

    def clusters(self) -> list[str]:
        """Lines of the control planes: name, endpoint, state, processes."""
        return self._rehearsal("cluster", "list").splitlines()

    def _rehearsal(self, *arguments: str) -> str:
        line = [sys.executable, "-m", "rehearsal", *arguments]
        done = subprocess.run(line, cwd=ROOT, env=self.env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout
