"""Who may read media? The distribution what is published, and the service the rest through its roles.

Apart from the buckets and their key, because the distribution has to know the buckets before they can name it.
"""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.cluster.permissions import PUBLISHED
from infra.data.media import Media
from infra.foundation.encryption import KeyClass, Keys, statements
from infra.foundation.environment import Environment
from infra.foundation.iam import Statement, document

CLOUDFRONT = "cloudfront.amazonaws.com"


@dataclass(frozen=True)
class MediaAccessArgs:
    """What the policies need to know."""

    environment: Environment
    media: Media
    keys: Keys
    distribution_arn: pulumi.Input[str]


class MediaAccess(pulumi.ComponentResource):
    """The policies of the media buckets and of the key that encrypts them."""

    def __init__(self, name: str, args: MediaAccessArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tecnocursos:infra:MediaAccess", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        only = {"StringEquals": {"aws:SourceArn": args.distribution_arn}}
        for bucket in filter(None, (args.media.bucket, args.media.copy)):
            objects = pulumi.Output.concat(bucket.arn, f"/{PUBLISHED}/*")
            bucket.restrict(Statement("Distribution", ["s3:GetObject"], [objects], {"Service": [CLOUDFRONT]}, only))
        decrypt = Statement("Distribution", ["kms:Decrypt"], ["*"], {"Service": [CLOUDFRONT]}, only)
        policy = document(*statements(args.environment, KeyClass.MEDIA), decrypt)
        aws.kms.KeyPolicy(f"{name}-key", key_id=args.keys[KeyClass.MEDIA].id, policy=policy, opts=child)
        aws.kms.KeyPolicy(
            f"{name}-key-replica",
            key_id=args.keys[KeyClass.MEDIA].replica_id,
            policy=policy,
            region=args.environment.recovery_region,
            opts=child,
        )
        self.register_outputs({})
