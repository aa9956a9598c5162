"""Where does CloudFront write its access log? To the log bucket, by standard logging version 2."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.foundation import names
from infra.foundation.environment import Environment
from infra.foundation.log_store import LogStore
from infra.front_door.domain import CLOUDFRONT_REGION


@dataclass(frozen=True)
class EdgeLogsArgs:
    """What the delivery needs to know."""

    environment: Environment
    distribution_arn: pulumi.Input[str]
    logs: LogStore


class EdgeLogs(pulumi.ComponentResource):
    """Version 1 needs bucket ACLs, which the log bucket forbids."""

    def __init__(self, name: str, args: EdgeLogsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tecnocursos:infra:EdgeLogs", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        label = names.resource(args.environment, "edge")
        source = aws.cloudwatch.LogDeliverySource(
            name,
            name=label,
            log_type="ACCESS_LOGS",
            resource_arn=args.distribution_arn,
            region=CLOUDFRONT_REGION,
            opts=child,
        )
        destination = aws.cloudwatch.LogDeliveryDestination(
            name,
            name=label,
            output_format="parquet",
            delivery_destination_configuration={"destination_resource_arn": args.logs.arn},
            region=CLOUDFRONT_REGION,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[args.logs.ready]),
        )
        aws.cloudwatch.LogDelivery(
            name,
            delivery_source_name=source.name,
            delivery_destination_arn=destination.arn,
            region=CLOUDFRONT_REGION,
            opts=child,
        )
        self.register_outputs({})
