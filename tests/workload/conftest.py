"""A control plane of its own and the workload's program on it, both once per session."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from delivery import publish
from delivery.engine import Target
from delivery.model import Run
from rehearsal.cluster import control_plane
from rehearsal.cluster.api import Api
from rehearsal.paths import ROOT

from .waiting import eventually

PROGRAM = Path(__file__).with_name("program")
NAME = "release"


def image(digit: str) -> str:
    """An image whose digest is one repeated digit; rehearsal/cluster/stages.yaml says which fail, and how."""
    return f"123456789012.dkr.ecr.us-east-1.amazonaws.com/tecnocursos/service@sha256:{digit * 64}"


def release(active: str, weights: Mapping[str, int], **images: str) -> dict[str, Any]:
    """The release in which each named colour runs the image of its digit."""
    other = [colour for colour in images if colour != active]
    named = {colour: image(digit) for colour, digit in images.items()}
    return {"active": active, "candidate": other[0] if other else None, "images": named, "weights": dict(weights)}


STEADY = release("blue", {"blue": 100}, blue="a")


def candidate(digit: str) -> dict[str, Any]:
    """Blue serves; green is to come up with another image."""
    return release("blue", {"blue": 100, "green": 0}, blue="a", green=digit)


@dataclass
class Stack:
    """The workload's stack on the session's cluster."""

    folder: Path
    clusters: Path
    env: dict[str, str]
    config: dict[str, Any] = field(default_factory=dict)
    said: str = ""

    @property
    def api(self) -> Api:
        folder = control_plane.folder_of(self.clusters, NAME)
        cluster = control_plane.load(folder)
        assert cluster
        return control_plane.api(folder, cluster)

    def pulumi(self, *arguments: str, code: int = 0) -> str:
        done = subprocess.run(
            ["pulumi", *arguments, "--stack", "dev", "--non-interactive"],
            cwd=self.folder,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == code, f"pulumi {' '.join(arguments)}: {done.returncode}\n{done.stdout}"
        return done.stdout

    def rehearsal(self, *words: str) -> str:
        """Tell the rehearsal that the stack lives in."""
        line = [sys.executable, "-m", "rehearsal", *words]
        return subprocess.run(line, cwd=ROOT, env=self.env, check=True, stdout=subprocess.PIPE, text=True).stdout

    def configure(self, **config: Any) -> None:
        """Change the stack's configuration."""
        self.config |= config
        whole = {"config": {f"tecnocursos:{name}": value for name, value in self.config.items()}}
        (self.folder / "Pulumi.dev.yaml").write_text(yaml.safe_dump(whole))

    def up(self, *, code: int = 0, **config: Any) -> dict[str, int]:
        """Deploy with changed configuration; how many resources were created, updated, replaced, deleted."""
        self.configure(**config)
        events = self.target.events
        events.unlink(missing_ok=True)
        self.said = self.pulumi("up", "--yes", "--skip-preview", "--event-log", str(events), code=code)
        summaries = [json.loads(line).get("summaryEvent") for line in events.read_text().splitlines()]
        (counted,) = [summary["resourceChanges"] for summary in summaries if summary]
        return {kind: number for kind, number in counted.items() if kind != "same"}

    @property
    def target(self) -> Target:
        """The stack as the delivery knows it."""
        return Target(self.folder, "tecnocursos", "dev", rehearsal=True)

    def report(self) -> str:
        """The page that the delivery writes about the latest `up`, which failed."""
        run = Run("up", "tecnocursos", "dev", 1, True, datetime.now(UTC), 0.0, False)
        publish.write(self.target, run, self.env)
        return self.target.report.read_text()

    def get(self, kind: str, name: str = "") -> Any:
        """Objects of the namespace, by API path (`apps/v1 deployments`, `v1 pods`)."""
        version, plural = kind.split()
        root = f"/api/{version}" if "/" not in version else f"/apis/{version}"
        return self.api.call("GET", f"{root}/namespaces/tecnocursos/{plural}/{name}".rstrip("/"))

    def ready(self, colour: str) -> int:
        """Pods of the colour that answer requests."""
        return int(self.get("apps/v1 deployments", f"api-{colour}")["status"].get("readyReplicas", 0))

    def jobs(self) -> dict[str, str]:
        """Names and ids of the tasks, without the sweeper's runs, which come and go every minute."""
        found = {row["metadata"]["name"]: row["metadata"]["uid"] for row in self.get("batch/v1 jobs")["items"]}
        return {name: uid for name, uid in found.items() if not name.startswith("sweeper")}

    def api_pods(self) -> list[dict[str, Any]]:
        """Pods that answer requests, of any colour, without those on their way out."""
        rows = self.get("v1 pods?labelSelector=app.kubernetes.io/component=api")["items"]
        return [row for row in rows if "deletionTimestamp" not in row["metadata"]]


@contextmanager
def quota(stack: Stack, pods: int) -> Iterator[None]:
    """A second quota, for what must run for a release: the sweeper's runs, which come and go, do not count."""
    serving = {"scopeName": "PriorityClass", "operator": "In", "values": ["tecnocursos-serving"]}
    body = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "tight"},
        "spec": {"hard": {"pods": str(pods)}, "scopeSelector": {"matchExpressions": [serving]}},
    }
    path = "/api/v1/namespaces/tecnocursos/resourcequotas"
    stack.api.call("POST", path, body)
    try:
        eventually(lambda: stack.get("v1 resourcequotas", "tight")["status"].get("used"))
        yield
    finally:
        stack.api.call("DELETE", f"{path}/tight")


@contextmanager
def begun(base: Path) -> Iterator[Stack]:
    """A cluster with nodes, and a stack that was never deployed."""
    start = os.environ | {"REHEARSAL_DIR": str(base / "rehearsal"), "KUBERNETES": "real"}

    def rehearsal(*words: str, env: Mapping[str, str] = start) -> str:
        command = [sys.executable, "-m", "rehearsal", *words]
        return subprocess.run(command, cwd=ROOT, env=env, check=True, stdout=subprocess.PIPE, text=True).stdout

    rehearsal("setup", "--quiet")
    changes = json.loads(rehearsal("env", "--json"))
    env = {k: v for k, v in (start | changes).items() if v is not None} | {"PULUMI_DEBUG_COMMANDS": "true"}
    kubeconfig = rehearsal("cluster", "start", NAME, env=env).strip()
    folder = base / "project"
    (folder / "build/dev").mkdir(parents=True)
    (folder / "Pulumi.yaml").write_text(f"name: tecnocursos\nruntime: python\nmain: {PROGRAM}\n")
    made = Stack(folder, Path(kubeconfig).parent.parent, env)
    scaling = {"api": {"least": 3, "most": 10}, "worker": {"least": 1, "most": 4}}
    made.config = {
        "kubeconfig": kubeconfig,
        "workload": scaling | {"rollout_seconds": 30, "task_seconds": 30},
        "settings": {"ENVIRONMENT": "dev"},
        "changes": {},
    }
    made.pulumi("stack", "init")
    try:
        yield made
        made.pulumi("destroy", "--yes")
    finally:
        rehearsal("cluster", "stop", NAME, "--forget", env=env)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with begun(tmp_path_factory.mktemp("workload")) as made:
        made.up(release=STEADY)
        yield made


@pytest.fixture
def steady(stack: Stack) -> Stack:
    """Blue alone, with as many pods as it should have."""
    if stack.config["release"] != STEADY or stack.config["changes"]:
        stack.up(release=STEADY, changes={})
    eventually(lambda: stack.ready("blue") == 3 == len(stack.api_pods()))
    return stack
