"""How is a bucket copied to the recovery region? S3 does it, through a role that may do nothing else."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.foundation import roles
from infra.foundation.bucket import PrivateBucket
from infra.foundation.environment import Environment
from infra.foundation.iam import Statement, trust
from infra.foundation.keys import EncryptionKey

REPLICATION_MINUTES = 15  # the only figure that S3's replication time control accepts


@dataclass(frozen=True)
class ReplicationArgs:
    """what: the objects, as the role's description names them. key: encrypts both sides, each in its own region.

    locked: both buckets lock their objects, and the lock is copied too.
    """

    environment: Environment
    what: str
    source: PrivateBucket
    copy: PrivateBucket
    key: EncryptionKey
    storage_class: str
    locked: bool = False


def replicate(name: str, args: ReplicationArgs, parent: pulumi.Resource) -> aws.s3.BucketReplicationConfig:
    """Copy every object, its versions and its deletion; both buckets keep versions before it begins."""
    role = roles.create(
        name,
        f"S3 copies {args.what} to the recovery region",
        trust("s3.amazonaws.com"),
        parent,
        statements=copier(args),
    )
    return aws.s3.BucketReplicationConfig(
        name,
        bucket=args.source.id,
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
                    "bucket": args.copy.arn,
                    "storage_class": args.storage_class,
                    "encryption_configuration": {"replica_kms_key_id": args.key.replica_arn},
                    "replication_time": {"status": "Enabled", "time": {"minutes": REPLICATION_MINUTES}},
                    "metrics": {"status": "Enabled", "event_threshold": {"minutes": REPLICATION_MINUTES}},
                },
            }
        ],
        opts=pulumi.ResourceOptions(
            parent=parent, depends_on=[args.source.versioning, args.copy.versioning, *role.ready]
        ),
    )


def copier(args: ReplicationArgs) -> list[Statement]:
    """What S3 may do to copy objects from one bucket to the other."""
    environment, key = args.environment, args.key
    locks = ["s3:GetObjectRetention", "s3:GetObjectLegalHold"] if args.locked else []
    return [
        Statement("ReadConfiguration", ["s3:GetReplicationConfiguration", "s3:ListBucket"], [args.source.arn]),
        Statement(
            "ReadVersions",
            ["s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl", "s3:GetObjectVersionTagging", *locks],
            [pulumi.Output.concat(args.source.arn, "/*")],
        ),
        Statement(
            "WriteCopies",
            ["s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags"],
            [pulumi.Output.concat(args.copy.arn, "/*")],
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
