"""Does the search for escalation find every way that is planted, and none where there is none?"""

import json
from typing import Any

import pytest

from rehearsal.aws.authorization.account import Account, read
from tests.bootstrap.escalation import ON_POLICY, ON_ROLE, RUNS, at_most, ways

NUMBER = "123456789012"
ROOT = f"arn:aws:iam::{NUMBER}"
STRONG = f"{ROOT}:role/strong"


def row(kind: str, called: str, **inputs: Any) -> dict[str, Any]:
    return {"type": kind, "urn": f"urn:pulumi:dev::x::{kind}::{called}", "inputs": inputs}


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **one} for one in statements]})


def account(
    *statements: dict[str, Any], trust: str = "ec2.amazonaws.com", boundary: dict[str, Any] | None = None
) -> Account:
    service = {"Principal": {"Service": trust}, "Action": "sts:AssumeRole"}
    bounded = {"permissionsBoundary": f"{ROOT}:policy/limit"} if boundary else {}
    rows = [
        row("aws:iam/role:Role", "weak", name="weak", assumeRolePolicy=document(service), **bounded),
        row("aws:iam/rolePolicy:RolePolicy", "weak", name="weak", role="weak", policy=document(*statements)),
        row("aws:iam/role:Role", "strong", name="strong", assumeRolePolicy=document(
            service, {"Principal": {"AWS": f"{ROOT}:root"}, "Action": "sts:AssumeRole"})),
        row("aws:iam/rolePolicyAttachment:RolePolicyAttachment", "own", role="strong", policyArn=f"{ROOT}:policy/own"),
        row("aws:iam/policy:Policy", "own", name="own", path="/", policy=document({"Action": "s3:*", "Resource": "*"})),
    ]  # fmt: skip
    if boundary:
        rows.append(row("aws:iam/policy:Policy", "limit", name="limit", path="/", policy=document(boundary)))
    return read(rows)


def found(known: Account) -> set[str]:
    return {way.how for way in ways(known, known.role("weak")) if way.whom == STRONG}


HARMLESS = [
    {"Action": ["s3:*", "iam:Get*", "iam:List*", "lambda:*", "ec2:*"], "Resource": "*"},
    {"Action": "iam:PutRolePolicy", "Resource": f"{ROOT}:role/other"},
    {"Action": "iam:CreatePolicyVersion", "Resource": f"{ROOT}:policy/other"},
]


def test_without_a_way_none_is_found() -> None:
    assert found(account(*HARMLESS)) == set()


@pytest.mark.parametrize("action", ON_ROLE)
def test_whoever_may_write_a_role_has_it(action: str) -> None:
    assert found(account(*HARMLESS, {"Action": action, "Resource": STRONG})) == {action}


@pytest.mark.parametrize("action", ON_POLICY)
def test_whoever_may_write_its_policy_has_it(action: str) -> None:
    way = account(*HARMLESS, {"Action": action, "Resource": f"{ROOT}:policy/*"})
    assert found(way) == {f"{action} of own"}


def test_whoever_may_take_a_role_has_it() -> None:
    assert found(account({"Action": "sts:AssumeRole", "Resource": "*"})) == {"sts:AssumeRole"}


@pytest.mark.parametrize("service", RUNS)
def test_whoever_may_pass_a_role_and_run_something_has_it(service: str) -> None:
    runs = {"Action": list(RUNS[service]), "Resource": f"arn:aws:any:us-east-1:{NUMBER}:*"}
    passes = {
        "Action": "iam:PassRole",
        "Resource": STRONG,
        "Condition": {"StringEquals": {"iam:PassedToService": service}},
    }
    assert found(account(runs, passes)) == {f"iam:PassRole to {service}"}
    assert found(account(runs)) == set() and found(account(passes)) == set()


def test_a_boundary_closes_a_way_whatever_policies_say() -> None:
    everything = {"Action": "*", "Resource": "*"}
    assert found(account(everything))
    bounded = account({"Action": "s3:GetObject", "Resource": "*"}, boundary={"Action": "s3:*", "Resource": "*"})
    assert found(at_most(bounded, bounded.role("weak"))) == set()
