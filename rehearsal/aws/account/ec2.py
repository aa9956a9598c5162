"""What does EC2 refuse? Address ranges, zones, gateways and routes that do not fit the network they are in."""

import ipaddress
import re

from rehearsal.answers import Refused
from rehearsal.aws.account.request import Request, Rule
from rehearsal.aws.zones import short_region
from rehearsal.values import Value

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_VPC = "aws:ec2/vpc:Vpc"
_SUBNET = "aws:ec2/subnet:Subnet"
_GATEWAY = "aws:ec2/internetGateway:InternetGateway"
_ATTACHMENT = "aws:ec2/internetGatewayAttachment:InternetGatewayAttachment"
_NAT = "aws:ec2/natGateway:NatGateway"
_ENDPOINT = "aws:ec2/vpcEndpoint:VpcEndpoint"
_PEERINGS = ("aws:ec2/vpcPeeringConnection:VpcPeeringConnection", "aws:ec2transitgateway/vpcAttachment:VpcAttachment")


def subnet_is_outside_its_vpc(request: Request) -> Refused | None:
    """A subnet's range that is part of none of its VPC's ranges."""
    vpc, block = request.find(request.inputs.get("vpcId")), _network(request.inputs.get("cidrBlock"))
    if vpc is None or block is None:
        return None
    more = request.inventory.rows("aws:ec2/vpcIpv4CidrBlockAssociation:VpcIpv4CidrBlockAssociation", vpcId=vpc.id)
    ranges = [_network(one.outputs.get("cidrBlock")) for one in (vpc, *more)]
    if None in ranges or any(outer is not None and _contains(outer, block) for outer in ranges):
        return None
    return Refused(
        "InvalidSubnet.Range", f"The CIDR '{block}' is invalid: it is not in {vpc.id} ({ranges[0]}).", "cidrBlock"
    )


def subnet_overlaps(request: Request) -> Refused | None:
    """A subnet's range that another subnet of the VPC has already."""
    block = _network(request.inputs.get("cidrBlock"))
    for other in request.others(_SUBNET) if block is not None else ():
        taken = _network(other.outputs.get("cidrBlock"))
        same = other.outputs.get("vpcId") == request.inputs.get("vpcId")
        if (
            same
            and taken is not None
            and block is not None
            and taken.version == block.version
            and taken.overlaps(block)
        ):
            says = f"The CIDR '{block}' conflicts with another subnet: {other.id} ({taken})"
            return Refused("InvalidSubnet.Conflict", says, "cidrBlock")
    return None


def zone_is_in_another_region(request: Request) -> Refused | None:
    """A zone of another region, by name or by id."""
    region = request.context.region
    name, id = str(request.inputs.get("availabilityZone") or ""), str(request.inputs.get("availabilityZoneId") or "")
    far_name = re.fullmatch(r"[a-z]+(-[a-z]+)+-\d[a-z]", name) and name[:-1] != region
    far_id = re.fullmatch(r"[a-z]+\d-az\d", id) and not id.startswith(f"{short_region(region)}-")
    if not far_name and not far_id:
        return None
    property = "availabilityZone" if far_name else "availabilityZoneId"
    says = f"Value ({name or id}) for parameter {property} is invalid: subnets of this VPC are created in {region}"
    return Refused("InvalidParameterValue", says, property)


def network_has_a_gateway_already(request: Request) -> Refused | None:
    """A second internet gateway for one VPC."""
    vpc = request.inputs.get("vpcId")
    if isinstance(vpc, str) and any(one.outputs.get("vpcId") == vpc for one in request.others(request.token)):
        return Refused("InvalidParameterValue", f"Network {vpc} already has an internet gateway attached", "vpcId")
    return None


def route_leaves_its_network(request: Request) -> Refused | None:
    """A route to a gateway of another VPC."""
    table = request.find(request.inputs.get("routeTableId"))
    for property in ("gatewayId", "natGatewayId", "egressOnlyGatewayId"):
        target = request.find(request.inputs.get(property))
        if table is None or target is None:
            continue
        subnet = request.find(target.outputs.get("subnetId"))
        network = target.outputs.get("vpcId") or (subnet.outputs.get("vpcId") if subnet else None)
        if network and table.outputs.get("vpcId") not in (network, None):
            says = f"route table {table.id} and network gateway {target.id} belong to different networks"
            return Refused("InvalidParameterValue", says, property)
    return None


def group_is_in_another_network(request: Request) -> Refused | None:
    """A rule that refers to a security group of another VPC, while nothing connects the two."""
    own = request.find(request.inputs.get("securityGroupId"))
    other = request.find(request.inputs.get("referencedSecurityGroupId") or request.inputs.get("sourceSecurityGroupId"))
    if own is None or other is None or request.inventory.rows(*_PEERINGS):
        return None
    if own.outputs.get("vpcId") == other.outputs.get("vpcId"):
        return None
    says = f"You have specified two resources that belong to different networks: {own.id} and {other.id}"
    return Refused("InvalidGroup.NotFound", says, "referencedSecurityGroupId")


