"""What may who deploys, looks or recovers do? Data made from the estate's graph, and what the data leaves open.

`permissions/<environment>.json` is made by `python -m delivery permissions`: reading, changing, and actions that would
give more permissions (`guarded`), which are granted here one by one, each under a condition or on our own path only.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pulumi

from infra.foundation import names
from infra.foundation.environment import PROJECT, Environment
from infra.foundation.iam import VERSION, Conditions, Statement
from infra.foundation.keys import EncryptionKey

DATA = Path(__file__).with_name("permissions")
POLICY_CHARACTERS = 6144  # of a managed policy; IAM quotas (which leave out white space: ours is short of it)
PASSED_TO = (
    "backup.amazonaws.com",
    "codebuild.amazonaws.com",
    "ec2.amazonaws.com",
    "eks.amazonaws.com",
    "events.amazonaws.com",
    "monitoring.rds.amazonaws.com",
    "pods.eks.amazonaws.com",
    "rds.amazonaws.com",
    "s3.amazonaws.com",
)
BRAKE = "budgets.amazonaws.com"
BOUNDED = ("AttachRolePolicy", "CreateRole", "DeleteRolePolicy", "DetachRolePolicy", "PutRolePolicy")
PLAIN = ("DeleteRole", "TagRole", "UntagRole", "UpdateAssumeRolePolicy", "UpdateRole", "UpdateRoleDescription")
POLICIES = ("CreatePolicy", "CreatePolicyVersion", "DeletePolicy", "DeletePolicyVersion", "TagPolicy", "UntagPolicy")
PROFILES = (
    *(f"{verb}InstanceProfile" for verb in ("Create", "Delete", "Tag")),
    "AddRoleToInstanceProfile",
    "RemoveRoleFromInstanceProfile",
)
SERVICE_LINKED = ("CreateServiceLinkedRole", "DeleteServiceLinkedRole")


@dataclass(frozen=True)
class Permissions:
    """What deploying the estate takes."""

    read: Sequence[Statement]
    write: Sequence[Statement]
    guarded: Sequence[str]

    @property
    def services(self) -> list[str]:
        """Their prefixes in IAM."""
        named = [action for row in (*self.read, *self.write) for action in row.actions]
        return sorted({action.partition(":")[0] for action in (*named, *self.guarded)})


def load(environment: Environment) -> Permissions:
    """The committed permissions of an environment, bound to its resources. Raises OSError, KeyError, ValueError."""
    found = json.loads((DATA / f"{environment.name}.json").read_text())
    place = {
        "prefix": environment.prefix,
        "project": PROJECT,
        "environment": environment.name,
        "account": environment.account_id,
        "region": environment.region,
        "recovery": environment.recovery_region,
    }

    def rows(kind: str) -> list[Statement]:
        return [
            Statement(row["sid"], row["actions"], [one.format(**place) for one in row["resources"]])
            for row in found[kind]
        ]

    return Permissions(rows("read"), rows("write"), found["guarded"])


def guarded(environment: Environment, actions: Sequence[str]) -> list[Statement]:
    """Statements for exactly these actions; ValueError for one that nobody has written a condition for."""
    account, path = environment.account_id, names.identity_path(environment)
    roles, policies = f"arn:aws:iam::{account}:role{path}*", f"arn:aws:iam::{account}:policy{path}*"
    bounded: Conditions = {"StringEquals": {"iam:PermissionsBoundary": names.boundary(environment)}}
    passed: Conditions = {"StringEquals": {"iam:PassedToService": list(PASSED_TO)}}
    braking: Conditions = {"StringEquals": {"iam:PassedToService": BRAKE}}
    written = [
        Statement("BoundedRoles", _iam(BOUNDED), [roles], conditions=bounded),
        Statement("OwnRoles", _iam(PLAIN), [roles]),
        Statement("OwnPolicies", _iam(POLICIES), [policies]),
        Statement("PassOwnRoles", ["iam:PassRole"], [roles], conditions=passed),
        # To nobody else: a pod with the brake's role would take the brake off.
        Statement("PassBrake", ["iam:PassRole"], [names.brake(environment, "role")], conditions=braking),
        Statement("NodeProfiles", _iam(PROFILES), [f"arn:aws:iam::{account}:instance-profile/*"]),
        Statement("ServiceLinked", _iam(SERVICE_LINKED), [f"arn:aws:iam::{account}:role/aws-service-role/*"]),
        Statement(
            "GrantsToServices",
            ["kms:CreateGrant"],
            [f"arn:aws:kms:*:{account}:key/*"],
            conditions={"Bool": {"kms:GrantIsForAWSResource": "true"}},
        ),
    ]
    if unknown := sorted(set(actions) - {action for one in written for action in one.actions}):
        raise ValueError(f"bootstrap/grants.py: say on what, and under which condition: {', '.join(unknown)}")
    wanted = [(one, [action for action in one.actions if action in set(actions)]) for one in written]
    return [replace(one, actions=some) for one, some in wanted if some]


@dataclass(frozen=True)
class StateAccess:
    """The state bucket's ARN, its key, and the key of the secrets provider."""

    bucket: pulumi.Output[str]
    key: EncryptionKey
    secrets: EncryptionKey

    def read(self) -> list[Statement]:
        """Read every project's state, and decrypt the secrets in it."""
        return [
            Statement("ListState", ["s3:GetBucketLocation", "s3:ListBucket"], [self.bucket]),
            Statement("ReadState", ["s3:GetObject"], [pulumi.Output.concat(self.bucket, "/*")]),
            Statement("DecryptState", ["kms:Decrypt", "kms:DescribeKey"], [self.key.arn, self.secrets.arn]),
        ]

    def write(self, project: str) -> list[Statement]:
        """Write one project's state, and encrypt secrets for it."""
        folders = ("stacks", "history", "backups", "locks/organization")
        objects = [pulumi.Output.concat(self.bucket, f"/.pulumi/{folder}/{project}/*") for folder in folders]
        return [
            Statement("WriteState", ["s3:DeleteObject", "s3:PutObject"], objects),
            Statement("EncryptState", ["kms:GenerateDataKey"], [self.key.arn]),
            Statement("EncryptSecrets", ["kms:Encrypt"], [self.secrets.arn]),
        ]


def never_encrypts() -> Statement:
    """Who only looks cannot put anything into the state, whatever else is granted."""
    return Statement(
        "NeverEncrypt",
        ["kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*", "s3:PutObject", "s3:DeleteObject"],
        ["*"],
        effect="Deny",
    )


def packed(statements: Sequence[Statement]) -> Iterator[list[Statement]]:
    """The statements in as few managed policies as their order allows; ValueError for one that fits in none."""
    pack: list[Statement] = []
    for statement in statements:
        if _length([statement]) > POLICY_CHARACTERS:
            raise ValueError(f"statement {statement.sid} alone is longer than a managed policy may be")
        if pack and _length([*pack, statement]) > POLICY_CHARACTERS:
            yield pack
            pack = []
        pack.append(statement)
    if pack:
        yield pack


def _length(statements: Sequence[Statement]) -> int:
    return len(json.dumps({"Version": VERSION, "Statement": [one.render() for one in statements]}))


def _iam(words: Sequence[str]) -> list[str]:
    return [f"iam:{name}" for name in words]
