"""How does a finished run become files that people read? Gathers what engine and rehearsal left, then renders."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from delivery import architecture, comment, cost, drawing, events, golden, report
from delivery.engine import Target
from delivery.model import Outcome, Reason, Run
from delivery.outcome import outcome
from delivery.redact import redact

CLUSTER = "aws:eks/cluster:Cluster"


def not_started(target: Target, reason: str) -> None:
    """Leave an event log that says why the engine was never started, so that report and comment say it too."""
    target.folder.mkdir(parents=True, exist_ok=True)
    said = {"message": reason, "severity": "error"}
    target.events.write_text(json.dumps({"diagnosticEvent": said}) + "\n")
    target.plan.unlink(missing_ok=True)


def write(target: Target, run: Run, env: Mapping[str, str] | None, notes: Sequence[str] = ()) -> Outcome:
    """Write build/ENV/report.html and comment.md from whatever the run left; returns what they show.

    env: the engine's environment; None when it could not be had, and then nothing is asked of engine or rehearsal.
    notes: what else a reader must know.
    """
    lines = target.events.read_text(errors="replace").splitlines() if target.events.exists() else []
    shown = outcome(run, events.read(lines), data("stateful"))
    reasons, unanswered = held_up(target, shown, env) if env else ((), [])
    shown = replace(shown, reasons=reasons)
    estimate = cost.compare(shown.before, shown.after, data("prices"), run.environment)
    types = sorted({state.type for state in shown.after.values()})
    shallow, silent = checked_less(types, target, env) if env else ([], [])
    partial = shown.preview and not shown.complete
    picture = draw(graph(target, shown, env)) if env and not partial else ""
    target.folder.mkdir(parents=True, exist_ok=True)
    said = [*notes, *rehearsed(target, env), *silent, *unanswered]
    target.report.write_text(report.render(shown, estimate, picture, shallow, said))
    target.comment.write_text(comment.comment(shown, estimate, notes))
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(summary).open("a") as page:
            page.write(target.comment.read_text())
    return shown


def rehearsed(target: Target, env: Mapping[str, str] | None) -> list[str]:
    """Which account the rehearsal had, and where the deployment ran: both decide what is refused."""
    if not target.rehearsal or not env:
        return []
    used = env.get("REHEARSAL_ACCOUNT") != "empty"
    account = (
        "a used account, with what AWS makes by itself and its quotas" if used else "an empty account, without quotas"
    )
    return [f"Rehearsed in {account}; deployed from {env.get('REHEARSAL_RUNNER') or 'somewhere on the internet'}."]


def data(name: str) -> dict[str, Any]:
    """A data file of this package."""
    text = resources.files("delivery").joinpath("data", f"{name}.yaml").read_text()
    loaded: dict[str, Any] = yaml.safe_load(text)
    return loaded


def draw(rows: Sequence[golden.Row]) -> str:
    """The architecture of a graph as SVG."""
    return drawing.svg(architecture.diagram(rows, data("architecture")))


def graph(target: Target, shown: Outcome, env: Mapping[str, str]) -> list[golden.Row]:
    """The resources as they are now or, for a preview, as they would be, with what depends on what.

    A preview tells dependencies in its plan only; one that failed has none, and its graph is drawn without them.
    """
    if not shown.preview:
        line = ["pulumi", "stack", "export", "--stack", target.environment]
        done = subprocess.run(line, cwd=target.program, env=env, capture_output=True, text=True, check=False)
        if done.returncode == 0 and done.stdout:
            return golden.canonical(json.loads(done.stdout)["deployment"].get("resources") or [])
    plans = json.loads(target.plan.read_text())["resourcePlans"] if target.plan.exists() else {}
    goals = {urn: plan.get("goal") or {} for urn, plan in plans.items()}
    rows = [
        {"urn": urn, "type": state.type, "parent": state.parent, "inputs": state.inputs, "protect": state.protect}
        | {key: goals.get(urn, {}).get(key) for key in ("dependencies", "propertyDependencies")}
        for urn, state in shown.after.items()
    ]
    return golden.canonical(rows)


def checked_less(
    types: Sequence[str], target: Target, env: Mapping[str, str]
) -> tuple[list[tuple[str, str]], list[str]]:
    """Types that the rehearsal could check against their schema only, each with why; and notes for the reader."""
    # The official provider and a real API server check everything that they are given.
    asked = ("aws:",) if env.get("KUBERNETES") in ("real", "live") else ("aws:", "kubernetes:")
    tokens = [token for token in types if token.startswith(asked)]
    if not target.rehearsal or not tokens:
        return [], []
    line = [sys.executable, "-m", "rehearsal", "explain", "--json", *tokens]
    done = subprocess.run(line, cwd=target.root, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        return [], ["How deeply the rehearsal checks each type: `python -m rehearsal explain` gave no answer."]
    rows = json.loads(done.stdout)
    return [(row["token"], _unchecked(row)) for row in rows if row["level"] == "schema"], []


def _unchecked(row: Mapping[str, Any]) -> str:
    if row["token"].startswith("aws:"):
        return "checked against its schema only: what replaces it, and AWS's own limits, are not known here"
    return f"checked at schema level; only a real API server (KUBERNETES=real) refuses {', '.join(row['unverified'])}"


def held_up(target: Target, shown: Outcome, env: Mapping[str, str]) -> tuple[tuple[Reason, ...], list[str]]:
    """After a failed update: why objects on the environment's clusters do not come up; and notes for the reader.

    On AWS nothing is asked: the credentials of this run need not reach the cluster's API.
    """
    run = shown.run
    failed = run.operation == "up" and run.code and not run.interrupted
    if not (failed and target.rehearsal and env.get("KUBERNETES") in ("real", "live")):
        return (), []
    names = {state.inputs.get("name") for state in shown.after.values() if state.type == CLUSTER}
    line = [sys.executable, "-m", "rehearsal", "cluster", "reasons", "--json", *sorted(filter(None, names))]
    done = subprocess.run(line, cwd=target.root, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        return (), ["Why objects do not come up: `python -m rehearsal cluster reasons` gave no answer."]
    rows = json.loads(done.stdout)
    return tuple(Reason(row["about"], row["kind"], redact(row["message"])) for row in rows), []
