"""What must hold for S3 buckets?"""

from pack.catalogue import rule
from pack.resource import Finding, Findings, Stack
from pack.vocabulary import TRUE, must

BUCKET = "aws:s3/bucket:Bucket"


@rule()
def s3_public_access_block(stack: Stack) -> Findings:
    """Every bucket has a public access block with all four switches on."""
    blocks = list(stack.of("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"))
    for bucket in stack.of(BUCKET):
        mine = list(stack.linked(blocks, "bucket", bucket))
        if not mine:
            yield Finding("", "the bucket has no public access block", bucket.urn)
        for block in mine:
            for switch in ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"):
                yield from must(block, switch, TRUE)
