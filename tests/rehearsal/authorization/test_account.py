"""Is an account read from its graphs as AWS would hold it, and are its roles handed out to whom they trust?"""

import json
from pathlib import Path
from typing import Any

import pytest

from rehearsal.__main__ import main
from rehearsal.aws.authorization.account import Account, load, read
from rehearsal.aws.authorization.caller import Caller, Request
from rehearsal.aws.authorization.decision import Policies, decide
from rehearsal.aws.authorization.grants import Grant
from rehearsal.errors import RehearsalError

GOLDEN = Path(__file__).resolve().parents[2] / "golden"
NUMBER = "123456789012"
GITHUB = f"arn:aws:iam::{NUMBER}:oidc-provider/token.actions.githubusercontent.com"
REPOSITORY = "repo:school/platform"


@pytest.fixture(scope="module", params=("dev", "staging", "production"))
def account(request: pytest.FixtureRequest) -> Account:
    return load([GOLDEN / f"{project}{request.param}.json" for project in ("bootstrap-", "")])


def row(kind: str, called: str, **inputs: Any) -> dict[str, Any]:
    return {"type": kind, "urn": f"urn:pulumi:dev::x::{kind}::{called}", "inputs": inputs}


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **one} for one in statements]})


def trusting(**parts: Any) -> str:
    return policy({"Action": ["sts:AssumeRole", "sts:TagSession", "sts:AssumeRoleWithWebIdentity"], **parts})


def small(trust: str, *more: dict[str, Any], boundary: str | None = None) -> Account:
    inputs = {"name": "deploy", "assumeRolePolicy": trust, "tags": {"team": "platform"}}
    role = row("aws:iam/role:Role", "deploy", **inputs, **({"permissionsBoundary": boundary} if boundary else {}))
    inline = row("aws:iam/rolePolicy:RolePolicy", "own", name="own", role="deploy",
                 policy=policy({"Sid": "All", "Action": "s3:*", "Resource": "*"}))  # fmt: skip
    provider = row("aws:iam/openIdConnectProvider:OpenIdConnectProvider", "github",
                   url="https://token.actions.githubusercontent.com", clientIdLists=["sts.amazonaws.com"])  # fmt: skip
    aws = row("pulumi:providers:aws", "aws", allowedAccountIds=json.dumps([NUMBER]), region="us-east-1")
    return read([aws, role, inline, provider, *more])


def test_every_role_every_key_and_what_is_encrypted_is_found(account: Account) -> None:
    assert {role.split(":")[4] for role in account.roles} == {account.number}
    for (namespace, service_account), role in account.pods.items():
        assert role in account.roles, (namespace, service_account)
        assert account.roles[role].policies
    assert set(account.encrypted.values()) <= set(account.keys)
    assert all(not key.endswith("/") for key in account.keys)
    assert {arn.partition(":secret:")[2][:4] for arn in account.secrets} == {"tecn", "rds!"}
    assert account.secrets <= set(account.encrypted)
    assert any(arn.endswith("-jobs") for arn in account.resources)
    assert any(arn.startswith("arn:aws:s3:::") for arn in account.resources)


def test_a_pod_takes_its_role_with_the_tags_that_eks_sends_and_no_other(account: Account) -> None:
    service = Caller.service("pods.eks.amazonaws.com")
    for (namespace, service_account), role in account.pods.items():
        cluster = next(
            condition.values[0]
            for condition in account.roles[role].trust.statements[0].conditions
            if condition.key == "aws:requesttag/eks-cluster-name"
        )
        tags = {
            "eks-cluster-name": cluster,
            "kubernetes-namespace": namespace,
            "kubernetes-service-account": service_account,
        }
        extra = {"aws:SourceAccount": account.number}
        taken = account.assume(role, service, tags=tags, extra=extra)
        assert taken.decision.allowed, taken.decision.reason
        assert taken.session and taken.session.context["aws:principaltag/kubernetes-namespace"] == namespace
        for key in tags:
            assert not account.assume(role, service, tags={**tags, key: "other"}, extra=extra).decision.allowed
        assert not account.assume(
            role, service, tags=tags, extra={"aws:SourceAccount": "999999999999"}
        ).decision.allowed
        assert not account.assume(role, Caller.service("ec2.amazonaws.com"), tags=tags, extra=extra).decision.allowed


