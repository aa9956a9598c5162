"""Does the evaluator follow AWS's documented logic? One row of a table for every sentence of it."""

from pathlib import Path
from string import Template
from typing import Any

import pytest
import yaml

from rehearsal.aws.authorization.caller import Caller, Kind, Request, context
from rehearsal.aws.authorization.conditions import OPERATORS, Condition, ConditionError
from rehearsal.aws.authorization.decision import Policies, decide
from rehearsal.aws.authorization.document import Policy, PolicyError, parse

HERE = Path(__file__).parent
CASES = yaml.safe_load((HERE / "cases.yaml").read_text())
CONDITIONS = yaml.safe_load((HERE / "conditions.yaml").read_text())
ACCOUNT = "111111111111"
NAMES = {
    "role": f"arn:aws:iam::{ACCOUNT}:role/app",
    "session": f"arn:aws:sts::{ACCOUNT}:assumed-role/app/one",
    "ann": f"arn:aws:iam::{ACCOUNT}:user/ann",
}


def caller(who: str, tags: dict[str, str]) -> Caller:
    if who == "app":
        return Caller.session(NAMES["role"], "one", tags)
    if who == "ann":
        return Caller.user(NAMES["ann"], tags)
    if who == "root":
        return Caller(Kind.ROOT, f"arn:aws:iam::{ACCOUNT}:root", ACCOUNT)
    return Caller(Kind.ANYONE, "") if who == "anonymous" else Caller.service(who)


def policy(rows: list[dict[str, Any]] | None, name: str, version: str) -> Policy | None:
    if rows is None:
        return None
    statements = []
    for row in rows:
        whole = {"Effect": "Allow", **({"Action": "q:Send"} if "NotAction" not in row else {}), **row}
        whole |= {"Resource": "*"} if not {"Resource", "NotResource"} & set(row) else {}
        statements.append(whole)
    document = yaml.safe_dump({"Version": version, "Statement": statements})
    return parse(yaml.safe_load(Template(document).safe_substitute(NAMES)), name)


def several(rows: list[dict[str, Any]] | None, name: str, version: str) -> tuple[Policy, ...]:
    found = policy(rows, name, version)
    return (found,) if found else ()


def judge(case: dict[str, Any]) -> tuple[str, str]:
    version = case.get("version", "2012-10-17")
    owner = case.get("resource_account", ACCOUNT)
    who = caller(case.get("who", "app"), case.get("tags", {}))
    decision = decide(
        Request(who, "q:Send", f"arn:aws:q:us-east-1:{owner}:jobs", case.get("context", {})),
        Policies(
            identity=several(case.get("identity"), "identity", version),
            boundary=policy(case.get("boundary"), "boundary", version),
            session=several(case.get("session"), "session", version),
            control=tuple(one for rows in case.get("control", []) for one in several(rows, "organisation", version)),
            endpoint=policy(case.get("endpoint"), "endpoint", version),
            resource=policy(case.get("resource"), "resource", version),
            resource_decides=case.get("key", False),
        ),
    )
    word = decision.reason.partition(":")[0]
    assert decision.allowed is (word == "allowed")
    return word, decision.reason


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_every_documented_case_is_answered(case: dict[str, Any]) -> None:
    word, reason = judge(case)
    assert word == case["answer"], f"{case['why']}: {reason}"


@pytest.mark.parametrize("operator", CONDITIONS)
def test_every_condition_operator_compares_as_documented(operator: str) -> None:
    for wanted, actual, holds in CONDITIONS[operator]:
        condition = Condition.of(operator, "Some:Key", tuple(wanted) if isinstance(wanted, list) else (wanted,))
        value = tuple(actual) if isinstance(actual, list) else actual
        known = {} if actual is None else context({"some:KEY": value})
        assert condition.holds(known, variables=True) is holds, (operator, wanted, actual)


def test_the_table_of_operators_is_whole() -> None:
    plain = {one.rpartition(":")[2].removesuffix("IfExists") for one in CONDITIONS}
    assert plain == set(OPERATORS)


def test_one_operator_and_several_values_of_a_key_is_told_not_guessed() -> None:
    condition = Condition.of("StringEquals", "aws:TagKeys", ("a",))
    with pytest.raises(ConditionError, match="ForAnyValue or ForAllValues"):
        condition.holds({"aws:tagkeys": ("a", "b")}, variables=True)


