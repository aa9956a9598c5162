"""A control plane of its own and the workload's program on it, both once per session."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from rehearsal.cluster import control_plane
from rehearsal.cluster.api import Api
from rehearsal.paths import ROOT

PROGRAM = Path(__file__).with_name("program")
NAME = "release"


def image(digit: str) -> str:
    """An image whose digest is one repeated digit; 0 cannot be pulled, 1 crashes, 2 fails as a Job."""
    return f"123456789012.dkr.ecr.us-east-1.amazonaws.com/tecnocursos/service@sha256:{digit * 64}"


def release(active: str, weights: Mapping[str, int], **images: str) -> str:
    other = [colour for colour in images if colour != active]
    named = {colour: image(digit) for colour, digit in images.items()}
    return json.dumps(
        {"active": active, "candidate": other[0] if other else None, "images": named, "weights": dict(weights)}
    )


@dataclass
class Stack:
    """The workload's stack on the session's cluster."""

    folder: Path
    clusters: Path
    env: dict[str, str]
    config: dict[str, str] = field(default_factory=dict)

    @property
    def api(self) -> Api:
        folder = control_plane.folder_of(self.clusters, NAME)
        cluster = control_plane.load(folder)
        assert cluster
        return control_plane.api(folder, cluster)

    def pulumi(self, *arguments: str, code: int = 0) -> str:
        done = subprocess.run(
            ["pulumi", *arguments, "--stack", "trial", "--non-interactive"],
            cwd=self.folder,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == code, f"pulumi {' '.join(arguments)}: {done.returncode}\n{done.stdout}"
        return done.stdout

    def up(self, *, code: int = 0, **config: str) -> dict[str, int]:
        """Deploy with changed configuration; how many resources were created, updated, replaced, deleted."""
        self.config |= config
        text = "config:\n" + "".join(f"  workload:{k}: {json.dumps(v)}\n" for k, v in self.config.items())
        (self.folder / "Pulumi.trial.yaml").write_text(text)
        events = self.folder / "events.jsonl"
        events.unlink(missing_ok=True)
        self.said = self.pulumi("up", "--yes", "--skip-preview", "--event-log", str(events), code=code)
        counted: dict[str, int] = {}
        for line in events.read_text().splitlines():
            if summary := json.loads(line).get("summaryEvent"):
                counted = {kind: n for kind, n in summary["resourceChanges"].items() if kind != "same"}
        return counted

    def get(self, kind: str, name: str = "") -> Any:
        """Objects of the namespace, by API path (`apps/v1 deployments`, `v1 pods`)."""
        version, plural = kind.split()
        root = f"/api/{version}" if "/" not in version else f"/apis/{version}"
        return self.api.call("GET", f"{root}/namespaces/tecnocursos/{plural}/{name}".rstrip("/"))


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    base = tmp_path_factory.mktemp("workload")
    start = os.environ | {"REHEARSAL_DIR": str(base / "rehearsal"), "KUBERNETES": "real"}

    def rehearsal(*words: str, env: Mapping[str, str] = start) -> str:
        command = [sys.executable, "-m", "rehearsal", *words]
        return subprocess.run(command, cwd=ROOT, env=env, check=True, stdout=subprocess.PIPE, text=True).stdout

    rehearsal("setup", "--quiet")
    changes = json.loads(rehearsal("env", "--json"))
    env = {k: v for k, v in (start | changes).items() if v is not None} | {"PULUMI_DEBUG_COMMANDS": "true"}
    kubeconfig = rehearsal("cluster", "start", NAME, env=env).strip()
    folder = base / "project"
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text(f"name: workload\nruntime: python\nmain: {PROGRAM}\n")
    made = Stack(folder, Path(kubeconfig).parent.parent, env)
    made.config = {
        "kubeconfig": kubeconfig,
        "workload": json.dumps(
            {"api": {"least": 3, "most": 10}, "worker": {"least": 1, "most": 4}, "rollout_seconds": 30}
        ),
        "settings": json.dumps({"ENVIRONMENT": "dev"}),
    }
    made.pulumi("stack", "init")
    try:
        made.up(release=release("blue", {"blue": 100}, blue="a"))
        yield made
        made.pulumi("destroy", "--yes")
    finally:
        rehearsal("cluster", "stop", NAME, "--forget", env=env)
