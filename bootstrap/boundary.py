"""What can nobody who deploys ever exceed, or take off? Two boundaries: of the estate's roles, and of the pipeline's.

A boundary grants nothing: it bounds what policies grant. Its lists are by service: a list of actions would have to be
the sum of everything that it shall bound (docs/decisions/0020-boundaries.md).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from bootstrap.keys import AccountKey
from infra.foundation import names
from infra.foundation.environment import Environment
from infra.foundation.iam import Statement, document

# What roles of the estate use: pods, nodes, the control plane, backups, copies of buckets, the database's helpers.
WORKLOAD = (
    "acm", "aps", "autoscaling", "backup", "backup-storage", "cloudwatch", "ec2", "ecr", "eks", "eks-auth",
    "elasticache", "elasticloadbalancing", "events", "kms", "logs", "pricing", "rds", "rds-db", "s3", "secretsmanager",
    "shield", "sns", "sqs", "ssm", "tag", "waf-regional", "wafv2", "xray",
)  # fmt: skip
READ_STATE = ("config", "cloudtrail", "access-analyzer", "tag", "ecr", "sts")
IDENTITY_WRITES = tuple(
    f"iam:{verb}*"
    for verb in (
        "Add",
        "Attach",
        "Create",
        "Delete",
        "Detach",
        "PassRole",
        "Put",
        "Remove",
        "Set",
        "Tag",
        "Untag",
        "Update",
    )
)
PEOPLE = tuple(f"iam:{verb}" for verb in ("CreateAccessKey", "CreateGroup", "CreateLoginProfile", "CreateUser"))
GUARDRAILS = (
    "access-analyzer:DeleteAnalyzer",
    "cloudtrail:DeleteTrail",
    "cloudtrail:PutEventSelectors",
    "cloudtrail:StopLogging",
    "cloudtrail:UpdateTrail",
    "config:DeleteConfigurationRecorder",
    "config:DeleteDeliveryChannel",
    "config:PutConfigurationRecorder",
    "config:StopConfigurationRecorder",
    "ec2:DisableEbsEncryptionByDefault",
    "ec2:DisableSnapshotBlockPublicAccess",
    "ec2:ModifyInstanceMetadataDefaults",
    "guardduty:DeleteDetector",
    "guardduty:UpdateDetector",
    "iam:DeleteAccountPasswordPolicy",
    "iam:UpdateAccountPasswordPolicy",
    "s3:BypassGovernanceRetention",
    "s3:PutAccountPublicAccessBlock",
    "securityhub:BatchDisableStandards",
    "securityhub:DisableSecurityHub",
)
BUCKET_WRITES = (
    "s3:DeleteBucket",
    "s3:DeleteBucketPolicy",
    "s3:DeleteObjectVersion",
    "s3:PutBucketObjectLockConfiguration",
    "s3:PutBucketPolicy",
    "s3:PutBucketVersioning",
    "s3:PutEncryptionConfiguration",
    "s3:PutLifecycleConfiguration",
    "s3:PutReplicationConfiguration",
)


@dataclass(frozen=True)
class BoundaryArgs:
    """services: what the pipeline's roles may use at all, by IAM's prefix. builder: the account that builds images."""

    environment: Environment
    services: Sequence[str]
    builder: str


class Boundaries(pulumi.ComponentResource):
    """The two policies, by their ARNs."""

    workload: pulumi.Output[str]
    pipeline: pulumi.Output[str]

    def __init__(self, name: str, args: BoundaryArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tecnocursos:account:Boundaries", name, None, opts)
        self.workload = self._policy("workload", workload(args.environment), args)
        self.pipeline = self._policy("pipeline", pipeline(args), args)
        self.register_outputs({})

    def _policy(self, purpose: str, statements: Sequence[Statement], args: BoundaryArgs) -> pulumi.Output[str]:
        return aws.iam.Policy(
            f"{purpose}-boundary",
            name=names.boundary(args.environment, purpose).rpartition("/")[2],
            description=f"What no role of the {'estate' if purpose == 'workload' else 'pipeline'} exceeds",
            policy=document(*statements),
            opts=pulumi.ResourceOptions(parent=self),
        ).arn


def workload(environment: Environment) -> list[Statement]:
    """Of every role that the estate creates: the services of its workloads, and of IAM what Auto Mode asks for."""
    account = environment.account_id
    return [
        Statement("Services", [f"{service}:*" for service in WORKLOAD], ["*"]),
        Statement(
            "NodeProfiles",
            [
                *(f"iam:{verb}InstanceProfile" for verb in ("Create", "Delete", "Get", "Tag")),
                "iam:AddRoleToInstanceProfile",
                "iam:RemoveRoleFromInstanceProfile",
            ],
            [f"arn:aws:iam::{account}:instance-profile/*"],
        ),
        Statement("Looking", ["iam:GetRole", "iam:ListInstanceProfiles", "iam:ListRoles"], ["*"]),
        Statement(
            "PassToServices",
            ["iam:PassRole"],
            [f"arn:aws:iam::{account}:role{names.identity_path(environment)}*"],
            conditions={"StringEquals": {"iam:PassedToService": ["ec2.amazonaws.com", "monitoring.rds.amazonaws.com"]}},
        ),
        Statement(
            "ServiceLinkedRoles", ["iam:CreateServiceLinkedRole"], [f"arn:aws:iam::{account}:role/aws-service-role/*"]
        ),
        Statement("StateIsNotTheirs", ["s3:*"], _state(environment), effect="Deny"),
        Statement("StateKeysAreNotTheirs", ["kms:*"], ["*"], conditions=_account_keys(environment), effect="Deny"),
        *_kept(environment),
    ]


def pipeline(args: BoundaryArgs) -> list[Statement]:
    """Of the roles that deploy, look and recover."""
    environment = args.environment
    account, own = environment.account_id, names.boundary(environment)
    services = sorted({*args.services, *READ_STATE} - {"iam"})
    ours = f"arn:aws:iam::{account}:role{names.identity_path(environment)}*"
    return [
        Statement("Services", [f"{service}:*" for service in services], ["*"]),
        Statement("LookAtIdentities", ["iam:Get*", "iam:List*"], ["*"]),
        Statement(
            "Identities",
            [write for write in IDENTITY_WRITES if write not in {"iam:PassRole*", "iam:Set*"}],
            [
                ours,
                f"arn:aws:iam::{account}:policy{names.identity_path(environment)}*",
                f"arn:aws:iam::{account}:instance-profile/*",
                f"arn:aws:iam::{account}:role/aws-service-role/*",
            ],
        ),
        Statement(
            "PassOurs",
            ["iam:PassRole"],
            [ours, names.brake(environment, "role")],
            conditions={"Null": {"iam:PassedToService": "false"}},
        ),
        Statement(
            "RolesAreBounded",
            ["iam:CreateRole", "iam:PutRolePermissionsBoundary"],
            ["*"],
            conditions={"StringNotEquals": {"iam:PermissionsBoundary": own}},
            effect="Deny",
        ),
        Statement("BoundariesStay", ["iam:DeleteRolePermissionsBoundary"], ["*"], effect="Deny"),
        Statement("StateStays", list(BUCKET_WRITES), _state(environment), effect="Deny"),
        Statement(
            "AccountKeysStay",
            ["kms:DisableKey", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion", "kms:UpdateAlias", "kms:DeleteAlias"],
            ["*"],
            conditions=_account_keys(environment),
            effect="Deny",
        ),
        Statement(
            "OtherAccounts",
            ["ecr:*"],
            ["*"],
            conditions={
                "StringNotEquals": {"aws:ResourceAccount": sorted({account, args.builder})},
                "Null": {"aws:ResourceAccount": "false"},
            },
            effect="Deny",
        ),
        *_kept(environment),
    ]


def _kept(environment: Environment) -> list[Statement]:
    """What both leave alone: the account's own identities and guardrails, permanent keys, other accounts' data."""
    account = environment.account_id
    return [
        Statement(
            "AccountIdentitiesStay",
            list(IDENTITY_WRITES),
            [
                f"arn:aws:iam::{account}:role/{environment.prefix}-*",
                f"arn:aws:iam::{account}:policy/{environment.prefix}-*",
                f"arn:aws:iam::{account}:oidc-provider/*",
            ],
            effect="Deny",
        ),
        Statement("NoPermanentKeys", list(PEOPLE), ["*"], effect="Deny"),
        Statement("GuardrailsStay", list(GUARDRAILS), ["*"], effect="Deny"),
        Statement(
            "OtherAccountsData",
            ["kms:*", "s3:*"],
            ["*"],
            conditions={
                "StringNotEquals": {"aws:ResourceAccount": account},
                "Null": {"aws:ResourceAccount": "false"},
            },
            effect="Deny",
        ),
    ]


def _state(environment: Environment) -> list[str]:
    """The buckets with the account's state, and what is in them."""
    buckets = [names.bucket(environment, purpose) for purpose in (names.STATE, f"{names.STATE}-copy")]
    return [f"arn:aws:s3:::{bucket}{end}" for bucket in buckets for end in ("", "/*")]


def _account_keys(environment: Environment) -> dict[str, dict[str, list[str]]]:
    aliases = [names.key_alias(environment, key) for key in (AccountKey.STATE, AccountKey.SECRETS)]
    return {"ForAnyValue:StringEquals": {"kms:ResourceAliases": aliases}}