BAD = [
    ("{", "is no JSON"),
    ({"Version": "2012-10-17"}, "has no Statement"),
    ({"Version": "2020-01-01", "Statement": []}, "write '2012-10-17'"),
]
BAD_STATEMENTS = [
    ({"Action": "a:b", "Resource": "*"}, "Effect must be Allow or Deny"),
    ({"Effect": "Allow", "Resource": "*"}, "has no Action"),
    ({"Effect": "Allow", "Action": [], "Resource": "*"}, "Action is empty"),
    ({"Effect": "Allow", "Action": "a:b", "NotAction": "a:c", "Resource": "*"}, "both Action and NotAction"),
    ({"Effect": "Deny", "Action": "*", "Principal": "*", "NotPrincipal": "*"}, "both Principal"),
    ({"Effect": "Allow", "Action": "a:b", "Resource": "bucket"}, "neither an ARN nor *"),
    ({"Effect": "Allow", "action": "a:b", "Resource": "*"}, "unknown element action"),
    ({"Effect": "Allow", "Action": "*", "Principal": "ann"}, "must be \\* or name"),
    ({"Effect": "Allow", "Action": "*", "Principal": {"Ann": "*"}}, "must be \\* or name"),
    ({"Effect": "Allow", "Action": [{}], "Resource": "*"}, "must hold text"),
    ({"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"a": "b"}}, "object of operators"),
    ("Allow", "is no object"),
]
BAD_CONDITIONS = [
    ("StringEqual", "a", "unknown condition operator"),
    ("ForSomeValues:StringEquals", "a", "unknown condition operator"),
    ("NullIfExists", "true", "without IfExists"),
    ("Null", "maybe", "must be true or false"),
    ("Bool", "yes", "must be true or false"),
    ("NumericEquals", "five", "cannot be compared"),
    ("DateLessThan", "soon", "cannot be compared"),
    ("IpAddress", "here", "cannot be compared"),
    ("NotIpAddress", "10.0.0.0/99", "cannot be compared"),
    ("ArnLike", "arn:aws:s3", "cannot be compared"),
    ("NumericEquals", "NaN", "cannot be compared"),
]


@pytest.mark.parametrize(
    ("document", "told"), [*BAD, *(({"Statement": statement}, told) for statement, told in BAD_STATEMENTS)]
)
def test_what_iam_would_not_store_is_refused_with_its_place(document: Any, told: str) -> None:
    with pytest.raises(PolicyError, match=f"policy of x.*{told}"):
        parse(document, "policy of x")


@pytest.mark.parametrize(("operator", "value", "told"), BAD_CONDITIONS)
def test_a_condition_that_cannot_be_compared_is_refused(operator: str, value: str, told: str) -> None:
    statement = {"Sid": "Here", "Effect": "Allow", "Action": "*", "Condition": {operator: {"k": value}}}
    with pytest.raises(PolicyError, match=f"Here of x: .*{told}"):
        parse({"Version": "2012-10-17", "Statement": statement}, "x")


def test_the_reason_names_the_statement_that_comes_nearest_and_what_does_not_fit() -> None:
    rows = [
        {"Sid": "Others", "Action": "q:Other"},
        {"Sid": "Jobs", "Resource": "arn:aws:q:us-east-1:111111111111:other"},
        {"Sid": "Conditioned", "Condition": {"StringEquals": {"q:Via": "s3"}}},
    ]
    _, reason = judge({"identity": rows, "context": {"q:Via": "sqs"}})
    assert "role/app" in reason and "q:Send on arn:aws:q:us-east-1:111111111111:jobs" in reason
    assert "nearest is Conditioned of identity" in reason and "q:via is sqs" in reason
    _, reason = judge({"identity": rows[:2]})
    assert "nearest is Jobs of identity, but it names arn:aws:q:us-east-1:111111111111:other" in reason
    _, reason = judge({"identity": rows[:1]})
    assert "nearest" not in reason


def test_policies_that_were_not_read_are_told() -> None:
    request = Request(caller("app", {}), "q:Send", "*")
    assert "not read: AWSManaged" in decide(request, Policies(unread=("AWSManaged",))).reason
