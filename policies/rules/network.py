"""What must hold for VPCs, subnets, security groups and access lists?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any

from pack.catalogue import rule
from pack.resource import Finding, Findings, Resource, Stack
from pack.vocabulary import ABSENT, FALSE, GIVEN, must, number

VPC = "aws:ec2/vpc:Vpc"
SUBNET = "aws:ec2/subnet:Subnet"
GROUP = "aws:ec2/securityGroup:SecurityGroup"
GROUP_RULE = "aws:ec2/securityGroupRule:SecurityGroupRule"
INGRESS_RULE = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
EGRESS_RULE = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
ACL_RULE = "aws:ec2/networkAclRule:NetworkAclRule"
FLOW_LOG = "aws:ec2/flowLog:FlowLog"
DEFAULT_GROUP = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
NAT = "aws:ec2/natGateway:NatGateway"
BALANCER = "aws:lb/loadBalancer:LoadBalancer"
ADMIN_PORTS = (22, 3389)
DATA_PORTS = (1433, 1521, 3306, 5432, 6379, 6380, 9200, 11211, 27017)
WEB_PORTS = (80, 443)
ALL_PROTOCOLS = ("-1", "all")
_WORLD_PREFIX = 7  # a range this wide is the internet, however it is cut


def is_world(cidr: Any) -> bool:
    """Whether a range holds so much of the internet that it protects nothing."""
    try:
        return ip_network(str(cidr), strict=False).prefixlen <= _WORLD_PREFIX
    except ValueError:
        return False


@dataclass(frozen=True)
class Opening:
    """Traffic let in or out: `path` of the range, the range, first and last port (all of them for every protocol)."""

    path: str
    cidr: Any
    first: float
    last: float

    def includes(self, ports: Sequence[int]) -> bool:
        """Whether one of these ports is inside."""
        return any(self.first <= port <= self.last for port in ports)


def openings(resource: Resource, direction: str) -> Iterator[Opening]:
    """What a security group, or one of its rules, opens in a direction ("ingress" or "egress")."""
    if resource.type == GROUP:
        for place, _ in resource.each(f"{direction}[*]"):
            yield from _opening(resource, f"{place}.", ("cidrBlocks[*]", "ipv6CidrBlocks[*]"), "protocol")
    elif resource.type == GROUP_RULE and resource.get("type") == direction:
        yield from _opening(resource, "", ("cidrBlocks[*]", "ipv6CidrBlocks[*]"), "protocol")
    elif resource.type == {"ingress": INGRESS_RULE, "egress": EGRESS_RULE}[direction]:
        yield from _opening(resource, "", ("cidrIpv4", "cidrIpv6"), "ipProtocol")


def _opening(resource: Resource, at: str, ranges: Sequence[str], protocol: str) -> Iterator[Opening]:
    for place, cidr in (found for path in ranges for found in resource.known(at + path)):
        first, last = number(resource.get(f"{at}fromPort")), number(resource.get(f"{at}toPort"))
        if str(resource.get(at + protocol)) in ALL_PROTOCOLS or first is None or last is None:
            first, last = 0, 65535
        yield Opening(place, cidr, first, last)


@rule(VPC, reads=[FLOW_LOG])
def vpc_flow_logs(vpc: Resource, stack: Stack) -> Findings:
    """Every VPC records its traffic in a flow log."""
    if not any(stack.linked(FLOW_LOG, "vpcId", vpc)):
        yield Finding("", "the VPC has no flow log")


@rule(VPC, reads=[DEFAULT_GROUP])
def vpc_default_sg_closed(vpc: Resource, stack: Stack) -> Findings:
    """The default security group of every VPC is managed and lets nothing through."""
    groups = list(stack.linked(DEFAULT_GROUP, "vpcId", vpc))
    if not groups:
        yield Finding("", "the VPC's default security group is not managed")
    for group in groups:
        yield from must(group, "ingress", ABSENT)
        yield from must(group, "egress", ABSENT)


@rule(GROUP, INGRESS_RULE, GROUP_RULE)
def sg_no_public_admin_ports(group: Resource, *, ports: Sequence[int] = ADMIN_PORTS + DATA_PORTS) -> Findings:
    """No administration or database port is open to the internet."""
    for opening in openings(group, "ingress"):
        if is_world(opening.cidr) and opening.includes(ports):
            yield Finding(opening.path, f"{opening.path} opens an administration or database port to the internet")


@rule(GROUP, reads=[INGRESS_RULE, GROUP_RULE, BALANCER])
def sg_no_public_ingress_except_lb(group: Resource, stack: Stack) -> Findings:
    """Only the security group of an internet-facing load balancer is open to the internet, and only on 80 and 443."""
    front = any(balancer.get("internal") is not True for balancer in stack.linked(BALANCER, "securityGroups[*]", group))
    rules = [found for kind in (INGRESS_RULE, GROUP_RULE) for found in stack.linked(kind, "securityGroupId", group)]
    for holder in (group, *rules):
        for opening in openings(holder, "ingress"):
            web = front and opening.first == opening.last and opening.first in WEB_PORTS
            if is_world(opening.cidr) and not web:
                yield Finding(opening.path, f"{opening.path} lets the internet in", holder.urn)


@rule(GROUP, EGRESS_RULE, GROUP_RULE)
def sg_egress_not_any(group: Resource) -> Findings:
    """No security group lets everything out to everywhere."""
    for opening in openings(group, "egress"):
        if is_world(opening.cidr) and (opening.first, opening.last) == (0, 65535):
            yield Finding(opening.path, f"{opening.path} lets every port out to the internet")


@rule(GROUP, INGRESS_RULE, EGRESS_RULE, GROUP_RULE)
def sg_rule_description(group: Resource) -> Findings:
    """Every security group and every rule in it says what it is for."""
    if group.type != GROUP:
        yield from must(group, "description", GIVEN)
        return
    if group.get("description") in (None, "", "Managed by Pulumi"):
        yield Finding("description", "description must say what the group is for")
    for direction in ("ingress", "egress"):
        yield from must(group, f"{direction}[*].description", GIVEN)


@rule(SUBNET)
def subnet_no_auto_public_ip(subnet: Resource) -> Findings:
    """No subnet hands out public addresses on its own."""
    yield from must(subnet, "mapPublicIpOnLaunch", FALSE, default=False)


@rule(ACL_RULE, "aws:ec2/networkAcl:NetworkAcl", "aws:ec2/defaultNetworkAcl:DefaultNetworkAcl")
def nacl_no_open_admin(acl: Resource) -> Findings:
    """No network access list lets the internet reach SSH or RDP."""
    if acl.type == ACL_RULE:
        places = [] if acl.get("egress") is True else [("", "ruleAction")]
    else:
        places = [(f"{place}.", "action") for place, _ in acl.each("ingress[*]")]
    for at, action in places:
        for opening in _opening(acl, at, ("cidrBlock", "ipv6CidrBlock"), "protocol"):
            if acl.get(at + action) == "allow" and is_world(opening.cidr) and opening.includes(ADMIN_PORTS):
                yield Finding(opening.path, f"{opening.path} lets the internet reach SSH or RDP")


@rule("aws:ec2/defaultVpc:DefaultVpc", forbids=True)
def no_default_vpc(vpc: Resource) -> Findings:
    """Nothing runs in the account's default VPC."""
    yield Finding("", f"{vpc.name} adopts the default VPC, whose subnets are all public")


@rule(VPC, reads=[SUBNET, NAT])
def multi_az_subnets(vpc: Resource, stack: Stack, *, zones: int = 2, nat_per_zone: bool = False) -> Findings:
    """Each tier of subnets spans several availability zones, and where required each zone has its own NAT gateway."""
    tiers: dict[str, list[Resource]] = {}
    for subnet in stack.linked(SUBNET, "vpcId", vpc):
        tiers.setdefault(str(subnet.tags.get("tier", "untagged")), []).append(subnet)
    for subnets in tiers.values():
        spanned = {str(subnet.get("availabilityZoneId") or subnet.get("availabilityZone")) for subnet in subnets}
        if len(spanned) < zones:
            message = f"the subnets of this tier must span at least {zones} availability zones"
            yield Finding("availabilityZoneId", message, subnets[0].urn)
    gateways = [nat for nat in stack.of(NAT) if nat.get("availabilityMode") != "regional"]
    if nat_per_zone and 0 < len(gateways) < zones:
        yield Finding("subnetId", f"there must be a NAT gateway in each of {zones} zones", gateways[0].urn)