def nat_gateway_has_no_way_out(request: Request) -> Refused | None:
    """A public NAT gateway in a VPC, known to the world, that has no internet gateway (yet)."""
    if request.inputs.get("connectivityType", "public") != "public":
        return None
    subnet = request.find(request.inputs.get("subnetId"))
    vpc = request.find(subnet.outputs.get("vpcId") if subnet else request.inputs.get("vpcId"))
    if vpc is None or vpc.token != _VPC or request.inventory.rows(_GATEWAY, _ATTACHMENT, vpcId=vpc.id):
        return None
    says = f"Network {vpc.id} has no Internet gateway attached (does the NAT gateway depend on it?)"
    return Refused("Gateway.NotAttached", says)


def endpoint_repeats_a_route(request: Request) -> Refused | None:
    """A second gateway endpoint for one service in one route table."""
    tables, service = set(request.every("routeTableIds")), request.inputs.get("serviceName")
    for other in request.others(_ENDPOINT):
        shared = tables.intersection(other.outputs.get("routeTableIds") or ())
        if shared and other.outputs.get("serviceName") == service:
            says = f"route table {min(shared)} already has a route for {service} through {other.id}"
            return Refused("RouteAlreadyExists", says, "routeTableIds")
    return None


def endpoint_has_two_subnets_in_a_zone(request: Request) -> Refused | None:
    """Two subnets of one zone for an interface endpoint."""
    zones: dict[Value, str] = {}
    for id in request.every("subnetIds"):
        subnet = request.find(id)
        zone = subnet.outputs.get("availabilityZone") if subnet else None
        if zone in zones:
            says = f"Found another VPC endpoint subnet in the availability zone of {id}: {zones[zone]}"
            return Refused("DuplicateSubnetsInSameZone", says, "subnetIds")
        if zone:
            zones[zone] = id
    return None


def private_name_is_taken(request: Request) -> Refused | None:
    """A second endpoint that answers to a service's own name in a VPC."""
    inputs = request.inputs
    if not inputs.get("privateDnsEnabled"):
        return None
    for other in request.others(_ENDPOINT):
        same = all(other.outputs.get(name) == inputs.get(name) for name in ("vpcId", "serviceName"))
        if same and other.outputs.get("privateDnsEnabled"):
            says = f"private-dns-enabled cannot be set because there is already a conflicting DNS domain: {other.id}"
            return Refused("InvalidParameter", says, "privateDnsEnabled")
    return None


def gateway_serves_public_addresses(request: Request) -> Refused | None:
    """An internet gateway under NAT gateways and load balancers that face the internet."""
    row = request.row
    subnets = {one.id for one in request.inventory.rows(_SUBNET, vpcId=row.outputs.get("vpcId"))} if row else set()
    for user in request.inventory.rows(_NAT, "aws:lb/loadBalancer:LoadBalancer"):
        used = {user.outputs.get("subnetId"), *(user.outputs.get("subnets") or ())}
        private = user.outputs.get("connectivityType") == "private" or user.outputs.get("internal")
        if used & subnets and not private and row is not None:
            network = row.outputs.get("vpcId")
            says = (
                f"Network {network} has some mapped public address(es). Please unmap those before detaching: {user.id}"
            )
            return Refused("DependencyViolation", says)
    return None


def _network(block: Value) -> Network | None:
    try:
        return ipaddress.ip_network(block) if isinstance(block, str) else None
    except ValueError:
        return None


def _contains(outer: Network, inner: Network) -> bool:
    if isinstance(outer, ipaddress.IPv4Network) and isinstance(inner, ipaddress.IPv4Network):
        return inner.subnet_of(outer)
    return (
        isinstance(outer, ipaddress.IPv6Network) and isinstance(inner, ipaddress.IPv6Network) and inner.subnet_of(outer)
    )


CHANGE: dict[str, tuple[Rule, ...]] = {
    _SUBNET: (subnet_is_outside_its_vpc, subnet_overlaps, zone_is_in_another_region),
    _GATEWAY: (network_has_a_gateway_already,),
    _NAT: (nat_gateway_has_no_way_out,),
    _ENDPOINT: (endpoint_repeats_a_route, endpoint_has_two_subnets_in_a_zone, private_name_is_taken),
    "aws:ec2/route:Route": (route_leaves_its_network,),
    "aws:ec2/securityGroupRule:SecurityGroupRule": (group_is_in_another_network,),
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": (group_is_in_another_network,),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": (group_is_in_another_network,),
}
DELETION: dict[str, tuple[Rule, ...]] = {_GATEWAY: (gateway_serves_public_addresses,)}