def test_session_tags_need_their_own_word() -> None:
    trust = policy({"Principal": {"Service": "a.amazonaws.com"}, "Action": "sts:AssumeRole"})
    service = Caller.service("a.amazonaws.com")
    role = small(trust).role("deploy").arn
    assert small(trust).assume(role, service).decision.allowed
    refused = small(trust).assume(role, service, tags={"team": "red"}).decision
    assert not refused.allowed and "sts:TagSession" in refused.reason


def test_a_token_of_github_takes_the_role_for_its_audience_and_subject_only() -> None:
    claim = "token.actions.githubusercontent.com"
    account = small(
        trusting(
            Principal={"Federated": GITHUB},
            Condition={
                "StringEquals": {f"{claim}:aud": "sts.amazonaws.com", f"{claim}:sub": f"{REPOSITORY}:environment:dev"}
            },
        )
    )
    role = account.role("deploy").arn

    def taken(sub: str, aud: str = "sts.amazonaws.com", provider: str = GITHUB) -> bool:
        return account.assume(role, Caller.federated(provider, {"sub": sub, "aud": aud})).decision.allowed

    assert taken(f"{REPOSITORY}:environment:dev")
    assert not taken(f"{REPOSITORY}:environment:production")
    assert not taken("repo:fork/platform:environment:dev")
    assert not taken(f"{REPOSITORY}:pull_request")
    assert not taken(f"{REPOSITORY}:environment:dev", aud="another")
    assert not taken(f"{REPOSITORY}:environment:dev", provider=GITHUB.replace("token.", "other."))


def test_a_role_that_its_account_trusts_needs_the_callers_own_permission() -> None:
    root = {"AWS": f"arn:aws:iam::{NUMBER}:root"}
    other = [
        row("aws:iam/role:Role", "person", name="person", assumeRolePolicy=trusting(Principal=root)),
        row("aws:iam/rolePolicy:RolePolicy", "person", name="person", role="person",
            policy=policy({"Action": "sts:AssumeRole", "Resource": f"arn:aws:iam::{NUMBER}:role/deploy"})),
    ]  # fmt: skip
    account = small(trusting(Principal=root), *other)
    deploy, person = (account.role(name).arn for name in ("deploy", "person"))
    assert account.assume(deploy, Caller.session(person)).decision.allowed
    assert not account.assume(person, Caller.session(deploy)).decision.allowed
    outside = Caller.session("arn:aws:iam::999999999999:role/deploy")
    assert not account.assume(deploy, outside).decision.allowed


def test_a_boundary_is_read_with_its_role_and_must_be_there() -> None:
    arn = f"arn:aws:iam::{NUMBER}:policy/limit"
    limit = row("aws:iam/policy:Policy", "limit", name="limit", path="/",
                policy=policy({"Action": "s3:Get*", "Resource": "*"}))  # fmt: skip
    account = small(trusting(Principal="*"), limit, boundary=arn)
    caller = Caller.session(account.role("deploy").arn)
    assert account.decide(caller, "s3:GetObject", "arn:aws:s3:::b/k").allowed
    refused = account.decide(caller, "s3:PutObject", "arn:aws:s3:::b/k")
    assert not refused.allowed and "the permissions boundary" in refused.reason
    with pytest.raises(RehearsalError, match=r"its boundary .*limit is not in the graph"):
        small(trusting(Principal="*"), boundary=arn)


def test_attached_policies_count_for_their_role_and_unknown_ones_are_told() -> None:
    reading = row("aws:iam/policy:Policy", "reading", name="reading", path="/",
                  policy=policy({"Action": "q:Read", "Resource": "*"}))  # fmt: skip
    attach = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
    own = [
        row("aws:iam/role:Role", "other", name="other", assumeRolePolicy=trusting(Principal="*")),
        row(attach, "a", role="deploy", policyArn=f"arn:aws:iam::{NUMBER}:policy/reading"),
        row(attach, "b", role="other", policyArn="arn:aws:iam::aws:policy/Managed"),
    ]
    account = small(trusting(Principal="*"), reading, *own)
    deploy, other = (Caller.session(account.role(name).arn) for name in ("deploy", "other"))
    assert account.decide(deploy, "q:Read").allowed
    refused = account.decide(other, "q:Read")
    assert not refused.allowed and "not read: arn:aws:iam::aws:policy/Managed" in refused.reason
    assert "not read" not in account.decide(deploy, "q:Write").reason


