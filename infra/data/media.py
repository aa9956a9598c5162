"""Where are uploads and videos kept? A bucket, and where configured a copy in the recovery region."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.data.shape import MediaShape
from infra.foundation import tags
from infra.foundation.bucket import Lifecycle, PrivateBucket, PrivateBucketArgs
from infra.foundation.encryption import KeyClass, Keys
from infra.foundation.environment import Environment
from infra.foundation.log_store import LogStore, LogStoreArgs
from infra.foundation.replication import ReplicationArgs, replicate


@dataclass(frozen=True)
class MediaArgs:
    """What the media buckets need to know."""

    environment: Environment
    shape: MediaShape
    keys: Keys
    logs: LogStore


class Media(pulumi.ComponentResource):
    """The media bucket, and its copy or None. Their policies come with their reader: see media_access."""

    bucket: PrivateBucket
    copy: PrivateBucket | None

    def __init__(self, name: str, args: MediaArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tecnocursos:infra:Media", name, None, opts)
        self._name, self._args = name, args
        child = pulumi.ResourceOptions(parent=self)
        shape = args.shape
        self.bucket = PrivateBucket(
            name,
            PrivateBucketArgs(
                environment=args.environment,
                purpose=name,
                lifecycle=Lifecycle(shape.noncurrent_days, intelligent_tiering_days=shape.infrequent_after_days),
                tags={**tags.data(tags.DataClass.PERSONAL, backup="media")},
                key_arn=args.keys[KeyClass.MEDIA].arn,
                access_logs=args.logs.id,
                depends_on=[args.logs.ready],
            ),
            opts=child,
        )
        if shape.allowed_origins:
            aws.s3.BucketCorsConfiguration(
                f"{name}-cors",
                bucket=self.bucket.id,
                cors_rules=[
                    {
                        "allowed_methods": ["PUT", "POST"],
                        "allowed_origins": list(shape.allowed_origins),
                        "allowed_headers": ["content-type", "x-amz-*"],
                        "expose_headers": ["ETag"],
                        "max_age_seconds": 3600,
                    }
                ],
                opts=child,
            )
        aws.s3.BucketMetric(f"{name}-requests", bucket=self.bucket.id, name="everything", opts=child)
        self.copy = self._replicate() if shape.replicated else None
        self.register_outputs({"bucket": self.bucket.id})

    def _replicate(self) -> PrivateBucket:
        name, args = self._name, self._args
        environment, shape = args.environment, args.shape
        child = pulumi.ResourceOptions(parent=self)
        logs = LogStore("logs-recovery", LogStoreArgs(environment, region=environment.recovery_region), opts=child)
        copy = PrivateBucket(
            f"{name}-copy",
            PrivateBucketArgs(
                environment=environment,
                purpose=f"{name}-copy",
                lifecycle=Lifecycle(shape.noncurrent_days, intelligent_tiering_days=shape.infrequent_after_days),
                tags={**tags.data(tags.DataClass.PERSONAL)},
                key_arn=args.keys[KeyClass.MEDIA].replica_arn,
                access_logs=logs.id,
                region=environment.recovery_region,
                lock_days=shape.recovery_lock_days or None,
                depends_on=[logs.ready],
            ),
            opts=child,
        )
        replicate(
            f"{name}-replication",
            ReplicationArgs(environment, "media", self.bucket, copy, args.keys[KeyClass.MEDIA], "STANDARD_IA"),
            self,
        )
        return copy
