"""Which AWS services are reached without leaving the VPC? Gateway endpoints always, interfaces as configured."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra import security_groups, tags
from infra.environment import Environment
from infra.network import Network
from infra.security_groups import Rule

GATEWAYS = ("s3", "dynamodb")


@dataclass(frozen=True)
class EndpointsArgs:
    """services: the interface endpoints, as the part of the service name after the region."""

    environment: Environment
    network: Network
    services: Sequence[str]


class Endpoints(pulumi.ComponentResource):
    """Private ways to AWS: less NAT traffic, and none of it on the internet."""

    def __init__(self, name: str, args: EndpointsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tecnocursos:infra:Endpoints", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        region, network = args.environment.region, args.network
        for service in GATEWAYS:
            aws.ec2.VpcEndpoint(
                f"{name}-{service}",
                vpc_id=network.vpc_id,
                service_name=f"com.amazonaws.{region}.{service}",
                vpc_endpoint_type="Gateway",
                route_table_ids=[table.id for table in network.private.tables.values()],
                policy=_own_account_only(args.environment, service),
                tags=tags.named(f"{name}-{service}"),
                opts=child,
            )
        if args.services:
            self._interfaces(name, args, child)
        self.register_outputs({})

    def _interfaces(self, name: str, args: EndpointsArgs, child: pulumi.ResourceOptions) -> None:
        network = args.network
        group = security_groups.create(name, network.vpc_id, "AWS services through interface endpoints", child)
        security_groups.seal(
            name, group, child, ingress=[Rule("network", "HTTPS from the whole VPC", 443, cidr=network.cidr)]
        )
        for service in args.services:
            aws.ec2.VpcEndpoint(
                f"{name}-{service.replace('.', '-')}",
                vpc_id=network.vpc_id,
                service_name=f"com.amazonaws.{args.environment.region}.{service}",
                vpc_endpoint_type="Interface",
                subnet_ids=network.private.subnet_ids,
                security_group_ids=[group.id],
                private_dns_enabled=True,
                tags=tags.named(f"{name}-{service}"),
                opts=child,
            )


def _own_account_only(environment: Environment, service: str) -> str:
    """Callers of this account only; S3 also serves the layers of public registry images to anyone."""
    statements = [
        {
            "Sid": "OwnAccount",
            "Effect": "Allow",
            "Principal": "*",
            "Action": f"{service}:*",
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:PrincipalAccount": environment.account_id}},
        }
    ]
    if service == "s3":
        statements.append(
            {
                "Sid": "RegistryLayers",
                "Effect": "Allow",
                "Principal": "*",
                "Action": "s3:GetObject",
                "Resource": f"arn:aws:s3:::prod-{environment.region}-starport-layer-bucket/*",
                "Condition": {},
            }
        )
    return json.dumps({"Version": "2012-10-17", "Statement": statements})
