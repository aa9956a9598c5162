"""Where do metrics go? A managed Prometheus workspace: a scraper fills it, rules watch it, its alert manager tells."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.cluster.cluster import Cluster
from infra.foundation import names
from infra.foundation.encryption import KeyClass, Keys
from infra.foundation.environment import Environment
from infra.network.network import Network
from infra.operations import watching
from infra.operations.notifications import Notifications
from infra.operations.shape import MetricsShape
from infra.operations.watching import Watching


@dataclass(frozen=True)
class MetricsArgs:
    """scrape: the scraper's configuration in Prometheus' own format."""

    environment: Environment
    shape: MetricsShape
    network: Network
    cluster: Cluster
    keys: Keys
    scrape: str
    watching: Watching
    notifications: Notifications


class Metrics(pulumi.ComponentResource):
    """The workspace: where to query."""

    workspace_id: pulumi.Output[str]
    arn: pulumi.Output[str]
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
        for area, rules in args.watching.rules.items():
            aws.amp.RuleGroupNamespace(f"{name}-{area}", name=area, workspace_id=workspace.id, data=rules, opts=child)
        aws.amp.AlertManagerDefinition(
            name,
            workspace_id=workspace.id,
            definition=watching.filled(
                args.watching.alerting,
                TOPIC_PAGE=args.notifications.page,
                TOPIC_TICKET=args.notifications.ticket,
                REGION=args.environment.region,
            ),
            opts=child,
        )
        self.workspace_id, self.arn, self.endpoint = workspace.id, workspace.arn, workspace.prometheus_endpoint
        self.register_outputs({"arn": self.arn})
