"""What is the network? A VPC over fixed zones in three tiers, where the data tier has no way out."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.foundation import tags
from infra.foundation.environment import Environment
from infra.foundation.log_store import LogStore
from infra.network import addresses
from infra.network.shape import NetworkShape

ANYWHERE = "0.0.0.0/0"
EPHEMERAL_PORTS = (1024, 65535)
DATABASE_PORT = 3306
CACHE_PORT = 6379
FLOW_LOG_FORMAT = (
    "${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} ${packets}"
    " ${bytes} ${start} ${end} ${action} ${log-status} ${vpc-id} ${subnet-id} ${az-id} ${pkt-srcaddr} ${pkt-dstaddr}"
    " ${flow-direction} ${traffic-path}"
)


@dataclass(frozen=True)
class NetworkArgs:
    """What the network needs to know."""

    environment: Environment
    shape: NetworkShape
    logs: LogStore


@dataclass(frozen=True)
class Tier:
    """One subnet and one route table per zone slot."""

    subnets: Mapping[int, aws.ec2.Subnet]
    tables: Mapping[int, aws.ec2.RouteTable]

    @property
    def subnet_ids(self) -> list[pulumi.Output[str]]:
        """The subnets' ids in the order of their slots."""
        return [self.subnets[slot].id for slot in sorted(self.subnets)]


