"""Does an environment live in the rehearsal cloud from its first deployment to its end, through the real engine?"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

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

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self.folder = name, folder
        apart = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
        apart |= {"REHEARSAL_DIR": str(folder / "rehearsal"), "KUBERNETES": "schema"}
        self.env = apart
        self._rehearsal("setup")
        changes: dict[str, str | None] = json.loads(self._rehearsal("env", "--json"))
        self.env = {key: value for key, value in apart.items() if key not in changes}
        self.env |= {key: value for key, value in changes.items() if value is not None} | FAST
        tracked = f"stacks/Pulumi.{name}.yaml"
        opened = self._rehearsal("open", "--project", PROJECT, "--stack", name, "--config", tracked)
        self.configuration = Path(opened.split()[-1])

    def engine(self, operation: str, *flags: str, project: Path = ROOT) -> subprocess.CompletedProcess[str]:
        line = ["pulumi", operation, "--stack", self.name, "--non-interactive"]
        line += ["--config-file", str(self.configuration), *flags]
        return subprocess.run(line, cwd=project, env=self.env, capture_output=True, text=True, check=False)

    def works(self, operation: str, *flags: str) -> None:
        done = self.engine(operation, *flags)
        assert done.returncode == 0, done.stdout + done.stderr

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
        return self._rehearsal("world", "list", "--json").splitlines()

    def _rehearsal(self, *arguments: str) -> str:
        line = [sys.executable, "-m", "rehearsal", *arguments]
        done = subprocess.run(line, cwd=ROOT, env=self.env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.mark.parametrize("name", ["dev", "staging"])
def test_an_environment_deploys_settles_and_goes(name: str, tmp_path: Path) -> None:
    environment = Environment(name, tmp_path)
    environment.works("up", "--yes", "--skip-preview")
    environment.works("preview", "--expect-no-changes")
    assert environment.world()
    environment.works("destroy", "--yes", "--skip-preview")
    assert environment.world() == []


def test_production_goes_only_when_its_protection_is_taken_off_on_purpose(tmp_path: Path) -> None:
    environment = Environment("production", tmp_path)
    environment.works("up", "--yes", "--skip-preview")
    environment.works("preview", "--expect-no-changes")
    before = environment.world()

    refused = environment.engine("destroy", "--yes")
    assert refused.returncode != 0
    assert "cannot be deleted" in refused.stdout + refused.stderr
    assert environment.world() == before

    renamed = environment.engine("preview", project=environment.renamed())
    shown = renamed.stdout + renamed.stderr
    assert renamed.returncode != 0
    assert "rds:Instance orders create" in shown, shown
    assert "Database$aws:rds/instance:Instance::database" in shown and "cannot be deleted" in shown

    environment.configure("place", "protected", value=False)
    environment.works("up", "--yes", "--skip-preview")
    environment.works("destroy", "--yes", "--skip-preview")
    assert environment.world() == []


def test_a_configuration_that_is_not_sound_stops_before_the_first_resource(tmp_path: Path) -> None:
    environment = Environment("dev", tmp_path)
    environment.configure("network", "cidr", "10.20.0.0/16")
    environment.configure("database", "typo", 1)
    refused = environment.engine("up", "--yes", "--skip-preview")
    shown = refused.stdout + refused.stderr
    assert refused.returncode != 0
    assert "stacks/Pulumi.dev.yaml cannot be used; nothing was changed" in shown, shown
    assert "tecnocursos:database.typo: unknown key" in shown
    assert "overlaps the reserved network 10.20.0.0/16" in shown
    assert "Traceback" not in shown
    assert environment.world() == []
