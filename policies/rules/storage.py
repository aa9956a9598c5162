"""What must hold for S3 buckets?"""

from pack.catalogue import rule
from pack.documents import statements
from pack.resource import Finding, Findings, Resource, Stack
from pack.vocabulary import FALSE, GIVEN, TRUE, must, no, one_of

BUCKET = "aws:s3/bucket:Bucket"
PUBLIC_BLOCK = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
POLICY = "aws:s3/bucketPolicy:BucketPolicy"
ACL = "aws:s3/bucketAcl:BucketAcl"
ENCRYPTION = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
VERSIONING = "aws:s3/bucketVersioning:BucketVersioning"
LOGGING = "aws:s3/bucketLogging:BucketLogging"
LIFECYCLE = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
PUBLIC_ACLS = ("public-read", "public-read-write", "authenticated-read", "website")
SWITCHES = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")


@rule(BUCKET, reads=[PUBLIC_BLOCK])
def s3_public_access_block(bucket: Resource, stack: Stack) -> Findings:
    """Every bucket has a public access block with all four switches on."""
    blocks = list(stack.linked(PUBLIC_BLOCK, "bucket", bucket))
    if not blocks:
        yield Finding("", "the bucket has no public access block")
    for block in blocks:
        for switch in SWITCHES:
            yield from must(block, switch, TRUE)


@rule(BUCKET, reads=[POLICY])
def s3_tls_only(bucket: Resource, stack: Stack) -> Findings:
    """Every bucket refuses requests that do not come over TLS."""
    policies = list(stack.linked(POLICY, "bucket", bucket))
    refusing = any(
        not statement.allows
        and statement.anyone
        and statement.covers("s3:GetObject")
        and statement.covers("s3:PutObject")
        and statement.conditions.get("Bool", {}).get("aws:securetransport") == ("false",)
        for policy in policies
        for statement in statements(policy, "policy")
    )
    if not refusing:
        blamed = policies[0].urn if policies else bucket.urn
        yield Finding("policy", "the bucket's policy must deny every request without aws:SecureTransport", blamed)


@rule(BUCKET, reads=[ENCRYPTION])
def s3_sse_kms(bucket: Resource, stack: Stack) -> Findings:
    """Every bucket encrypts with a KMS key of ours, through a bucket key."""
    configurations = list(stack.linked(ENCRYPTION, "bucket", bucket))
    if not configurations:
        yield Finding("", "the bucket has no encryption configuration")
    for found in configurations:
        for place, _ in found.each("rules[*]"):
            default = f"{place}.applyServerSideEncryptionByDefault"
            yield from must(found, f"{default}.sseAlgorithm", one_of("aws:kms", "aws:kms:dsse"))
            if str(found.get(f"{default}.sseAlgorithm")).startswith("aws:kms"):
                yield from must(found, f"{default}.kmsMasterKeyId", GIVEN)
                yield from must(found, f"{place}.bucketKeyEnabled", TRUE)


@rule(BUCKET, reads=[VERSIONING])
def s3_versioning(bucket: Resource, stack: Stack) -> Findings:
    """Every bucket keeps the versions of its objects."""
    found = list(stack.linked(VERSIONING, "bucket", bucket))
    if not found:
        yield Finding("", "the bucket has no versioning")
    for versioning in found:
        yield from must(versioning, "versioningConfiguration.status", one_of("Enabled"))


@rule(BUCKET, reads=[LOGGING])
def s3_access_logging(bucket: Resource, stack: Stack) -> Findings:
    """Every bucket records who reads and writes it, except the buckets that hold such records."""
    holds_records = any(stack.linked(LOGGING, "targetBucket", bucket))
    if not holds_records and not any(stack.linked(LOGGING, "bucket", bucket)):
        yield Finding("", "the bucket has no access log")


@rule(BUCKET, ACL, POLICY)
def s3_no_public_acl_policy(resource: Resource) -> Findings:
    """No ACL and no policy gives a bucket to everybody."""
    yield from must(resource, "acl", no(one_of(*PUBLIC_ACLS)))
    for statement in statements(resource, "policy"):
        if statement.allows and statement.anyone and not statement.conditions:
            yield Finding(statement.path, f"{statement.path} allows everybody without a condition")


@rule(BUCKET, reads=[LIFECYCLE])
def s3_lifecycle(bucket: Resource, stack: Stack, *, force_destroy_allowed: bool = False) -> Findings:
    """Every bucket cleans up after abandoned uploads, and is not deleted together with its objects."""
    configurations = list(stack.linked(LIFECYCLE, "bucket", bucket))
    aborting = any(
        value is not None
        for found in configurations
        for _, value in found.known("rules[*].abortIncompleteMultipartUpload.daysAfterInitiation")
    )
    if not aborting:
        blamed = configurations[0].urn if configurations else bucket.urn
        yield Finding("rules", "a lifecycle rule must abort incomplete uploads", blamed)
    if not force_destroy_allowed:
        yield from must(bucket, "forceDestroy", FALSE, default=False)
