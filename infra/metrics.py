"""Where do metrics go? A managed Prometheus workspace, and a scraper that collects them from the cluster."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra import names
from infra.cluster import Cluster
from infra.encryption import KeyClass, Keys
from infra.environment import Environment
from infra.network import Network
from infra.shapes import MetricsShape


@dataclass(frozen=True)
class MetricsArgs:
    """scrape: the scraper's configuration in Prometheus' own format."""

    environment: Environment
    shape: MetricsShape
    network: Network
    cluster: Cluster
    keys: Keys
    scrape: str


class Metrics(pulumi.ComponentResource):
    """The workspace: where to query, and where to write rules."""

    workspace_id: pulumi.Output[str]
    endpoint: pulumi.Output[str]

    def __init__(self, name: str, args: MetricsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tecnocursos:infra:Metrics", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        logs = aws.cloudwatch.LogGroup(
            f"{name}-logs",
            name=f"/aws/vendedlogs/prometheus/{args.environment.prefix}",
            retention_in_days=args.environment.log_days,
            kms_key_id=args.keys[KeyClass.OPERATIONS].arn,
            opts=child,
        )
        workspace = aws.amp.Workspace(
            name,
            alias=args.environment.prefix,
            kms_key_arn=args.keys[KeyClass.OPERATIONS].arn,
            logging_configuration={"log_group_arn": pulumi.Output.concat(logs.arn, ":*")},
            opts=child,
        )
        aws.amp.WorkspaceConfiguration(
            name,
            workspace_id=workspace.id,
            retention_period_in_days=args.shape.retention_days,
            opts=child,
        )
        aws.amp.Scraper(
            name,
            alias=names.cluster(args.environment),
            source={
                "eks": {
                    "cluster_arn": args.cluster.arn,
                    "subnet_ids": args.network.private.subnet_ids,
                    "security_group_ids": [args.cluster.security_group_id],
                }
            },
            destination={"amp": {"workspace_arn": workspace.arn}},
            scrape_configuration=args.scrape,
            opts=child,
        )
        self.workspace_id, self.endpoint = workspace.id, workspace.prometheus_endpoint
        self.register_outputs({"workspaceId": self.workspace_id})
