"""Which AWS services are reached without leaving the VPC? S3 always, others through interfaces as configured."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.foundation import security_groups, tags
from infra.foundation.environment import Environment
from infra.foundation.iam import ANYONE, Statement, document
from infra.foundation.security_groups import Rule
from infra.network.network import Network


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
        aws.ec2.VpcEndpoint(
            f"{name}-s3",
            vpc_id=args.network.vpc_id,
            service_name=f"com.amazonaws.{args.environment.region}.s3",
            vpc_endpoint_type="Gateway",
            route_table_ids=[table.id for table in args.network.private.tables.values()],
            policy=document(*storage(args.environment)),
            tags=tags.named(f"{name}-s3"),
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


def storage(environment: Environment) -> list[Statement]:
    """S3 for callers of this account, and for everybody the layers of the images that the registry serves."""
    own = {"StringEquals": {"aws:PrincipalAccount": environment.account_id}}
    layers = f"arn:aws:s3:::prod-{environment.region}-starport-layer-bucket/*"
    return [
        Statement("OwnAccount", ["s3:*"], ["*"], ANYONE, own),
        Statement("RegistryLayers", ["s3:GetObject"], [layers], ANYONE),
    ]
