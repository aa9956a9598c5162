"""May each role of the pipeline do what it is for, and is it nobody else's? Judged as IAM would."""

import json

import pytest

from bootstrap import grants
from bootstrap.federation import ISSUER, subjects
from bootstrap.shape import GithubShape
from infra.foundation.environment import Environment
from infra.foundation.iam import Statement
from rehearsal.aws.authorization.account import Account
from rehearsal.aws.authorization.caller import Caller
from tests.infra.graph import Graph

PURPOSES = ("preview", "drift", "deploy", "recovery")
GITHUB = GithubShape(repository="tecnocursos/platform", owner_id="10000001", repository_id="20000002")


def role(graph: Graph, purpose: str) -> str:
    return f"arn:aws:iam::{graph.account}:role/tecnocursos-{graph.environment}-{purpose}"


def session(graph: Graph, purpose: str) -> Caller:
    return Caller.session(role(graph, purpose))


def may(judge: Account, caller: Caller, action: str, resource: str, context: dict[str, str] | None = None) -> bool:
    return judge.decide(caller, action, resource, context).allowed


def token(graph: Graph, subject: str) -> Caller:
    issuer = f"arn:aws:iam::{graph.account}:oidc-provider/{ISSUER}"
    return Caller.federated(issuer, {"aud": "sts.amazonaws.com", "sub": subject})


@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_role_is_for_one_environment_of_one_repository_in_both_spellings(
    graph: Graph, judge: Account, purpose: str
) -> None:
    mine = graph.environment if purpose == "deploy" else f"{graph.environment}-{purpose}"
    for subject in subjects(GITHUB, mine):
        assert judge.assume(role(graph, purpose), token(graph, subject)).session
    others = [
        f"repo:tecnocursos/platform:environment:{mine}-2",
        f"repo:tecnocursos/platform:ref:refs/heads/main:environment:{mine}",
        "repo:tecnocursos/platform:pull_request",
        f"repo:somebody/platform:environment:{mine}",
        f"repo:tecnocursos@10000009/platform@20000002:environment:{mine}",  # the name was taken over
        f"repo:tecnocursos@10000001/platform@20000009:environment:{mine}",
    ]
    assert not [one for one in others if judge.assume(role(graph, purpose), token(graph, one)).session]


def test_the_deployer_does_all_that_the_estate_takes(graph: Graph, judge: Account) -> None:
    data = json.loads((grants.DATA / f"{graph.environment}.json").read_text())
    place = {
        "account": graph.account, "prefix": f"tecnocursos-{graph.environment}", "region": "us-east-1",
        "recovery": "us-west-2", "project": "tecnocursos", "environment": graph.environment,
    }  # fmt: skip
    for row in (*data["read"], *data["write"]):
        for action in row["actions"]:
            for resource in row["resources"]:
                concrete = resource.format(**place).replace("*", "x") if resource != "*" else "*"
                decision = judge.decide(session(graph, "deploy"), action, concrete)
                assert decision.allowed, f"{action} on {concrete}: {decision.reason}"


def test_identities_are_changed_below_the_estates_path_within_the_boundary_and_nowhere_else(
    graph: Graph, judge: Account
) -> None:
    deployer, account = session(graph, "deploy"), graph.account
    inside = f"arn:aws:iam::{account}:role/tecnocursos/{graph.environment}/x"
    bounded = {
        "iam:PermissionsBoundary": f"arn:aws:iam::{account}:policy/tecnocursos-{graph.environment}-workload-boundary"
    }
    assert may(judge, deployer, "iam:CreateRole", inside, bounded)
    assert may(judge, deployer, "iam:PassRole", inside, {"iam:PassedToService": "eks.amazonaws.com"})
    assert not may(judge, deployer, "iam:CreateRole", inside)
    assert not may(judge, deployer, "iam:CreateRole", inside, {"iam:PermissionsBoundary": "arn:aws:iam::aws:policy/x"})
    assert not may(judge, deployer, "iam:DeleteRolePermissionsBoundary", inside, bounded)
    for outside in (*(role(graph, one) for one in (*PURPOSES, "break-glass")), f"arn:aws:iam::{account}:role/Admin"):
        assert not may(judge, deployer, "iam:PassRole", outside, {"iam:PassedToService": "ec2.amazonaws.com"})
        for action in ("AttachRolePolicy", "PutRolePolicy", "UpdateAssumeRolePolicy", "DeleteRole"):
            assert not may(judge, deployer, f"iam:{action}", outside, bounded)