def test_a_buckets_policy_speaks_for_its_objects() -> None:
    deny = json.dumps({"Version": "2012-10-17", "Statement": [
        {"Sid": "Plain", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::b/*",
         "Condition": {"Bool": {"aws:SecureTransport": "false"}}}]})  # fmt: skip
    account = small(trusting(Principal="*"), row("aws:s3/bucketPolicy:BucketPolicy", "b", bucket="b", policy=deny))
    caller = Caller.session(account.role("deploy").arn)
    assert account.decide(caller, "s3:GetObject", "arn:aws:s3:::b/k", {"aws:SecureTransport": "true"}).allowed
    refused = account.decide(caller, "s3:GetObject", "arn:aws:s3:::b/k", {"aws:SecureTransport": "false"})
    assert "Plain of bucket b" in refused.reason


def test_a_stack_export_tells_the_same_with_outputs() -> None:
    key = f"arn:aws:kms:us-east-1:{NUMBER}:key/1"
    made = row("aws:kms/key:Key", "k") | {"outputs": {"arn": key, "keyId": "1", "policy": ""}}
    account = small(trusting(Principal="*"), made)
    assert key in account.keys
    assert not account.decide(Caller.session(account.role("deploy").arn), "kms:Decrypt", key).allowed


def test_a_grant_allows_its_operations_for_its_context() -> None:
    key, role = f"arn:aws:kms:us-east-1:{NUMBER}:key/1", f"arn:aws:iam::{NUMBER}:role/app"
    caller = Caller.session(role)

    def allowed(grant: Grant, action: str = "kms:Decrypt", resource: str = key, **pairs: str) -> bool:
        known = {f"kms:EncryptionContext:{name}": value for name, value in pairs.items()}
        request = Request(caller, action, resource, known)
        return decide(request, Policies(grants=(grant,), resource_decides=True)).allowed

    assert allowed(Grant(key, role, ("Decrypt",)))
    assert allowed(Grant(key, caller.arn, ("Decrypt",)))
    assert not allowed(Grant(key, f"{role}2", ("Decrypt",)))
    assert not allowed(Grant(key, role, ("Encrypt",)))
    assert not allowed(Grant(key, role, ("Decrypt",)), resource=f"{key}2")
    assert allowed(Grant(key, role, ("Decrypt",), subset={"Stack": "a"}), Stack="a", more="b")
    assert not allowed(Grant(key, role, ("Decrypt",), subset={"Stack": "a"}), Stack="b")
    assert allowed(Grant(key, role, ("Decrypt",), equals={"Stack": "a"}), Stack="a")
    assert not allowed(Grant(key, role, ("Decrypt",), equals={"Stack": "a"}), Stack="a", more="b")


def test_the_command_answers_with_its_reason_and_its_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    graphs = [str(GOLDEN / name) for name in ("bootstrap-dev.json", "dev.json")]
    queue = f"arn:aws:sqs:us-east-1:{load(map(Path, graphs)).number}:tecnocursos-dev-jobs"
    asked = ["authorize", *graphs, "--as", "identity-api", "--resource", queue, "--action"]
    assert main([*asked, "sqs:SendMessage"]) == 0
    assert "allowed: sqs:SendMessage" in capsys.readouterr().out
    assert main([*asked, "sqs:ReceiveMessage"]) == 1
    assert "refused: sqs:ReceiveMessage" in capsys.readouterr().out
    plain = ["sqs:SendMessage", "--context", "aws:SecureTransport=false"]
    assert main([*asked, *plain]) == 1
    assert "denied" in capsys.readouterr().out
    assert main(["authorize", *graphs, "--as", "nobody", "--action", "a:b"]) == 2
    assert "there are" in capsys.readouterr().err
    assert main(["authorize", __file__, "--as", "x", "--action", "a:b"]) == 2
    assert "is no graph" in capsys.readouterr().err
