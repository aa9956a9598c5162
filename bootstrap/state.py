"""Where does Pulumi keep what it knows of this account? A bucket of its own: versioned, locked, copied elsewhere."""

from dataclasses import dataclass

import pulumi

from infra.foundation import tags
from infra.foundation.bucket import Lifecycle, PrivateBucket, PrivateBucketArgs
from infra.foundation.environment import Environment
from infra.foundation.keys import EncryptionKey
from infra.foundation.log_store import LogStore
from infra.foundation.replication import ReplicationArgs, replicate

LOCK_DAYS = 30  # a version that an operation replaced can be read that long, whoever tries to delete it
KEPT_DAYS = 90  # and is there that long when nobody does


@dataclass(frozen=True)
class StateArgs:
    """logs and recovery_logs: who read and wrote, by region."""

    environment: Environment
    key: EncryptionKey
    logs: LogStore
    recovery_logs: LogStore


class State(pulumi.ComponentResource):
    """The bucket that PULUMI_BACKEND_URL names, and its copy."""

    bucket: PrivateBucket
    copy: PrivateBucket

    def __init__(self, name: str, args: StateArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tecnocursos:account:State", name, None, opts)
        recovery = args.environment.recovery_region
        self.bucket = self._bucket(name, args.key.arn, args.logs, args)
        self.copy = self._bucket(f"{name}-copy", args.key.replica_arn, args.recovery_logs, args, recovery)
        replicate(
            f"{name}-replication",
            ReplicationArgs(
                args.environment, "Pulumi's state", self.bucket, self.copy, args.key, "STANDARD", locked=True
            ),
            self,
        )
        self.register_outputs({"bucket": self.bucket.id})

    def _bucket(
        self, purpose: str, key: pulumi.Input[str], logs: LogStore, args: StateArgs, region: str | None = None
    ) -> PrivateBucket:
        bucket = PrivateBucket(
            purpose,
            PrivateBucketArgs(
                environment=args.environment,
                purpose=purpose,
                lifecycle=Lifecycle(noncurrent_days=KEPT_DAYS),
                tags={**tags.data(tags.DataClass.SECRET)},
                key_arn=key,
                access_logs=logs.id,
                region=region,
                lock_days=LOCK_DAYS,
                depends_on=[logs.ready],
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        bucket.restrict()
        return bucket
