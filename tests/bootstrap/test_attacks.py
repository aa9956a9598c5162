"""What can somebody do who has taken over a role? Attacks on every account's roles, each beside what is allowed."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from rehearsal.aws.authorization.account import Account, read
from rehearsal.aws.authorization.caller import Caller
from rehearsal.aws.authorization.decision import Decision
from rehearsal.aws.authorization.trust import Role
from tests.bootstrap.escalation import at_most, ways
from tests.permissions.pods import ENVIRONMENTS, graphs

ATTACKS = yaml.safe_load(Path(__file__).with_name("attacks.yaml").read_text())
PIPELINE = ("preview", "drift", "deploy", "recovery")
HOST = "token.actions.githubusercontent.com"
STACKS = Path(__file__).resolve().parents[2] / "stacks"


@dataclass(frozen=True)
class Place:
    """One environment's account, and the names in it."""

    environment: str
    account: Account
    names: dict[str, str]

    @property
    def prefix(self) -> str:
        return self.names["prefix"]

    def role(self, purpose: str) -> Role:
        return self.account.role(f"{self.prefix}-{purpose}")

    def try_(self, purpose: str, action: str, on: str, context: dict[str, Any] | None = None) -> Decision:
        """One request of a role, with placeholders filled."""
        role = self.role(purpose)
        filled = {key: self.fill(value) for key, value in (context or {}).items()}
        caller = Caller.session(role.arn, tags=role.tags)
        return self.account.decide(caller, action, str(self.fill(on)), {"aws:SecureTransport": "true", **filled})

    def fill(self, value: str | list[str]) -> str | tuple[str, ...]:
        if isinstance(value, list):
            return tuple(one.format(**self.names) for one in value)
        return value.format(**self.names)


@pytest.fixture(scope="module", params=ENVIRONMENTS)
def place(request: pytest.FixtureRequest) -> Place:
    rows = graphs(request.param)
    account, prefix = read(rows), f"tecnocursos-{request.param}"
    other = ENVIRONMENTS[ENVIRONMENTS.index(request.param) - 1]
    keys = {name: key for name in ("state", "secrets") for key in (key_of(rows, f"alias/{prefix}-account-{name}"),)}
    return Place(
        request.param,
        account,
        {
            "environment": request.param,
            "prefix": prefix,
            "account": account.number,
            "region": account.region,
            "path": f"/tecnocursos/{request.param}/",
            "boundary": f"arn:aws:iam::{account.number}:policy/{prefix}-workload-boundary",
            "other": other,
            "foreign": read(graphs(other)).number,
            **{f"{name}_key": f"arn:aws:kms:{account.region}:{account.number}:key/{key}" for name, key in keys.items()},
        },
    )


def key_of(rows: list[dict[str, Any]], alias: str) -> str:
    found = {row["inputs"]["targetKeyId"] for row in rows if row["inputs"].get("name") == alias}
    (key,) = found  # a key and its copy in the other region have one id
    return str(key)


def cases() -> Iterator[Any]:
    for purpose, attacks in ATTACKS.items():
        for attack in attacks:
            yield pytest.param(purpose, attack, id=f"{purpose} {attack['why']}")


@pytest.mark.parametrize(("purpose", "attack"), list(cases()))
def test_the_attack_is_refused_and_what_the_role_is_for_is_not(
    place: Place, purpose: str, attack: dict[str, Any]
) -> None:
    if place.environment not in attack.get("only", ENVIRONMENTS):
        pytest.skip("not in this environment")
    tried = attack["try"]
    refused = place.try_(purpose, tried["action"], tried["resource"], tried.get("with"))
    assert not refused.allowed, refused.reason
    twin = attack["twin"]
    if twin != "none":
        allowed = place.try_(purpose, twin["action"], twin["resource"], twin.get("with"))
        assert allowed.allowed, allowed.reason


def test_no_pod_can_become_anybody_else_or_more_than_it_is(place: Place) -> None:
    pods = set(place.account.pods.values())
    assert len(pods) > 4
    for role in pods:
        assert list(ways(place.account, place.account.roles[role])) == []


@pytest.mark.parametrize("purpose", ["preview", "drift"])
def test_who_only_looks_has_no_way_to_anybody(place: Place, purpose: str) -> None:
    assert list(ways(place.account, place.role(purpose))) == []


@pytest.mark.parametrize("purpose", ["deploy", "recovery"])
def test_who_deploys_has_ways_to_bounded_roles_of_the_estate_only(place: Place, purpose: str) -> None:
    found = list(ways(place.account, place.role(purpose)))
    reached = {way.whom for way in found}
    assert reached, "it writes the estate's roles, so the search must find them"
    for arn in reached:
        assert f":role{place.names['path']}" in arn, [way for way in found if way.whom == arn]
        assert place.account.roles[arn].bounded_by == place.names["boundary"], arn


def test_whatever_who_deploys_makes_of_a_role_it_reaches_nobody_of_the_account(place: Place) -> None:
    """Every role of the estate, grown to all that its boundary leaves it: what would be won by giving it to oneself."""
    account = place.account
    grown = [role for role in account.roles.values() if role.bounded_by == place.names["boundary"]]
    assert len(grown) > 10
    for role in grown:
        known = at_most(account, role)
        beyond = {
            way.whom for way in ways(known, known.roles[role.arn]) if f":role{place.names['path']}" not in way.whom
        }
        assert beyond == set(), role.arn
        caller = Caller.session(role.arn)
        for action, on in (
            ("iam:CreateUser", f"arn:aws:iam::{account.number}:user/me"),
            ("iam:CreateRole", f"arn:aws:iam::{account.number}:role/me"),
            ("iam:PutRolePolicy", role.arn),
            ("iam:DeleteRolePermissionsBoundary", role.arn),
            ("sts:AssumeRole", place.role("break-glass").arn),
            ("s3:GetObject", f"arn:aws:s3:::{place.prefix}-state-{account.number}/.pulumi/stacks/any.json"),
        ):
            assert not known.decide(caller, action, on, {"aws:SecureTransport": "true"}).allowed, (role.arn, action)
        mine = known.decide(caller, "s3:GetObject", f"arn:aws:s3:::{place.prefix}-media-{account.number}/media/1",
                            {"aws:SecureTransport": "true", "s3:TlsVersion": "1.3"})  # fmt: skip
        assert mine.allowed, mine.reason