class Network(pulumi.ComponentResource):
    """The VPC; tiers: public (NAT only), private (nodes, pods, load balancer), data (no way out)."""

    vpc_id: pulumi.Output[str]
    cidr: str
    public: Tier
    private: Tier
    data: Tier
    internet_gateway: aws.ec2.InternetGateway
    nat_gateways: Mapping[int, aws.ec2.NatGateway]

    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tecnocursos:infra:Network", name, None, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        self.cidr = str(args.shape.cidr)
        vpc = aws.ec2.Vpc(
            name,
            cidr_block=self.cidr,
            enable_dns_hostnames=True,
            enable_dns_support=True,
            enable_network_address_usage_metrics=True,
            tags=tags.named(args.environment.prefix),
            opts=self._child,
        )
        self.vpc_id = vpc.id
        # What lands in the default group by mistake can talk to nobody.
        aws.ec2.DefaultSecurityGroup(
            f"{name}-default-group",
            vpc_id=vpc.id,
            ingress=[],
            egress=[],
            tags=tags.named(f"{name}-default-closed"),
            opts=self._child,
        )
        self.internet_gateway = aws.ec2.InternetGateway(
            f"{name}-internet", vpc_id=vpc.id, tags=tags.named(f"{name}-internet"), opts=self._child
        )
        slots = [zone.slot for zone in args.shape.zones]
        blocks = addresses.plan(args.shape.cidr, slots)
        self.public = self._tier("public", {slot: str(blocks[slot].public) for slot in slots}, shared=True)
        self.private = self._tier("private", {slot: str(blocks[slot].private) for slot in slots}, shared=False)
        self.data = self._tier("data", {slot: str(blocks[slot].data) for slot in slots}, shared=True)
        self._ways_out()
        self._guard_data(addresses.tiers(args.shape.cidr))
        aws.ec2.FlowLog(
            f"{name}-flow-log",
            vpc_id=vpc.id,
            traffic_type=args.shape.flow_log_traffic,
            log_destination_type="s3",
            log_destination=args.logs.arn.apply(lambda arn: f"{arn}/flow/"),
            log_format=FLOW_LOG_FORMAT,
            max_aggregation_interval=60,
            destination_options={
                "file_format": "parquet",
                "hive_compatible_partitions": True,
                "per_hour_partition": True,
            },
            tags=tags.named(f"{name}-flow-log"),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[args.logs.ready]),
        )
        self.register_outputs({"vpcId": self.vpc_id})

    def _tier(self, tier: str, blocks: Mapping[int, str], *, shared: bool) -> Tier:
        """Subnets with their route tables: one table for the whole tier, or one per zone."""
        name = f"{self._name}-{tier}"
        zones = {zone.slot: zone.zone_id for zone in self._args.shape.zones}
        role = {"kubernetes.io/role/internal-elb": "1"} if tier == "private" else {}
        subnets = {
            slot: aws.ec2.Subnet(
                f"{name}-{slot}",
                vpc_id=self.vpc_id,
                cidr_block=block,
                availability_zone_id=zones[slot],
                map_public_ip_on_launch=False,
                private_dns_hostname_type_on_launch="resource-name",
                tags={"Name": f"{name}-{zones[slot]}", "tier": tier, **role},
                opts=self._child,
            )
            for slot, block in blocks.items()
        }

        def table(label: str) -> aws.ec2.RouteTable:
            return aws.ec2.RouteTable(label, vpc_id=self.vpc_id, tags={"Name": label, "tier": tier}, opts=self._child)

        common = table(name) if shared else None
        tables = {slot: common or table(f"{name}-{slot}") for slot in blocks}
        for slot, subnet in subnets.items():
            aws.ec2.RouteTableAssociation(
                f"{name}-{slot}", subnet_id=subnet.id, route_table_id=tables[slot].id, opts=self._child
            )
        return Tier(subnets, tables)

    def _ways_out(self) -> None:
        """Public to the internet gateway, private to a NAT gateway, data nowhere."""
        slots = sorted(self.public.subnets)
        aws.ec2.Route(
            f"{self._name}-public-out",
            route_table_id=self.public.tables[slots[0]].id,
            destination_cidr_block=ANYWHERE,
            gateway_id=self.internet_gateway.id,
            opts=self._child,
        )
        gateways = {slot: self._nat(slot) for slot in (slots if self._args.shape.nat == "per-zone" else slots[:1])}
        self.nat_gateways = gateways
        for slot in slots:
            aws.ec2.Route(
                f"{self._name}-private-{slot}-out",
                route_table_id=self.private.tables[slot].id,
                destination_cidr_block=ANYWHERE,
                nat_gateway_id=gateways.get(slot, gateways[slots[0]]).id,
                opts=self._child,
            )

    def _nat(self, slot: int) -> aws.ec2.NatGateway:
        name = f"{self._name}-nat-{slot}"
        address = aws.ec2.Eip(name, domain="vpc", tags=tags.named(name), opts=self._child)
        return aws.ec2.NatGateway(
            name,
            subnet_id=self.public.subnets[slot].id,
            allocation_id=address.id,
            tags=tags.named(name),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[self.internet_gateway]),
        )

    def _guard_data(self, tiers: addresses.Blocks) -> None:
        """A coarse second line behind the security groups: the data tier hears only the tiers that use it.

        The other tiers keep AWS's open default: what comes back through NAT may use any port from 1024 on.
        """
        name = f"{self._name}-data-acl"
        acl = aws.ec2.NetworkAcl(
            name, vpc_id=self.vpc_id, subnet_ids=self.data.subnet_ids, tags=tags.named(name), opts=self._child
        )
        private, data = str(tiers.private), str(tiers.data)
        database, cache = (DATABASE_PORT, DATABASE_PORT), (CACHE_PORT, CACHE_PORT)
        # Proxy to database and cache to its replicas: both directions inside the tier.
        flows = {
            "from-private-database": (private, database),
            "from-private-cache": (private, cache),
            "from-data-database": (data, database),
            "from-data-cache": (data, cache),
            "from-data-replies": (data, EPHEMERAL_PORTS),
            "to-private-replies": (private, EPHEMERAL_PORTS),
            "to-data-database": (data, database),
            "to-data-cache": (data, cache),
            "to-data-replies": (data, EPHEMERAL_PORTS),
        }
        for number, (label, (block, (first, last))) in enumerate(flows.items(), start=1):
            aws.ec2.NetworkAclRule(
                f"{name}-{label}",
                network_acl_id=acl.id,
                rule_number=number * 10,
                egress=label.startswith("to-"),
                protocol="tcp",
                rule_action="allow",
                cidr_block=block,
                from_port=first,
                to_port=last,
                opts=self._child,
            )
