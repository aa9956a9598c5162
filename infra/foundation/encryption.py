"""Which key encrypts what? One KMS key per data class, each with a policy that names its users.

The keys are multi-region: copies in the recovery region stay readable when the first region is gone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import pulumi
import pulumi_aws as aws

from infra.foundation import names, protection, tags
from infra.foundation.environment import Environment
from infra.foundation.iam import Statement, account_root, document
from infra.foundation.shape import EncryptionShape

USE = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
ROTATION_DAYS = 365
PUBLISHERS = ("backup", "budgets", "cloudwatch", "costalerts", "events.rds", "elasticache", "aps")


class KeyClass(StrEnum):
    """What a key protects."""

    DATABASE = "database"  # rows and their snapshots
    TRANSIENT = "transient"  # cache and queue: sessions, counters, jobs
    MEDIA = "media"  # uploads and videos
    SECRETS = "secrets"  # credentials, Kubernetes secrets
    OPERATIONS = "operations"  # logs, notifications, metrics, images
    BACKUP = "backup"  # backup vaults


DATA = {
    KeyClass.DATABASE: tags.DataClass.PERSONAL,
    KeyClass.TRANSIENT: tags.DataClass.PERSONAL,
    KeyClass.MEDIA: tags.DataClass.PERSONAL,
    KeyClass.SECRETS: tags.DataClass.SECRET,
    KeyClass.OPERATIONS: tags.DataClass.INTERNAL,
    KeyClass.BACKUP: tags.DataClass.PERSONAL,
}


@dataclass(frozen=True)
class EncryptionArgs:
    """What the keys need to know."""

    environment: Environment
    shape: EncryptionShape


@dataclass(frozen=True)
class EncryptionKey:
    """A key: its ARN in the estate's region and that of its replica in the recovery region."""

    id: pulumi.Output[str]
    arn: pulumi.Output[str]
    replica_id: pulumi.Output[str]
    replica_arn: pulumi.Output[str]


Keys = Mapping[KeyClass, EncryptionKey]


def statements(environment: Environment, key_class: KeyClass) -> Sequence[Statement]:
    """Who may use a key: the account's own policies, and the services that work without a role of ours."""
    account = environment.account_id
    own = Statement(
        sid="AccountPolicies", actions=["kms:*"], resources=["*"], principals={"AWS": [account_root(account)]}
    )
    if key_class is not KeyClass.OPERATIONS:
        return [own]
    groups = f"arn:aws:logs:*:{account}:log-group:*"
    log_groups = Statement(
        sid="LogGroups",
        actions=USE,
        resources=["*"],
        principals={"Service": [f"logs.{environment.region}.amazonaws.com"]},
        conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}},
    )
    publishers = Statement(
        sid="NotificationPublishers",
        actions=["kms:Decrypt", "kms:GenerateDataKey*"],
        resources=["*"],
        principals={"Service": [f"{name}.amazonaws.com" for name in PUBLISHERS]},
        conditions={"StringEquals": {"aws:SourceAccount": account}},
    )
    return [own, log_groups, publishers]


class Encryption(pulumi.ComponentResource):
    """The keys of the estate, by class."""

    keys: Keys

    def __init__(self, name: str, args: EncryptionArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tecnocursos:infra:Encryption", name, None, opts)
        self.keys = {key_class: self._key(f"{name}-{key_class}", key_class, args) for key_class in KeyClass}
        self.register_outputs({})

    def _key(self, name: str, key_class: KeyClass, args: EncryptionArgs) -> EncryptionKey:
        environment = args.environment
        options = protection.stateful(environment, self)
        policy = document(*statements(environment, key_class))
        description = f"{environment.prefix}: {key_class}"
        key = aws.kms.Key(
            name,
            description=description,
            enable_key_rotation=True,
            rotation_period_in_days=ROTATION_DAYS,
            deletion_window_in_days=args.shape.deletion_window_days,
            multi_region=True,
            # The media key's policy names the distribution that reads through it: see media_access.
            policy=None if key_class is KeyClass.MEDIA else policy,
            tags=tags.data(DATA[key_class]),
            opts=options,
        )
        replica = aws.kms.ReplicaKey(
            f"{name}-replica",
            primary_key_arn=key.arn,
            description=f"{description} (replica)",
            deletion_window_in_days=args.shape.deletion_window_days,
            policy=None if key_class is KeyClass.MEDIA else policy,
            region=environment.recovery_region,
            tags=tags.data(DATA[key_class]),
            opts=options,
        )
        for suffix, target, region in (
            ("", key.key_id, None),
            ("-replica", replica.key_id, environment.recovery_region),
        ):
            aws.kms.Alias(
                f"{name}-alias{suffix}",
                name=names.key_alias(environment, key_class),
                target_key_id=target,
                region=region,
                opts=pulumi.ResourceOptions(parent=self),
            )
        return EncryptionKey(key.key_id, key.arn, replica.key_id, replica.arn)
