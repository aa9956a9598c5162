"""Which key encrypts what? One KMS key per data class, each with a policy that names its users.

The keys are multi-region: copies in the recovery region stay readable when the first region is gone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import pulumi

from infra.foundation import keys, tags
from infra.foundation.environment import Environment
from infra.foundation.iam import Statement
from infra.foundation.keys import USE, EncryptionKey, KeyArgs
from infra.foundation.shape import EncryptionShape

# Services that publish notifications: those that say on whose behalf, and those that are not documented to. See
# docs/decisions/0025-untold-by-documentation.md.
PUBLISHERS = ("aps", "budgets", "cloudwatch", "costalerts", "events.rds")
SILENT_PUBLISHERS = ("backup", "elasticache")


class KeyClass(StrEnum):
    """What a key protects."""

    DATABASE = "database"  # rows and their snapshots
    TRANSIENT = "transient"  # cache, queue and the disks of nodes: sessions, counters, jobs, what is being rendered
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


Keys = Mapping[KeyClass, EncryptionKey]


def statements(environment: Environment, key_class: KeyClass) -> Sequence[Statement]:
    """Who may use a key: the account's own policies, and the services that work without a role of ours."""
    account, own = environment.account_id, keys.own_policies(environment)
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
    # To the key EventBridge is silent as well; to the topic it names its rule.
    silent = Statement(
        sid="SilentPublishers",
        actions=["kms:Decrypt", "kms:GenerateDataKey*"],
        resources=["*"],
        principals={"Service": [f"{name}.amazonaws.com" for name in (*SILENT_PUBLISHERS, "events")]},
    )
    return [own, log_groups, publishers, silent]


class Encryption(pulumi.ComponentResource):
    """The keys of the estate, by class."""

    keys: Keys

    def __init__(self, name: str, args: EncryptionArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tecnocursos:infra:Encryption", name, None, opts)
        self.keys = {key_class: self._key(f"{name}-{key_class}", key_class, args) for key_class in KeyClass}
        self.register_outputs({})

    def _key(self, name: str, key_class: KeyClass, args: EncryptionArgs) -> EncryptionKey:
        environment = args.environment
        # The media key's policy names the distribution that reads through it: see media_access.
        policy = None if key_class is KeyClass.MEDIA else statements(environment, key_class)
        tagged = tags.data(DATA[key_class])
        return keys.create(name, KeyArgs(environment, key_class, args.shape.deletion_window_days, policy, tagged), self)
