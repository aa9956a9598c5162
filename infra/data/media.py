"""Where are uploads and videos kept? A bucket, and where configured a copy in the recovery region."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.data.shape import MediaShape
from infra.foundation import roles, tags
from infra.foundation.bucket import Lifecycle, PrivateBucket, PrivateBucketArgs
from infra.foundation.encryption import EncryptionKey, KeyClass, Keys
from infra.foundation.environment import Environment
from infra.foundation.iam import Statement, trust
from infra.foundation.log_store import LogStore, LogStoreArgs

REPLICATION_MINUTES = 15  # the only figure that S3's replication time control accepts


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
        role = roles.create(
            f"{name}-replication",
            "S3 copies media to the recovery region",
            trust("s3.amazonaws.com"),
            self,
            statements=copier(self.bucket, copy, args.keys[KeyClass.MEDIA], environment),
        )
        aws.s3.BucketReplicationConfig(
            f"{name}-replication",
            bucket=self.bucket.id,
            role=role.arn,
            rules=[
                {
                    "id": "everything",
                    "status": "Enabled",
                    "priority": 1,
                    "filter": {"prefix": ""},
                    "delete_marker_replication": {"status": "Enabled"},
                    "source_selection_criteria": {
                        "sse_kms_encrypted_objects": {"status": "Enabled"},
                        "replica_modifications": {"status": "Enabled"},
                    },
                    "destination": {
                        "bucket": copy.arn,
                        "storage_class": "STANDARD_IA",
                        "encryption_configuration": {"replica_kms_key_id": args.keys[KeyClass.MEDIA].replica_arn},
                        "replication_time": {"status": "Enabled", "time": {"minutes": REPLICATION_MINUTES}},
                        "metrics": {"status": "Enabled", "event_threshold": {"minutes": REPLICATION_MINUTES}},
                    },
                }
            ],
            opts=pulumi.ResourceOptions(parent=self, depends_on=[self.bucket.versioning, copy.versioning, *role.ready]),
        )
        return copy


def copier(source: PrivateBucket, copy: PrivateBucket, key: EncryptionKey, environment: Environment) -> list[Statement]:
    """What S3 may do to copy objects from one bucket to the other."""
    return [
        Statement("ReadConfiguration", ["s3:GetReplicationConfiguration", "s3:ListBucket"], [source.arn]),
        Statement(
            "ReadVersions",
            ["s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl", "s3:GetObjectVersionTagging"],
            [pulumi.Output.concat(source.arn, "/*")],
        ),
        Statement(
            "WriteCopies",
            ["s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags"],
            [pulumi.Output.concat(copy.arn, "/*")],
        ),
        Statement(
            "Decrypt",
            ["kms:Decrypt"],
            [key.arn],
            conditions={"StringLike": {"kms:ViaService": f"s3.{environment.region}.amazonaws.com"}},
        ),
        Statement(
            "Encrypt",
            ["kms:Encrypt", "kms:GenerateDataKey"],
            [key.replica_arn],
            conditions={"StringLike": {"kms:ViaService": f"s3.{environment.recovery_region}.amazonaws.com"}},
        ),
    ]
