"""What is a KMS key made of? A multi-region key with its replica in the recovery region, and an alias for both.

The replica stays usable when the first region is gone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.foundation import names, protection
from infra.foundation.environment import Environment
from infra.foundation.iam import Principals, Statement, account_root, document

USE = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
ROTATION_DAYS = 365


@dataclass(frozen=True)
class EncryptionKey:
    """A key: its ARN in the estate's region and that of its replica in the recovery region."""

    id: pulumi.Output[str]
    arn: pulumi.Output[str]
    replica_id: pulumi.Output[str]
    replica_arn: pulumi.Output[str]


@dataclass(frozen=True)
class KeyArgs:
    """purpose: the end of its alias. statements: its policy; None where something else sets it.

    deletion_window_days: how long a scheduled deletion can be taken back.
    """

    environment: Environment
    purpose: str
    deletion_window_days: int
    statements: Sequence[Statement] | None
    tags: Mapping[str, str]


def own_policies(environment: Environment) -> Statement:
    """Whoever the account's own policies allow may use the key."""
    root: Principals = {"AWS": [account_root(environment.account_id)]}
    return Statement("AccountPolicies", ["kms:*"], ["*"], root)


def create(name: str, args: KeyArgs, parent: pulumi.Resource) -> EncryptionKey:
    """The key as a child of `parent`."""
    environment = args.environment
    options = protection.stateful(environment, parent)
    policy = None if args.statements is None else document(*args.statements)
    description = f"{environment.prefix}: {args.purpose}"
    key = aws.kms.Key(
        name,
        description=description,
        enable_key_rotation=True,
        rotation_period_in_days=ROTATION_DAYS,
        deletion_window_in_days=args.deletion_window_days,
        multi_region=True,
        policy=policy,
        tags=args.tags,
        opts=options,
    )
    replica = aws.kms.ReplicaKey(
        f"{name}-replica",
        primary_key_arn=key.arn,
        description=f"{description} (replica)",
        deletion_window_in_days=args.deletion_window_days,
        policy=policy,
        region=environment.recovery_region,
        tags=args.tags,
        opts=options,
    )
    for suffix, target, region in (
        ("", key.key_id, None),
        ("-replica", replica.key_id, environment.recovery_region),
    ):
        aws.kms.Alias(
            f"{name}-alias{suffix}",
            name=names.key_alias(environment, args.purpose),
            target_key_id=target,
            region=region,
            opts=pulumi.ResourceOptions(parent=parent),
        )
    return EncryptionKey(key.key_id, key.arn, replica.key_id, replica.arn)
