"""Which graphs do the policy tests judge? The hand-made compliant one, the golden ones, and changed copies of both."""

import copy
import datetime
import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pack import catalogue, graph, settings
from pack.evaluate import Setting, Verdict
from pack.resource import Stack
from pack.run import Run
from wire import urn

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PROFILES = ROOT / "policies/profiles"
ENVIRONMENTS = ("dev", "staging", "production")
GRAPHS = (*ENVIRONMENTS, *(f"bootstrap-{environment}" for environment in ENVIRONMENTS))
Row = dict[str, Any]


@cache
def profile(name: str) -> Mapping[str, Setting]:
    """The settings of an environment, by the name of one of its graphs."""
    return settings.profile(PROFILES / f"{name.rpartition('-')[2]}.yaml", catalogue.load())


@cache
def compliant() -> list[Row]:
    """The hand-made stack as rows of a golden graph."""
    described = yaml.safe_load((HERE / "compliant.yaml").read_text())
    names = {name: urn(row["type"], name, "production") for name, row in described.items()}
    return [
        {
            "urn": names[name],
            "type": row["type"],
            "inputs": copy.deepcopy(row["inputs"]),
            "protect": row.get("protect", False),
            "provider": "aws" if row["type"].startswith("aws:") else "",
            "dependencies": [names[target] for target in row.get("after", ())],
            "propertyDependencies": {
                key: [names[target] for target in targets] for key, targets in row.get("refs", {}).items()
            },
        }
        for name, row in described.items()
    ]


@cache
def golden(name: str) -> list[Row]:
    """A committed graph."""
    return list(json.loads((ROOT / f"tests/golden/{name}.json").read_text()))


@cache
def production() -> list[Row]:
    """Everything in production's account."""
    return [*golden("production"), *golden("bootstrap-production")]


def judged(rows: list[Row], chosen: Mapping[str, Setting] | None = None) -> list[Verdict]:
    """What all rules say about rows, at production's settings unless others are given, without exemptions."""
    run = Run(catalogue.load(), chosen or profile("production"), (), preview=False, today=datetime.date(2027, 1, 1))
    resources = graph.resources(rows)
    return [v for resource in resources for v in run.resource(resource)] + run.stack(Stack(resources))


def mutated(rows: list[Row], change: Mapping[str, Any]) -> list[Row] | None:
    """A copy of rows with one change of mutations.yaml; None when they have no such resource."""
    rows = copy.deepcopy(rows)
    if "add" in change:
        return [*rows, {"urn": urn(change["add"], "added", rows[0]["urn"].split(":")[2]), "type": change["add"]}]
    wanted = [r for r in rows if r["type"] == change["type"] and r["urn"].endswith("::" + change.get("name", ""))]
    if "name" not in change:
        wanted = [r for r in rows if r["type"] == change["type"]]
    if not wanted:
        return None
    row = wanted[-1 if change.get("last") else 0]
    if change.get("drop"):
        rows.remove(row)
    if change.get("hasty"):
        row["dependencies"] = []
    row["protect"] = change.get("protect", row.get("protect", False))
    row["ignoreChanges"] = change.get("ignore", row.get("ignoreChanges", []))
    for path in change.get("unset", ()):
        _place(row["inputs"], path, None)
    for path, value in change.get("set", {}).items():
        _place(row["inputs"], path, value)
    names = {r["urn"].rpartition("::")[2]: r["urn"] for r in rows}
    for key, targets in change.get("refs", {}).items():
        row["propertyDependencies"][key] = [names[target] for target in targets]
    return rows


def _place(inputs: Any, path: str, value: Any) -> None:
    *steps, last = re.findall(r"[^.\[\]]+", path)
    for number, step in enumerate(steps):
        if step == "*":
            for item in inputs:
                _place(item, ".".join([*steps[number + 1 :], last]), value)
            return
        inputs = inputs[int(step)] if step.isdigit() else inputs.setdefault(step, {})
    if value is None:
        inputs.pop(last, None)
    elif last.isdigit():
        inputs[int(last)] = value
    else:
        inputs[last] = value
