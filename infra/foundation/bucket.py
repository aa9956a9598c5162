"""What does every bucket get? Private, encrypted, versioned, TLS only, with a lifecycle and access logs."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from infra.foundation import names, protection
from infra.foundation.environment import Environment
from infra.foundation.iam import ANYONE, Statement, document

ABORT_UPLOADS_DAYS = 7  # parts of abandoned uploads are billed until then
NONCURRENT_KEPT = 3  # versions of one object that outlive `noncurrent_days`


@dataclass(frozen=True)
class Lifecycle:
    """When objects move and go, in days after their creation (or after they were overwritten or deleted).

    intelligent_tiering_days: None leaves objects where they are. expire_days: None keeps them for ever.
    """

    noncurrent_days: int
    intelligent_tiering_days: int | None = None
    expire_days: int | None = None


@dataclass(frozen=True)
class PrivateBucketArgs:
    """One bucket.

    purpose: the part of its name between environment and account. key_arn: the KMS key; None for the buckets that AWS
    services write logs to, which support S3's own keys only. region: None for the estate's own.
    access_logs: the id of the bucket that records who read and wrote; None for that bucket itself.
    lock_days: days for which no version can be deleted (governance mode); None for no object lock.
    """

    environment: Environment
    purpose: str
    lifecycle: Lifecycle
    tags: "pulumi.Input[dict[str, str]]"
    key_arn: pulumi.Input[str] | None
    access_logs: pulumi.Input[str] | None
    region: str | None = None
    lock_days: int | None = None
    depends_on: Sequence[pulumi.Resource] = field(default_factory=tuple)


class PrivateBucket(pulumi.ComponentResource):
    """A bucket with everything it needs but its policy: see `restrict`."""

    id: pulumi.Output[str]
    arn: pulumi.Output[str]
    regional_domain_name: pulumi.Output[str]
    versioning: aws.s3.BucketVersioning

    def __init__(self, name: str, args: PrivateBucketArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tecnocursos:infra:PrivateBucket", name, None, opts)
        self._name, self._region = name, args.region
        child = pulumi.ResourceOptions(parent=self)
        bucket = aws.s3.Bucket(
            name,
            bucket=names.bucket(args.environment, args.purpose),
            force_destroy=protection.discard_contents(args.environment),
            object_lock_enabled=args.lock_days is not None,
            region=args.region,
            tags=args.tags,
            opts=protection.stateful(args.environment, self, args.depends_on),
        )
        self.id, self.arn, self.regional_domain_name = bucket.id, bucket.arn, bucket.bucket_regional_domain_name
        aws.s3.BucketOwnershipControls(
            f"{name}-ownership",
            bucket=bucket.id,
            rule={"object_ownership": "BucketOwnerEnforced"},
            region=args.region,
            opts=child,
        )
        self._public_access_block = aws.s3.BucketPublicAccessBlock(
            f"{name}-private",
            bucket=bucket.id,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            region=args.region,
            opts=child,
        )
        encryption: aws.s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgsDict
        if args.key_arn is None:
            encryption = {"sse_algorithm": "AES256"}
        else:
            encryption = {"sse_algorithm": "aws:kms", "kms_master_key_id": args.key_arn}
        aws.s3.BucketServerSideEncryptionConfiguration(
            f"{name}-encryption",
            bucket=bucket.id,
            rules=[
                {
                    "apply_server_side_encryption_by_default": encryption,
                    "bucket_key_enabled": args.key_arn is not None,
                    "blocked_encryption_types": ["SSE-C"],
                }
            ],
            region=args.region,
            opts=child,
        )
        self.versioning = aws.s3.BucketVersioning(
            f"{name}-versioning",
            bucket=bucket.id,
            versioning_configuration={"status": "Enabled"},
            region=args.region,
            opts=child,
        )
        self._expire(args)
        if args.access_logs is not None:
            aws.s3.BucketLogging(
                f"{name}-access-logs",
                bucket=bucket.id,
                target_bucket=args.access_logs,
                target_prefix=f"s3/{args.purpose}/",
                target_object_key_format={"partitioned_prefix": {"partition_date_source": "EventTime"}},
                region=args.region,
                opts=child,
            )
        if args.lock_days is not None:
            aws.s3.BucketObjectLockConfiguration(
                f"{name}-lock",
                bucket=bucket.id,
                rule={"default_retention": {"mode": "GOVERNANCE", "days": args.lock_days}},
                region=args.region,
                opts=pulumi.ResourceOptions(parent=self, depends_on=[self.versioning]),
            )
        self.register_outputs({"id": self.id, "arn": self.arn})

    def restrict(self, *allowed: Statement) -> aws.s3.BucketPolicy:
        """Give the bucket its policy: what is allowed to services, and nothing over a connection that can be read.

        A step of its own, because what reads a bucket often has to know the bucket first.
        """
        everything = [self.arn, pulumi.Output.concat(self.arn, "/*")]
        refused = [
            Statement(
                sid=sid,
                effect="Deny",
                actions=["s3:*"],
                resources=everything,
                principals=ANYONE,
                conditions={operator: {key: value}},
            )
            for sid, operator, key, value in (
                ("RefusePlainHttp", "Bool", "aws:SecureTransport", "false"),
                ("RefuseOldTls", "NumericLessThan", "s3:TlsVersion", "1.2"),
            )
        ]
        return aws.s3.BucketPolicy(
            f"{self._name}-policy",
            bucket=self.id,
            policy=document(*refused, *allowed),
            region=self._region,
            # S3 answers 409 when both arrive at once.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[self._public_access_block]),
        )

    def _expire(self, args: PrivateBucketArgs) -> None:
        lifecycle = args.lifecycle
        rule: aws.s3.BucketLifecycleConfigurationRuleArgsDict = {
            "id": "everything",
            "status": "Enabled",
            "filter": {"prefix": ""},
            "abort_incomplete_multipart_upload": {"days_after_initiation": ABORT_UPLOADS_DAYS},
            "noncurrent_version_expiration": {
                "noncurrent_days": lifecycle.noncurrent_days,
                "newer_noncurrent_versions": NONCURRENT_KEPT,
            },
        }
        if lifecycle.intelligent_tiering_days is not None:
            rule["transitions"] = [{"days": lifecycle.intelligent_tiering_days, "storage_class": "INTELLIGENT_TIERING"}]
        if lifecycle.expire_days is not None:
            rule["expiration"] = {"days": lifecycle.expire_days}
        aws.s3.BucketLifecycleConfiguration(
            f"{self._name}-lifecycle",
            bucket=self.id,
            transition_default_minimum_object_size="all_storage_classes_128K",
            rules=[rule],
            region=args.region,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[self.versioning]),
        )
