"""What does S3 refuse? Settings of a bucket that another setting of the same bucket, or of its partner, forbids."""

from collections.abc import Iterator

from rehearsal.answers import Refused
from rehearsal.aws.account.documents import statements
from rehearsal.aws.account.request import Request, Rule, every
from rehearsal.values import Value
from rehearsal.world import Row

_BUCKET = "aws:s3/bucket:Bucket"
_VERSIONING = "aws:s3/bucketVersioning:BucketVersioning"
_REPLICATION = "aws:s3/bucketReplicationConfig:BucketReplicationConfig"
_BLOCK = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
_OWNERSHIP = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"


def replication_needs_versions(request: Request) -> Refused | None:
    """Replication from, or to, a bucket of this world without versioning."""
    source = request.inputs.get("bucket")
    if _is_versioned(request, source) is False:
        says = f"Versioning must be 'Enabled' on the bucket to apply a replication configuration: {source}"
        return Refused("InvalidRequest", says, "bucket")
    for arn in request.every("rules.destination.bucket"):
        if _is_versioned(request, str(arn).rpartition(":")[2]) is False:
            return Refused("InvalidRequest", f"Destination bucket must have versioning enabled: {arn}", "rules")
    return None


def lock_needs_versions(request: Request) -> Refused | None:
    """Object lock on a bucket of this world without versioning."""
    bucket = request.inputs.get("bucket")
    row = _bucket(request, bucket)
    if _is_versioned(request, bucket) is False and row is not None and not row.outputs.get("objectLockEnabled"):
        says = f"Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration: {bucket}"
        return Refused("InvalidBucketState", says, "bucket")
    return None


def versions_are_needed(request: Request) -> Refused | None:
    """Versioning suspended while replication needs it."""
    bucket = request.inputs.get("bucket")
    suspended = "Enabled" not in request.every("versioningConfiguration.status")
    if suspended and any(one.outputs.get("bucket") == bucket for one in request.inventory.rows(_REPLICATION)):
        says = f"A replication configuration is present, so the versioning state cannot be changed: {bucket}"
        return Refused("InvalidBucketState", says, "versioningConfiguration")
    return None


def lists_are_off(request: Request) -> Refused | None:
    """Access control lists on a bucket whose owner owns everything."""
    bucket = request.inputs.get("bucket")
    controls = request.inventory.rows(_OWNERSHIP, bucket=bucket)
    if any("BucketOwnerEnforced" in every(one.outputs, "rule.objectOwnership") for one in controls):
        return Refused("AccessControlListNotSupported", f"The bucket does not allow ACLs: {bucket}", "acl")
    return None


def policy_is_for_another_bucket(request: Request) -> Refused | None:
    """A bucket policy whose resources are not of this bucket."""
    bucket = request.inputs.get("bucket")
    for statement in statements(request.inputs.get("policy")):
        for resource in _texts(statement.get("Resource")):
            name = resource.rpartition(":")[2].partition("/")[0]
            if isinstance(bucket, str) and name != bucket and not any(sign in name for sign in "*?$"):
                return Refused(
                    "MalformedPolicy", f"Policy has invalid resource: {resource} is not of {bucket}", "policy"
                )
    return None


def policy_is_public(request: Request) -> Refused | None:
    """A policy for everybody on a bucket that blocks public policies."""
    blocks = request.inventory.rows(_BLOCK, bucket=request.inputs.get("bucket"))
    if not any(one.outputs.get("blockPublicPolicy") for one in blocks):
        return None
    for statement in statements(request.inputs.get("policy")):
        principals = statement.get("Principal")
        everybody = principals == "*" or (isinstance(principals, dict) and "*" in _texts(principals.get("AWS")))
        if everybody and statement.get("Effect") == "Allow" and not statement.get("Condition"):
            says = (
                "Access denied because public policies are blocked by the BlockPublicPolicy block public access setting"
            )
            return Refused("AccessDenied", says, "policy")
    return None


def log_bucket_is_elsewhere(request: Request) -> Refused | None:
    """Access logs into a bucket of another region."""
    buckets = [_bucket(request, request.inputs.get(name)) for name in ("bucket", "targetBucket")]
    regions = [row.region for row in buckets if row is not None]
    if len(set(regions)) > 1:
        says = f"Cross S3 location logging not allowed: {regions[0]} to {regions[1]}"
        return Refused("CrossLocationLoggingProhibitted", says, "targetBucket")  # the service spells it so
    return None


def _bucket(request: Request, name: Value) -> Row | None:
    rows = request.inventory.rows(_BUCKET, bucket=name) if isinstance(name, str) else []
    return rows[0] if rows else None


def _is_versioned(request: Request, bucket: Value) -> bool | None:
    """Whether a bucket keeps versions; None where the world does not know it."""
    row = _bucket(request, bucket)
    if row is None:
        return None
    settings = request.inventory.rows(_VERSIONING, bucket=bucket)
    enabled = any("Enabled" in every(one.outputs, "versioningConfiguration.status") for one in settings)
    return enabled or True in every(row.outputs, "versioning.enabled") or bool(row.outputs.get("objectLockEnabled"))


def _texts(value: Value) -> Iterator[str]:
    return (one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str))


CHANGE: dict[str, tuple[Rule, ...]] = {
    _REPLICATION: (replication_needs_versions,),
    _VERSIONING: (versions_are_needed,),
    "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration": (lock_needs_versions,),
    "aws:s3/bucketAcl:BucketAcl": (lists_are_off,),
    "aws:s3/bucketPolicy:BucketPolicy": (policy_is_for_another_bucket, policy_is_public),
    "aws:s3/bucketLogging:BucketLogging": (log_bucket_is_elsewhere,),
}
DELETION: dict[str, tuple[Rule, ...]] = {}
