"""Which deployers does an EKS cluster's API server answer? Those that its endpoint's settings and its groups admit.

Source: Amazon EKS user guide, "Cluster API server endpoint". A public endpoint answers the addresses of
`publicAccessCidrs`. A private one lies in the cluster's subnets: whoever stands in the VPC, or in one that is connected
with it, also needs a rule for port 443 on a security group of the cluster.
"""

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass

from rehearsal.aws.account.request import every
from rehearsal.aws.identity import Dice
from rehearsal.values import Value, Values
from rehearsal.world import Row, World

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_PRIVATE = [
    ipaddress.ip_network(one) for one in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
]
_INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
_RULE = "aws:ec2/securityGroupRule:SecurityGroupRule"
_PEERING = "aws:ec2/vpcPeeringConnection:VpcPeeringConnection"
_ATTACHMENT = "aws:ec2transitgateway/vpcAttachment:VpcAttachment"
# What may be a deployer inside a network: where it stands and its groups.
_MACHINES = {
    "aws:codebuild/project:Project": ("vpcConfig.subnets", "vpcConfig.securityGroupIds"),
    "aws:ec2/instance:Instance": ("subnetId", "vpcSecurityGroupIds"),
}


@dataclass(frozen=True)
class Runner:
    """The deployer, by the address that others see."""

    address: Address

    @property
    def is_inside(self) -> bool:
        """Whether it stands inside a private network."""
        return any(self.address in one for one in _PRIVATE if one.version == self.address.version)

    def __str__(self) -> str:
        return f"{self.address} ({'inside a private network' if self.is_inside else 'the internet'})"


def refusal(cluster: Row, runner: Runner, cloud: World) -> str | None:
    """What a client of the API server says when nothing answers it, and why that is; None when it is answered."""
    settings = cluster.outputs.get("vpcConfig") or {}
    public = settings.get("endpointPublicAccess", True)
    private = bool(settings.get("endpointPrivateAccess"))
    if runner.is_inside and private:
        reason = _inside(cluster, settings, runner, cloud)
    elif runner.is_inside:
        reason = "its endpoint is public only, and a private address is not seen from there: name the public one"
    elif not public:
        reason = "its endpoint is private: deploy from inside its VPC, or open it to the runner (publicAccessCidrs)"
    else:
        ranges = settings.get("publicAccessCidrs") or ["0.0.0.0/0", "::/0"]
        admitted = any(_covers(one, runner.address) for one in ranges)
        reason = None if admitted else f"its endpoint is open to {', '.join(map(str, ranges))} only (publicAccessCidrs)"
    if reason is None:
        return None
    seen = _endpoint(cluster, settings, cloud) if private and (runner.is_inside or not public) else _public(cluster)
    moved = "REHEARSAL_RUNNER or `python -m rehearsal runner ADDRESS` says where it stands"
    where = f"the runner stands at {runner} and cluster {cluster.id} does not answer it"
    return f"dial tcp {seen}:443: i/o timeout: {where}: {reason}. {moved}"


def _inside(cluster: Row, settings: Values, runner: Runner, cloud: World) -> str | None:
    own = settings.get("vpcId") or next((row.outputs.get("vpcId") for row in _subnets(settings, cloud)), None)
    homes = [row.id for row in cloud.rows("aws:ec2/vpc:Vpc") if _holds(row, runner.address)]
    if not any(home == own or _connected(home, own, cloud) for home in homes):
        stands = f"{', '.join(homes)}, which nothing connects" if homes else "no VPC that could be connected"
        return f"it stands in {stands} with {own}, the cluster's VPC"
    groups = {settings.get("clusterSecurityGroupId"), *(settings.get("securityGroupIds") or ())} - {None}
    if any(_admits(rule, runner, cloud) for group in sorted(groups) for rule in _rules(group, cloud)):
        return None
    return f"no rule of its security groups ({', '.join(sorted(groups))}) lets {runner.address} in on port 443"


def _rules(group: Value, cloud: World) -> Iterator[Values]:
    """Rules for incoming traffic of a group, in one shape."""
    yield {"protocol": "-1", "from": None, "to": None, "ranges": [], "group": group}  # its members among themselves
    for row in cloud.rows(_INGRESS, securityGroupId=group):
        values = row.outputs
        sources = [values.get("cidrIpv4"), values.get("cidrIpv6")]
        yield {
            "protocol": values.get("ipProtocol"), "from": values.get("fromPort"), "to": values.get("toPort"),
            "ranges": [one for one in sources if one], "group": values.get("referencedSecurityGroupId"),
        }  # fmt: skip
    for row in cloud.rows(_RULE, securityGroupId=group, type="ingress"):
        values = row.outputs
        yield {
            "protocol": values.get("protocol"), "from": values.get("fromPort"), "to": values.get("toPort"),
            "ranges": [*(values.get("cidrBlocks") or ()), *(values.get("ipv6CidrBlocks") or ())],
            "group": values.get("sourceSecurityGroupId"),
        }  # fmt: skip


def _admits(rule: Values, runner: Runner, cloud: World) -> bool:
    everything = str(rule["protocol"]) == "-1"
    low, high = rule["from"], rule["to"]
    if not everything and not (
        str(rule["protocol"]).lower() in ("tcp", "6") and low is not None and low <= 443 <= high
    ):
        return False
    if any(_covers(one, runner.address) for one in rule["ranges"]):
        return True
    return rule["group"] is not None and rule["group"] in _groups(runner, cloud)


def _groups(runner: Runner, cloud: World) -> set[Value]:
    """Security groups of the machines that stand where the deployer does."""
    return {
        group
        for token, (subnets, groups) in _MACHINES.items()
        for machine in cloud.rows(token)
        for subnet in every(machine.outputs, subnets)
        if any(_holds(row, runner.address) for row in cloud.called(subnet))
        for group in every(machine.outputs, groups)
    }


def _connected(one: str, other: Value, cloud: World) -> bool:
    """Whether a peering, or one transit gateway, connects two VPCs."""
    peered = [{row.outputs.get("vpcId"), row.outputs.get("peerVpcId")} for row in cloud.rows(_PEERING)]
    gateways = [
        {row.outputs.get("transitGatewayId") for row in cloud.rows(_ATTACHMENT, vpcId=id)} for id in (one, other)
    ]
    return {one, other} in peered or bool(gateways[0] & gateways[1])


def _subnets(settings: Values, cloud: World) -> list[Row]:
    return [row for id in settings.get("subnetIds") or () for row in cloud.called(id)]


def _endpoint(cluster: Row, settings: Values, cloud: World) -> Address:
    """An address of the private endpoint: some host of the first subnet."""
    for subnet in _subnets(settings, cloud):
        network = ipaddress.ip_network(str(subnet.outputs["cidrBlock"]))
        return network[4 + int(Dice(cluster.id).hex(4, "endpoint"), 16) % max(1, network.num_addresses - 5)]
    return ipaddress.ip_address("10.0.0.4")


def _public(cluster: Row) -> Address:
    number = int(Dice(cluster.id).hex(6, "public"), 16)
    return ipaddress.ip_address((3 << 24) + number)


def _holds(row: Row, address: Address) -> bool:
    return _covers(row.outputs.get("cidrBlock"), address)


def _covers(block: Value, address: Address) -> bool:
    try:
        network = ipaddress.ip_network(block, strict=False)
    except (TypeError, ValueError):
        return False
    return network.version == address.version and address in network
