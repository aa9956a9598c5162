"""How do requests reach the pods? An internal load balancer that only CloudFront can talk to.

This program owns it: pods join through a TargetGroupBinding, so nothing is left behind when the cluster goes, and the
policies see it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.foundation import names, protection, security_groups
from infra.foundation.environment import Environment
from infra.foundation.log_store import LogStore
from infra.foundation.security_groups import Rule
from infra.network.network import Network
from infra.workload import leaving
from infra.workload.shape import Colour

APPLICATION_PORT = 8000
IDLE_SECONDS = 60  # the service keeps connections for 75 s and pings WebSockets every 20 s: the balancer closes first
TLS_POLICY = "ELBSecurityPolicy-TLS13-1-2-Res-2021-06"


@dataclass(frozen=True)
class LoadBalancerArgs:
    """cluster_group: the cluster's security group. weights: share of traffic of each colour that is deployed."""

    environment: Environment
    network: Network
    logs: LogStore
    certificate_arn: pulumi.Input[str]
    cloudfront_prefix_list: str
    cluster_group: pulumi.Input[str]
    weights: Mapping[Colour, int]


class LoadBalancer(pulumi.ComponentResource):
    """The balancer; one target group per colour of the service."""

    arn: pulumi.Output[str]
    dns_name: pulumi.Output[str]
    metric_name: pulumi.Output[str]
    listener: aws.lb.Listener
    target_groups: Mapping[Colour, aws.lb.TargetGroup]

    def __init__(self, name: str, args: LoadBalancerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tecnocursos:infra:LoadBalancer", name, None, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        balancer = aws.lb.LoadBalancer(
            name,
            name=names.resource(args.environment, "api"),
            internal=True,
            load_balancer_type="application",
            subnets=args.network.private.subnet_ids,
            security_groups=[self._group().id],
            idle_timeout=IDLE_SECONDS,
            drop_invalid_header_fields=True,
            desync_mitigation_mode="strictest",
            enable_http2=True,
            enable_zonal_shift=True,
            enable_deletion_protection=protection.deletion_protection(args.environment),
            access_logs={"enabled": True, "bucket": args.logs.id, "prefix": "load-balancer"},
            opts=pulumi.ResourceOptions(parent=self, depends_on=[args.logs.ready]),
        )
        self.arn, self.dns_name, self.metric_name = balancer.arn, balancer.dns_name, balancer.arn_suffix
        self.target_groups = {colour: self._targets(colour) for colour in sorted(args.weights)}
        self.listener = aws.lb.Listener(
            f"{name}-https",
            load_balancer_arn=balancer.arn,
            port=443,
            protocol="HTTPS",
            ssl_policy=TLS_POLICY,
            certificate_arn=args.certificate_arn,
            default_actions=[
                {
                    "type": "forward",
                    "forward": {
                        "target_groups": [
                            {"arn": group.arn, "weight": args.weights[colour]}
                            for colour, group in self.target_groups.items()
                        ]
                    },
                }
            ],
            opts=self._child,
        )
        self.register_outputs({"arn": self.arn})

    def _group(self) -> aws.ec2.SecurityGroup:
        """CloudFront to balancer, balancer to pods."""
        name, args = self._name, self._args
        group = security_groups.create(name, args.network.vpc_id, "The load balancer of the service", self._child)
        security_groups.seal(
            name,
            group,
            self._child,
            ingress=[Rule("cloudfront", "HTTPS from CloudFront", 443, prefix_list=args.cloudfront_prefix_list)],
            egress=[Rule("pods", "HTTP to the service's pods", APPLICATION_PORT, group=args.cluster_group)],
        )
        # The cluster's group is EKS's own: only this rule is ours.
        aws.vpc.SecurityGroupIngressRule(
            f"{name}-into-cluster",
            security_group_id=args.cluster_group,
            description="HTTP from the load balancer to the service's pods",
            ip_protocol="tcp",
            from_port=APPLICATION_PORT,
            to_port=APPLICATION_PORT,
            referenced_security_group_id=group.id,
            opts=self._child,
        )
        return group

    def _targets(self, colour: Colour) -> aws.lb.TargetGroup:
        environment = self._args.environment
        return aws.lb.TargetGroup(
            f"{self._name}-{colour}",
            name=names.resource(environment, colour),
            target_type="ip",
            protocol="HTTP",
            port=APPLICATION_PORT,
            vpc_id=self._args.network.vpc_id,
            deregistration_delay=leaving.DEREGISTRATION_SECONDS,
            load_balancing_algorithm_type="least_outstanding_requests",
            health_check={
                "path": "/readyz",
                "protocol": "HTTP",
                "matcher": "200",
                "interval": 5,
                "timeout": 3,
                "healthy_threshold": 2,
                "unhealthy_threshold": 2,
            },
            # Auto Mode's role may register targets only in groups that carry its cluster's name.
            tags={"eks:eks-cluster-name": names.cluster(environment), "colour": colour},
            opts=self._child,
        )