def test_nobody_of_one_account_reaches_into_another(place: Place) -> None:
    other = read(graphs(place.names["other"]))
    for role in place.account.roles.values():
        caller = Caller.session(role.arn)
        for whom in other.roles:
            assert not other.assume(whom, caller).decision.allowed


REFUSED = {
    "a fork": "repo:thief/platform:environment:{name}",
    "another repository of the owner": "repo:{owner}/another:environment:{name}",
    "a pull request": "repo:{repository}:pull_request",
    "a branch": "repo:{repository}:ref:refs/heads/main",
    "another branch": "repo:{repository}:ref:refs/heads/feature",
    "another environment": "repo:{repository}:environment:{name}x",
    "a longer name": "repo:{repository}x:environment:{name}",
    "the number of another owner": "repo:{owner}@1/{short}@{repository_id}:environment:{name}",
    "the number of another repository": "repo:{owner}@{owner_id}/{short}@1:environment:{name}",
    "a pattern": "repo:*:environment:{name}",
}


@pytest.mark.parametrize("purpose", PIPELINE)
def test_a_workflow_takes_its_role_for_its_environment_of_the_repository_only(place: Place, purpose: str) -> None:
    github = settings(place.environment)
    owner, _, short = github["repository"].partition("/")
    name = place.environment if purpose == "deploy" else f"{place.environment}-{purpose}"
    known = {**github, "owner": owner, "short": short, "name": name}
    provider = f"arn:aws:iam::{place.account.number}:oidc-provider/{HOST}"

    def takes(sub: str, aud: str = "sts.amazonaws.com", by: str = provider) -> bool:
        token = Caller.federated(by, {"sub": sub.format(**known), "aud": aud})
        return place.account.assume(place.role(purpose).arn, token).decision.allowed

    names = "repo:{repository}:environment:{name}"
    assert takes(names)
    assert takes("repo:{owner}@{owner_id}/{short}@{repository_id}:environment:{name}")
    assert not takes(names, aud="https://github.com/thief")
    assert not takes(names, by=provider.replace(HOST, "token.thief.example"))
    for what, sub in REFUSED.items():
        assert not takes(sub), what
    for others in {*PIPELINE} - {purpose}:
        theirs = place.environment if others == "deploy" else f"{place.environment}-{others}"
        assert not takes(f"repo:{{repository}}:environment:{theirs}"), others


def settings(environment: str) -> dict[str, str]:
    found = yaml.safe_load((STACKS / f"Pulumi.{environment}.yaml").read_text())["config"]
    github: dict[str, str] = next(value for key, value in found.items() if key.endswith(":github"))
    return github


def test_no_key_is_kept_and_nobody_has_more_than_a_boundary_allows(place: Place) -> None:
    """Every role of the pipeline is bounded; the one for emergencies is not, and waits for named people."""
    for purpose in PIPELINE:
        assert place.role(purpose).bounded_by.endswith(f"{place.prefix}-pipeline-boundary")
    emergency = place.role("break-glass")
    for role in place.account.roles.values():
        if role is not emergency:
            assert not place.account.assume(emergency.arn, Caller.session(role.arn)).decision.allowed


# What the role that deploys does besides deploying: its project's state, images from the account that builds them.
BESIDES = {
    "s3:DeleteObject", "s3:GetBucketLocation", "s3:GetObject", "s3:ListBucket", "s3:PutObject",
    "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey",
}  # fmt: skip


def test_who_deploys_has_what_the_graph_takes_and_nothing_else_but_its_state(place: Place) -> None:
    needed = json.loads((STACKS.parent / f"bootstrap/permissions/{place.environment}.json").read_text())
    wanted = {action for part in ("read", "write") for row in needed[part] for action in row["actions"]}
    wanted |= set(needed["guarded"])
    given = {
        action
        for policy in place.role("deploy").policies
        for statement in policy.statements
        if statement.allows
        for action in statement.actions.values
    }
    missing, unused = wanted - given, given - wanted - BESIDES
    assert not missing, f"deploying takes them: {sorted(missing)}"
    assert {action for action in unused if not action.startswith("ecr:")} == set(), "nothing takes them"


def test_whatever_is_granted_to_who_deploys_lies_within_its_boundary(place: Place) -> None:
    """A boundary that bounds too much stops a deployment as surely as a missing permission."""
    role, refused = place.role("deploy"), []
    names = {"recovery": "us-west-2", "project": "tecnocursos", **place.names}
    needed = json.loads((STACKS.parent / f"bootstrap/permissions/{place.environment}.json").read_text())
    for row in [*needed["read"], *needed["write"]]:
        for pattern in row["resources"]:
            on = pattern.format(**names).replace("*", "x") if pattern != "*" else "*"
            for action in row["actions"]:
                decision = place.account.decide(Caller.session(role.arn), action, on, {"aws:SecureTransport": "true"})
                refused += [] if decision.allowed else [decision.reason]
    assert refused == []
