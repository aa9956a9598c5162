"""How is the real engine run for one environment, and what does it leave behind for the report?"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TextIO

import yaml

OPERATIONS = ("up", "preview", "refresh", "destroy")


class DeliveryError(Exception):
    """The run cannot start; the message names what is wrong and the remedy."""


@dataclass(frozen=True)
class Target:
    """One environment of one project: which stack, in which checkout, and whether the cloud is the rehearsal's.

    room: the folder of the project's program below the checkout; empty for the estate, whose Pulumi.yaml is on top.
    """

    root: Path
    project: str
    environment: str
    rehearsal: bool
    room: str = ""

    def of(self, room: str) -> "Target":
        """The same environment of another project of this checkout."""
        name = yaml.safe_load((self.root / room / "Pulumi.yaml").read_text())["name"]
        return replace(self, project=name, room=room)

    @property
    def program(self) -> Path:
        """Where the engine runs: the folder of the project's Pulumi.yaml."""
        return self.root / self.room

    @property
    def folder(self) -> Path:
        """Where everything this run writes goes."""
        return self.root / "build" / self.environment / self.room

    @property
    def events(self) -> Path:
        """The engine's event log of the latest run, one JSON object a line."""
        return self.folder / "events.jsonl"

    @property
    def plan(self) -> Path:
        """The latest preview's plan: the only place where a preview tells dependencies."""
        return self.folder / "plan.json"

    @property
    def report(self) -> Path:
        """The page that the latest run wrote."""
        return self.folder / "report.html"

    @property
    def comment(self) -> Path:
        """The Markdown that the latest run wrote, for a pull request or a job's summary."""
        return self.folder / "comment.md"

    @property
    def profile(self) -> Path:
        """The policy pack's configuration for this environment, made for every run."""
        return self.folder / "policy.json"

    @property
    def stack_file(self) -> Path:
        """The environment's committed configuration, one file for all of its projects."""
        return self.root / "stacks" / f"Pulumi.{self.environment}.yaml"

    @property
    def backend(self) -> str:
        """The URL of the bucket that holds the environment's state, from its configuration; empty where none is."""
        return self._place("backend")

    @property
    def runner(self) -> str:
        """The address where its deployments run, from its configuration; empty where none is."""
        return self._place("runner")

    def _place(self, field: str) -> str:
        config = (yaml.safe_load(self.stack_file.read_text()) or {}).get("config") or {}
        return next((str(value.get(field) or "") for key, value in config.items() if key.endswith(":place")), "")


def project_root(start: Path) -> Path:
    """The project's folder: `start` or the nearest one above it that has a Pulumi.yaml."""
    root = next((folder for folder in (start, *start.parents) if (folder / "Pulumi.yaml").is_file()), None)
    if root is None:
        raise DeliveryError(f"no Pulumi.yaml in {start} or above: run this inside the checkout")
    return root


def find(environment: str, root: Path, cloud: str, room: str = "") -> Target:
    """The target named on the command line, in the checkout at `root`."""
    if cloud not in {"rehearsal", "aws"}:
        raise DeliveryError("CLOUD: must be rehearsal or aws")
    known = environments(root)
    if environment not in known:
        raise DeliveryError(f"ENV: no stacks/Pulumi.{environment}.yaml; there are: {', '.join(known) or 'none'}")
    return Target(root, "", environment, cloud == "rehearsal").of(room)


def environments(root: Path) -> list[str]:
    """The environments that have a stack file."""
    return sorted(path.name.split(".")[1] for path in (root / "stacks").glob("Pulumi.*.yaml"))