@pytest.mark.parametrize("purpose", ["preview", "drift"])
def test_who_looks_reads_the_state_and_its_secrets_and_writes_nothing(
    graph: Graph, judge: Account, purpose: str
) -> None:
    caller = session(graph, purpose)
    state = f"arn:aws:s3:::tecnocursos-{graph.environment}-state-{graph.account}/.pulumi/stacks/tecnocursos/x.json"
    assert may(judge, caller, "s3:GetObject", state)
    assert not may(judge, caller, "s3:PutObject", state)
    for key in judge.keys:
        assert not may(judge, caller, "kms:Encrypt", key)
        assert not may(judge, caller, "kms:GenerateDataKey", key)
    assert sum(may(judge, caller, "kms:Decrypt", key) for key in judge.keys) == 2
    secret = f"arn:aws:secretsmanager:us-east-1:{graph.account}:secret:tecnocursos/{graph.environment}/service-AbCdEf"
    assert not may(judge, caller, "secretsmanager:GetSecretValue", secret)


def test_the_deployer_writes_the_estates_state_and_not_the_accounts(graph: Graph, judge: Account) -> None:
    bucket = f"arn:aws:s3:::tecnocursos-{graph.environment}-state-{graph.account}"
    deployer = session(graph, "deploy")
    for folder in ("stacks", "history", "backups", "locks/organization"):
        assert may(judge, deployer, "s3:PutObject", f"{bucket}/.pulumi/{folder}/tecnocursos/{graph.environment}.json")
        assert not may(judge, deployer, "s3:PutObject", f"{bucket}/.pulumi/{folder}/tecnocursos-account/x.json")
    assert not may(judge, deployer, "s3:DeleteObjectVersion", f"{bucket}/.pulumi/stacks/tecnocursos/x.json")
    assert not may(judge, deployer, "s3:DeleteBucket", bucket)


def test_people_of_the_account_break_the_glass_and_nobody_else(graph: Graph, judge: Account) -> None:
    own = f"arn:aws:iam::{graph.account}:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_BreakGlass_0a1b2c"
    other = own.replace("BreakGlass", "Developer")
    # Their own permissions are not in the graph: what the role's trust says is looked at alone.
    trust = judge.roles[role(graph, "break-glass")].trust
    (statement,) = json.loads(graph.named("break-glass", "iam/role")["inputs"]["assumeRolePolicy"])["Statement"]
    assert trust and statement["Principal"] == {"AWS": [f"arn:aws:iam::{graph.account}:root"]}
    (pattern,) = statement["Condition"]["ArnLike"]["aws:PrincipalArn"]
    from fnmatch import fnmatchcase

    assert fnmatchcase(own, pattern) and not fnmatchcase(other, pattern)


def test_every_identity_of_the_estate_is_bounded(graph: Graph, judge: Account) -> None:
    path = f"role/tecnocursos/{graph.environment}/"
    estate = {arn: found for arn, found in judge.roles.items() if path in arn}
    assert len(estate) > 10
    assert all(found.boundary for found in estate.values())
    assert {arn.rpartition("-")[2] for arn, found in judge.roles.items() if path not in arn and not found.boundary} >= {
        "glass"
    }


def test_an_action_that_could_give_more_is_granted_by_hand_or_not_at_all() -> None:
    environment = Environment("dev", "1" * 12, "us-east-1", "us-west-2", 7, protected=False)
    granted = grants.guarded(environment, ["iam:CreateRole", "iam:PassRole"])
    assert [(one.sid, one.actions) for one in granted] == [
        ("BoundedRoles", ["iam:CreateRole"]),
        ("PassOwnRoles", ["iam:PassRole"]),
        ("PassBrake", ["iam:PassRole"]),
    ]
    with pytest.raises(ValueError, match=r"grants.py: say on what, and under which condition: iam:CreateUser"):
        grants.guarded(environment, ["iam:CreateUser"])


def test_statements_are_packed_in_order_into_policies_that_iam_takes() -> None:
    many = [Statement(f"S{number}", [f"ec2:Action{one}" for one in range(100)], ["*"]) for number in range(12)]
    packs = list(grants.packed(many))
    assert [one for pack in packs for one in pack] == many and 1 < len(packs) < 12
    with pytest.raises(ValueError, match="Huge alone is longer"):
        list(grants.packed([Statement("Huge", ["ec2:" + "A" * 7000], ["*"])]))


def test_services_that_the_deployer_passes_roles_to_are_known(graph: Graph) -> None:
    estate = Graph(
        graph.environment, json.loads((grants.DATA.parents[1] / f"tests/golden/{graph.environment}.json").read_text())
    )
    trusted = {
        service
        for row in estate.of_type("iam/role")
        for statement in json.loads(row["inputs"]["assumeRolePolicy"])["Statement"]
        for service in statement["Principal"].get("Service", ())
    }
    assert trusted <= set(grants.PASSED_TO)
