"""Where do AWS services write their logs? One bucket per region, open to the delivery services of this account only."""

from dataclasses import dataclass

import pulumi

from infra.foundation import tags
from infra.foundation.bucket import Lifecycle, PrivateBucket, PrivateBucketArgs
from infra.foundation.environment import Environment
from infra.foundation.iam import Statement


@dataclass(frozen=True)
class LogStoreArgs:
    """region: None for the estate's own region."""

    environment: Environment
    region: str | None = None


class LogStore(pulumi.ComponentResource):
    """Flow logs, load balancer, distribution and bucket access logs."""

    id: pulumi.Output[str]
    arn: pulumi.Output[str]
    ready: pulumi.Resource  # the policy: what writes logs waits for it

    def __init__(self, name: str, args: LogStoreArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tecnocursos:infra:LogStore", name, None, opts)
        bucket = PrivateBucket(
            name,
            PrivateBucketArgs(
                environment=args.environment,
                purpose=name,
                lifecycle=Lifecycle(noncurrent_days=1, expire_days=args.environment.log_days),
                tags={**tags.data(tags.DataClass.INTERNAL)},
                key_arn=None,
                access_logs=None,
                region=args.region,
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.id, self.arn = bucket.id, bucket.arn
        self.ready = bucket.restrict(*writers(args.environment, bucket.arn, args.region or args.environment.region))
        self.register_outputs({"id": self.id})


def writers(environment: Environment, bucket_arn: pulumi.Input[str], region: str) -> list[Statement]:
    """The services that write, each only for resources of this account."""
    account = environment.account_id
    own = {"StringEquals": {"aws:SourceAccount": account}}
    objects = pulumi.Output.concat(bucket_arn, "/*")

    def of(service: str) -> dict[str, dict[str, str]]:
        return own | {"ArnLike": {"aws:SourceArn": f"arn:aws:{service}:{region}:{account}:*"}}

    return [
        Statement("FlowLogs", ["s3:PutObject"], [objects], {"Service": ["delivery.logs.amazonaws.com"]}, of("logs")),
        Statement(
            "FlowLogsCheck", ["s3:GetBucketAcl"], [bucket_arn], {"Service": ["delivery.logs.amazonaws.com"]}, of("logs")
        ),
        Statement(
            "LoadBalancer",
            ["s3:PutObject"],
            [objects],
            {"Service": ["logdelivery.elasticloadbalancing.amazonaws.com"]},
            {"ArnLike": {"aws:SourceArn": f"arn:aws:elasticloadbalancing:{region}:{account}:loadbalancer/*"}},
        ),
        Statement("BucketAccess", ["s3:PutObject"], [objects], {"Service": ["logging.s3.amazonaws.com"]}, own),
    ]