def variables(target: Target, ambient: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The engine's environment: the rehearsal's over the ambient one; for AWS the ambient one and the backend's URL."""
    if not target.rehearsal:
        # The policy pack's Python is the first on PATH: ours has what it needs.
        path = os.pathsep.join([str(Path(sys.executable).parent), ambient.get("PATH", os.defpath)])
        return {**ambient, "PATH": path} | ({"PULUMI_BACKEND_URL": target.backend} if target.backend else {})
    shown = output([sys.executable, "-m", "rehearsal", "env", "--json"], target.root, ambient)
    changes: Mapping[str, str | None] = json.loads(shown)
    kept = {name: value for name, value in ambient.items() if name not in changes}
    placed = {"REHEARSAL_RUNNER": target.runner} if target.runner else {}
    return placed | kept | {name: value for name, value in changes.items() if value is not None}


def configure_policies(target: Target, env: Mapping[str, str], *, retiring: bool = False) -> None:
    """Write the policy pack's configuration for this environment; refused when a profile or an exemption is wrong.

    retiring: rules about protection only advise, so that it can be taken off before the environment is destroyed.
    """
    target.folder.mkdir(parents=True, exist_ok=True)
    line = [sys.executable, "policies/configure.py", "--env", target.environment, "--output", str(target.profile)]
    output(line + ["--retiring"] * retiring, target.root, env)


def configuration(target: Target, env: Mapping[str, str], state: Path | None = None) -> list[str]:
    """Create the stack when it is missing; returns the flags that name its configuration.

    In the rehearsal this also settles what an interrupted run left behind, and the configuration is a copy, so that
    no run writes into a committed file. state: the folder of the backend, where it is not the environment's own.
    """
    name = target.environment
    if target.rehearsal:
        opened = ["open", "--project", target.project, "--stack", name, "--config", str(target.stack_file)]
        opened += ["--state", str(state)] if state else []
        return ["--config-file", output([sys.executable, "-m", "rehearsal", *opened], target.root, env).strip()]
    listed = json.loads(output(["pulumi", "stack", "ls", "--json"], target.program, env))
    if name not in {row["name"] for row in listed}:
        provider = (yaml.safe_load(target.stack_file.read_text()) or {}).get("secretsprovider")
        flags = ["--secrets-provider", provider] if provider else []
        output(["pulumi", "stack", "init", name, "--no-select", *flags], target.program, env)
    return []


def command(target: Target, operation: str, extra: Sequence[str]) -> list[str]:
    """The engine's command line for one operation."""
    line = ["pulumi", operation, "--stack", target.environment, "--event-log", str(target.events)]
    if operation == "preview":
        line += ["--save-plan", str(target.plan)]
    else:
        line += ["--yes"]
    if operation in {"up", "preview"}:
        line += ["--policy-pack", str(target.root / "policies"), "--policy-pack-config", str(target.profile)]
    return [*line, *extra]


@dataclass(frozen=True)
class Ended:
    """How the engine ended. code: its exit code, or 128 + signal; interrupted: it was asked to stop."""

    code: int
    seconds: float
    interrupted: bool


def run(
    target: Target, operation: str, env: Mapping[str, str], extra: Sequence[str], log: TextIO | None = None
) -> Ended:
    """Run the engine in the foreground until it ends; `log` takes what it says instead of the terminal."""
    for stale in (target.events, target.plan):
        stale.unlink(missing_ok=True)
    started = time.monotonic()
    # The event log is a flag that the engine shows to its own developers only.
    line, env = command(target, operation, extra), {**env, "PULUMI_DEBUG_COMMANDS": "true"}
    try:
        with _interruptible(line, target.program, env, log) as (engine, signals):
            code = engine.wait()
    except FileNotFoundError as missing:
        raise DeliveryError("pulumi is not on PATH: install the Pulumi CLI, or leave CLOUD=aws out") from missing
    return Ended(code if code >= 0 else 128 - code, time.monotonic() - started, bool(signals))


@contextmanager
def _interruptible(
    line: list[str], root: Path, env: Mapping[str, str], log: TextIO | None
) -> Iterator[tuple[subprocess.Popen[bytes], list[int]]]:
    """The engine as a child that hears each interruption exactly once: a second one would make it drop everything.

    On a terminal Ctrl-C reaches the engine by itself, since it shares our process group. Elsewhere it has a group of
    its own and we pass the signal on. Yields the child and the signals heard so far.
    """
    terminal = sys.stdin.isatty() and os.getpgrp() == os.tcgetpgrp(sys.stdin.fileno())
    engine = subprocess.Popen(line, cwd=root, env=env, process_group=None if terminal else 0, stdout=log, stderr=log)

    signals: list[int] = []

    def forward(number: int, _frame: object) -> None:
        signals.append(number)
        if engine.poll() is None and not (terminal and number == signal.SIGINT):
            engine.send_signal(signal.SIGINT)

    owned = threading.current_thread() is threading.main_thread()
    before = {number: signal.signal(number, forward) for number in (signal.SIGINT, signal.SIGTERM) if owned}
    try:
        yield engine, signals
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def output(line: list[str], root: Path, env: Mapping[str, str]) -> str:
    """What a helper command prints; what it says on stderr goes on to ours.

    Raises DeliveryError with the last line it said when it fails.
    """
    said = ""
    with subprocess.Popen(line, cwd=root, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        printed: list[str] = []
        reader = threading.Thread(target=lambda: printed.append(child.stdout.read() if child.stdout else ""))
        reader.start()
        for text in child.stderr or ():
            sys.stderr.write(text)
            said = text.strip() or said
        reader.join()
    if child.returncode:
        name = " ".join(part for part in line[:5] if part not in (sys.executable, "-m"))
        raise DeliveryError(said or f"`{name}` failed with exit code {child.returncode}")
    return printed[0]
