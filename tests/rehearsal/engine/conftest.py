"""The rehearsal set up once in a folder of its own, and small projects that the real engine runs there."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from rehearsal.paths import ROOT, Paths
from rehearsal.world import Row, World

GATED_PLUGIN = Path(__file__).with_name("gated_plugin.py")
LOOPBACK = Path(__file__).with_name("loopback.py")


def in_loopback_only(*command: str) -> list[str]:
    """The command where there is no network but the loopback."""
    assert shutil.which("unshare"), "`unshare` is missing: apt-get install util-linux"
    return ["unshare", "--map-root-user", "--net", sys.executable, str(LOOPBACK), *command]


@dataclass(frozen=True)
class Rehearsal:
    """A set-up of its own: home, state and world below `base`."""

    base: Path

    @property
    def paths(self) -> Paths:
        return Paths("schema", self.base)

    def command(
        self, *arguments: str, env: Mapping[str, str] | None = None, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """`python -m rehearsal ...` as a person would call it."""
        return subprocess.run(
            [sys.executable, "-m", "rehearsal", *arguments],
            env={**(os.environ if env is None else env), "REHEARSAL_DIR": str(self.base)},
            cwd=ROOT,
            check=check,
            capture_output=True,
            text=True,
        )

    def environment(self, ambient: Mapping[str, str] | None = None) -> dict[str, str]:
        """What a shell has after `eval "$(python -m rehearsal env)"`."""
        start = dict(os.environ if ambient is None else ambient)
        changes = json.loads(self.command("env", "--json", env=start).stdout)
        return {name: value for name, value in (start | changes).items() if value is not None}


@dataclass
class Project:
    """A Pulumi project in a scratch folder."""

    rehearsal: Rehearsal
    folder: Path
    name: str
    env: dict[str, str] = field(default_factory=dict)
    stack: str = "dev"

    def __post_init__(self) -> None:
        self.env = self.rehearsal.environment() | self.env
        self.folder.mkdir(parents=True, exist_ok=True)
        self.settings({})
        (self.folder / f"Pulumi.{self.stack}.yaml").write_text("config:\n  aws:region: us-east-1\n")

    def settings(self, options: Mapping[str, str], **more: str) -> None:
        runtime = {"name": "python", "options": dict(options)}
        (self.folder / "Pulumi.yaml").write_text(json.dumps({"name": self.name, "runtime": runtime, **more}))

    def program(self, text: str) -> None:
        (self.folder / "__main__.py").write_text(text)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            ["pulumi", *arguments, "--stack", self.stack, "--non-interactive"],
            cwd=self.folder,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def pulumi(self, *arguments: str, code: int = 0) -> str:
        """Run the engine to its end; what it wrote. Fails the test unless it exits with `code`."""
        process = self.start(*arguments)
        output, _ = process.communicate()
        assert process.returncode == code, f"pulumi {' '.join(arguments)}: {process.returncode}\n{output}"
        return output

    def up(self, *, code: int = 0) -> str:
        return self.pulumi("up", "--yes", "--skip-preview", code=code)

    def outputs(self) -> dict[str, Any]:
        return dict(json.loads(self.pulumi("stack", "output", "--json")))

    def checkpoint(self) -> dict[str, Any]:
        document = json.loads(self.rehearsal.paths.checkpoint(self.name, self.stack).read_text())
        return dict(document["checkpoint"]["latest"])

    def resources(self, name: str) -> list[dict[str, Any]]:
        return [row for row in self.checkpoint()["resources"] if row["urn"].endswith(f"::{name}")]

    def world(self) -> list[Row]:
        world = World(self.rehearsal.paths.world)
        try:
            return [row for row in world.rows() if row.stack == f"{self.name}/{self.stack}"]
        finally:
            world.close()


@pytest.fixture(scope="session")
def rehearsal(tmp_path_factory: pytest.TempPathFactory) -> Rehearsal:
    found = Rehearsal(tmp_path_factory.mktemp("rehearsal"))
    found.command("setup")
    return found


@pytest.fixture
def project(rehearsal: Rehearsal, tmp_path: Path, request: pytest.FixtureRequest) -> Project:
    """An empty project whose stack exists."""
    made = Project(rehearsal, tmp_path / "project", request.node.name.replace("[", "-").rstrip("]"))
    made.pulumi("stack", "init")
    return made
