"""What must hold for every resource: tags, region, protection of what cannot be made again?"""

from collections.abc import Mapping, Sequence
from typing import Any

from pack.catalogue import rule
from pack.resource import Finding, Findings, Resource
from pack.values import UNKNOWN, NotKnownYetError
from pack.vocabulary import must, one_of

PROVIDER = "pulumi:providers:aws"
# What holds data of its own, and so belongs to a class of data.
STORES = (
    "aws:rds/instance:Instance",
    "aws:rds/cluster:Cluster",
    "aws:elasticache/replicationGroup:ReplicationGroup",
    "aws:s3/bucket:Bucket",
    "aws:sqs/queue:Queue",
    "aws:backup/vault:Vault",
    "aws:kms/key:Key",
    "aws:kms/replicaKey:ReplicaKey",
    "aws:secretsmanager/secret:Secret",
    "aws:dynamodb/table:Table",
    "aws:efs/fileSystem:FileSystem",
)
# What cannot be made again as it was once it is deleted. A cache or queue is filled anew.
STATEFUL = (
    "aws:rds/instance:Instance",
    "aws:rds/cluster:Cluster",
    "aws:s3/bucket:Bucket",
    "aws:kms/key:Key",
    "aws:kms/replicaKey:ReplicaKey",
    "aws:eks/cluster:Cluster",
    "aws:backup/vault:Vault",
    "aws:dynamodb/table:Table",
    "aws:efs/fileSystem:FileSystem",
)
# Properties that the rules of this pack depend on: what is not compared with the program can drift unseen.
GUARDED = (
    "policy",
    "storageEncrypted",
    "kmsKeyId",
    "publiclyAccessible",
    "deletionProtection",
    "backupRetentionPeriod",
    "enableKeyRotation",
    "vpcConfig",
    "encryptionConfig",
    "accessConfig",
    "enabledClusterLogTypes",
    "forceDestroy",
    "tags",
)
REQUIRED_TAGS = ("project", "environment", "owner", "cost-centre", "managed-by")
DATA_TAGS = ("data-class", "backup")
REGIONS = ("us-east-1", "us-west-2")


@rule(PROVIDER, *STORES)
def required_tags(
    resource: Resource,
    *,
    tags: Sequence[str] = REQUIRED_TAGS,
    data_tags: Sequence[str] = DATA_TAGS,
    regions: Sequence[str] = REGIONS,
) -> Findings:
    """Everything says whose it is, data says of which class it is, and nothing leaves the agreed regions."""
    present: Mapping[str, Any] = resource.tags
    wanted = tags if resource.type == PROVIDER else (*tags, *data_tags)
    if any(present.get(tag) is UNKNOWN for tag in wanted):
        raise NotKnownYetError("tags")
    missing = [tag for tag in wanted if not present.get(tag)]
    if missing:
        yield Finding("tags", f"tags must have {', '.join(missing)}")
    if resource.type == PROVIDER or resource.get("region") is not None:
        yield from must(resource, "region", one_of(*regions))


@rule(*STATEFUL)
def protect_stateful(resource: Resource) -> Findings:
    """What cannot be made again is protected, and its security settings are compared with the program."""
    if not resource.protect:
        yield Finding("", "the resource must have the option protect=True")
    for ignored in resource.ignore_changes:
        if ignored.partition(".")[0].partition("[")[0] in GUARDED:
            yield Finding(ignored, f"changes of {ignored} must not be ignored")
