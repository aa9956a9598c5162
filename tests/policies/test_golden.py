"""What do the rules say about the three environments as they are, and when one property of them changes?"""

import datetime
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

import check
import graphs
import pytest
import yaml
from pack import catalogue, exemptions, files, graph, settings
from pack.evaluate import Verdict
from pack.resource import Stack
from pack.run import Run
from wire import Pack

RULES = catalogue.load()
MUTATIONS = yaml.safe_load((graphs.HERE / "mutations.yaml").read_text())


@cache
def before() -> frozenset[tuple[str, str, str]]:
    """What the rules already say about production: advice, and what is exempt."""
    return frozenset(map(key, graphs.judged(graphs.production())))


def key(verdict: Verdict) -> tuple[str, str, str]:
    return verdict.rule, verdict.urn, verdict.path


def cases() -> list[Any]:
    """The changes whose type production has; of the resources of that type the first on which the rule is content."""
    present = {row["type"] for row in graphs.production()}
    return [
        pytest.param(rule, change, id=f"{rule}-{number}")
        for rule, changes in MUTATIONS.items()
        for number, change in enumerate(changes)
        if change.get("type") in present and "name" not in change and graphs.mutated(content(rule), change)
    ]


def content(rule: str) -> list[graphs.Row]:
    """Production without the resources that break the rule already, such as exempt ones."""
    broken = {urn for name, urn, _ in before() if name == rule}
    return [row for row in graphs.production() if row["urn"] not in broken]


@pytest.mark.parametrize("environment", graphs.GRAPHS)
def test_nothing_stops_the_deployment_of_an_environment(environment: str) -> None:
    chosen = graphs.profile(environment)
    accepted = exemptions.read(graphs.ROOT / "policies/exemptions.yaml", RULES)
    stack = graph.read(graphs.ROOT / f"tests/golden/{environment}.json")
    said = check.verdicts(stack, RULES, chosen, accepted)
    assert [verdict for verdict in said if check.stops(verdict, chosen)] == []


def test_every_type_is_claimed_by_a_rule_or_exempt_with_a_reason() -> None:
    claimed = {type_ for rule in RULES.values() for type_ in (*rule.types, *rule.reads)}
    unclaimed = files.read(graphs.ROOT / "policies/unclaimed.yaml")
    present = {row["type"] for name in graphs.GRAPHS for row in graphs.golden(name)}
    assert {t for t in present - claimed if not any(fnmatchcase(t, pattern) for pattern in unclaimed)} == set()
    assert {p for p in unclaimed if p in claimed or not any(fnmatchcase(t, p) for t in present)} == set(), "stale"
    assert all(isinstance(reason, str) and len(reason) > 5 for reason in unclaimed.values())


@pytest.mark.parametrize(("rule", "change"), cases())
def test_one_change_of_production_makes_exactly_that_rule_fire(rule: str, change: dict[str, Any]) -> None:
    rows = content(rule)
    changed = graphs.mutated(rows, change)
    assert changed is not None
    others = [row for row in graphs.production() if row not in rows]
    new = {verdict.rule for verdict in graphs.judged([*changed, *others]) if key(verdict) not in before()}
    assert rule in new
    assert new <= {rule, *change.get("also", ())}


@pytest.mark.parametrize("environment", graphs.GRAPHS)
def test_the_running_pack_says_what_the_functions_say(pack: Pack, environment: str) -> None:
    policy_json = {
        name: {"enforcementLevel": setting.level, **setting.options}
        for name, setting in graphs.profile(environment).items()
    }
    pack.configure(policy_json)
    pack.configure_stack(preview=False, stack=environment.rpartition("-")[2])
    rows = graphs.golden(environment)
    provider = next(row["inputs"] for row in rows if row["type"] == "pulumi:providers:aws")
    rows = [{**row, "providerInputs": provider if row["provider"] == "aws" else {}} for row in rows]
    said = [d for row in rows for d in pack.analyze(row)] + pack.analyze_stack(rows)
    chosen = graphs.profile(environment)
    accepted = exemptions.read(graphs.ROOT / "policies/exemptions.yaml", RULES)
    stack = graph.read(graphs.ROOT / f"tests/golden/{environment}.json")
    expected = check.verdicts(stack, RULES, chosen, accepted)
    assert sorted((d.policyName, d.urn) for d in said) == sorted((v.rule, v.urn) for v in expected)
    pack.configure({})


def test_the_order_and_number_of_questions_at_once_changes_nothing() -> None:
    resources = graph.resources(graphs.production())
    runs = [
        Run(RULES, graphs.profile("production"), (), preview=False, today=datetime.date(2027, 1, 1)) for _ in range(2)
    ]
    one_by_one = [verdict for resource in resources for verdict in runs[0].resource(resource)]
    with ThreadPoolExecutor(8) as pool:
        at_once = [verdict for said in pool.map(runs[1].resource, reversed(resources)) for verdict in said]
    assert sorted(map(key, at_once)) == sorted(map(key, one_by_one))
    stacks = [run.stack(Stack(order)) for run, order in zip(runs, (resources, resources[::-1]), strict=True)]
    assert sorted(map(key, stacks[0])) == sorted(map(key, stacks[1]))


def test_production_can_be_retired_on_purpose_and_only_so(tmp_path: Path) -> None:
    recorder = [sys.executable, str(graphs.ROOT / "tests/infra/record.py"), "production", "place.protected=false"]
    unprotected = tmp_path / "graph.json"
    unprotected.write_text(subprocess.run(recorder, check=True, capture_output=True, text=True).stdout)
    accepted = exemptions.read(graphs.ROOT / "policies/exemptions.yaml", RULES)
    stopping = []
    for overlay in ([], [graphs.PROFILES / "retiring.yaml"]):
        chosen = settings.profile(graphs.PROFILES / "production.yaml", RULES, *overlay)
        said = check.verdicts(graph.read(unprotected), RULES, chosen, accepted)
        stopping.append({verdict.rule for verdict in said if check.stops(verdict, chosen)})
    assert {"protect-stateful", "rds-deletion-protection"} <= stopping[0]
    assert stopping[1] == set()
