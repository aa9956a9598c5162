"""Does each rule fire on what it is about, and on nothing else?"""

from typing import Any

import graphs
import pytest
import yaml
from pack import catalogue

MUTATIONS = yaml.safe_load((graphs.HERE / "mutations.yaml").read_text())
CASES = [
    pytest.param(rule, change, id=f"{rule}-{number}")
    for rule, changes in MUTATIONS.items()
    for number, change in enumerate(changes)
]


def test_every_rule_has_a_failing_case() -> None:
    assert MUTATIONS.keys() == catalogue.load().keys()


def test_the_hand_made_stack_breaks_no_rule() -> None:
    assert graphs.judged(graphs.compliant()) == []


def test_the_hand_made_stack_has_every_type_that_a_rule_judges() -> None:
    present = {row["type"] for row in graphs.compliant()}
    present |= {change["add"] for changes in MUTATIONS.values() for change in changes if "add" in change}
    forbidden = set(catalogue.load()["iam-no-users-keys"].types)  # their mere presence is the violation
    judged = {t for rule in catalogue.load().values() for t in (*rule.types, *rule.reads) if "*" not in t}
    assert judged - present - forbidden == set()


@pytest.mark.parametrize(("rule", "change"), CASES)
def test_one_change_makes_exactly_that_rule_fire(rule: str, change: dict[str, Any]) -> None:
    rows = graphs.mutated(graphs.compliant(), change)
    assert rows is not None, "the hand-made stack has no such resource"
    verdicts = graphs.judged(rows)
    assert {verdict.kind for verdict in verdicts} == {"violation"}
    assert {verdict.rule for verdict in verdicts} == {rule, *change.get("also", ())}
