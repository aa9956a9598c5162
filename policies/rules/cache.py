"""What must hold for ElastiCache?"""

from pack.catalogue import rule
from pack.resource import Finding, Findings, Resource
from pack.vocabulary import FALSE, GIVEN, TRUE, at_least, must, number, one_of

REPLICATION_GROUP = "aws:elasticache/replicationGroup:ReplicationGroup"
USER = "aws:elasticache/user:User"


@rule(REPLICATION_GROUP)
def cache_encrypted_at_rest(cache: Resource) -> Findings:
    """The cache's disks and snapshots are encrypted with a KMS key of ours."""
    yield from must(cache, "atRestEncryptionEnabled", TRUE)
    yield from must(cache, "kmsKeyId", GIVEN)


@rule(REPLICATION_GROUP)
def cache_tls(cache: Resource) -> Findings:
    """The cache speaks TLS and nothing else."""
    yield from must(cache, "transitEncryptionEnabled", TRUE)
    yield from must(cache, "transitEncryptionMode", one_of("required"))


@rule(REPLICATION_GROUP, USER)
def cache_auth(cache: Resource) -> Findings:
    """The cache knows its users, and each of them proves who it is."""
    if cache.type == USER:
        yield from must(cache, "authenticationMode.type", one_of("iam", "password"))
        yield from must(cache, "noPasswordRequired", FALSE, default=False)
        return
    ways = [next(cache.each(path), ("", None))[1] for path in ("userGroupIds", "authToken", "authTokenWo")]
    if not any(GIVEN.holds(value) for value in ways):
        yield Finding("userGroupIds", "userGroupIds or an authentication token must be set")


@rule(REPLICATION_GROUP)
def cache_multi_az_failover(cache: Resource) -> Findings:
    """The cache survives the loss of a zone."""
    yield from must(cache, "multiAzEnabled", TRUE)
    yield from must(cache, "automaticFailoverEnabled", TRUE)
    if not (number(cache.get("replicasPerNodeGroup")) or 0) >= 1:
        yield from must(cache, "numCacheClusters", at_least(2))


@rule(REPLICATION_GROUP)
def cache_snapshots(cache: Resource, *, retention_days: int = 7) -> Findings:
    """Snapshots of the cache are kept."""
    yield from must(cache, "snapshotRetentionLimit", at_least(retention_days))
