"""What does Elastic Load Balancing refuse? Subnets of one zone, foreign certificates and target groups."""

from rehearsal.answers import Refused
from rehearsal.aws.account.request import Request, Rule, every
from rehearsal.values import Value

_LISTENER = "aws:lb/listener:Listener"
_RULE = "aws:lb/listenerRule:ListenerRule"
_PROTOCOLS = {"application": {"HTTP", "HTTPS"}, "network": {"TCP", "TLS", "UDP", "TCP_UDP", "QUIC", "TCP_QUIC"}}
_TARGETS = {
    _LISTENER: ("defaultActions.targetGroupArn", "defaultActions.forward.targetGroups.arn"),
    _RULE: ("actions.targetGroupArn", "actions.forward.targetGroups.arn"),
}


def two_subnets_share_a_zone(request: Request) -> Refused | None:
    """Two subnets of one zone."""
    zones: set[Value] = set()
    for id in (*request.every("subnets"), *request.every("subnetMappings.subnetId")):
        subnet = request.find(id)
        zone = subnet.outputs.get("availabilityZone") if subnet else None
        if zone in zones:
            says = (
                f"A load balancer cannot be attached to multiple subnets in the same Availability Zone: {id} in {zone}"
            )
            return Refused("InvalidConfigurationRequest", says, "subnets")
        if zone:
            zones.add(zone)
    return None


def protocol_is_not_of_this_kind(request: Request) -> Refused | None:
    """A protocol that the load balancer's type does not speak."""
    balancer = request.find(request.inputs.get("loadBalancerArn"))
    kind = str(balancer.outputs.get("loadBalancerType") or "application") if balancer else ""
    protocol = request.inputs.get("protocol")
    if kind not in _PROTOCOLS or protocol is None or protocol in _PROTOCOLS[kind]:
        return None
    says = f"Load balancers of type '{kind}' support {', '.join(sorted(_PROTOCOLS[kind]))}, not '{protocol}'"
    return Refused("UnsupportedProtocol", says, "protocol")


def certificate_is_in_another_region(request: Request) -> Refused | None:
    """A certificate that lies in another region than its listener."""
    arn = request.inputs.get("certificateArn")
    parts = arn.split(":") if isinstance(arn, str) else []
    if len(parts) > 5 and parts[2] == "acm" and parts[3] != request.context.region:
        says = f"Certificate '{arn}' not found: it is in {parts[3]}, the listener in {request.context.region}"
        return Refused("CertificateNotFound", says, "certificateArn")
    return None


def target_group_belongs_elsewhere(request: Request) -> Refused | None:
    """A target group of another VPC, or one that another load balancer serves."""
    balancer_arn = _balancer(request.token, request.inputs)
    balancer = request.find(balancer_arn)
    for arn in (arn for path in _TARGETS[_plain(request.token)] for arn in request.every(path)):
        group = request.find(arn)
        networks = {one.outputs.get("vpcId") for one in (group, balancer) if one} - {None, ""}
        if len(networks) > 1:
            says = f"Target group '{arn}' and load balancer '{balancer_arn}' are in different VPCs"
            return Refused("InvalidConfigurationRequest", says)
        for other in (*request.others(_LISTENER), *request.others(_RULE)):
            targets = [one for path in _TARGETS[other.token] for one in every(other.outputs, path)]
            if arn in targets and _balancer(other.token, other.outputs) != balancer_arn:
                says = f"The following target groups cannot be associated with more than one load balancer: {arn}"
                return Refused("TargetGroupAssociationLimit", says)
    return None


def _plain(token: str) -> str:
    """The SDK has these types twice, under `alb` and under `lb`."""
    return token.replace("aws:alb/", "aws:lb/")


def _balancer(token: str, values: dict[str, Value]) -> str:
    """The load balancer of a listener, or of a rule by its listener's ARN."""
    if _plain(token) == _LISTENER:
        return str(values.get("loadBalancerArn", ""))
    listener = str(values.get("listenerArn", ""))
    return listener.replace(":listener/", ":loadbalancer/").rpartition("/")[0]


CHANGE: dict[str, tuple[Rule, ...]] = {
    "aws:lb/loadBalancer:LoadBalancer": (two_subnets_share_a_zone,),
    _LISTENER: (certificate_is_in_another_region, protocol_is_not_of_this_kind, target_group_belongs_elsewhere),
    _RULE: (target_group_belongs_elsewhere,),
    "aws:lb/listenerCertificate:ListenerCertificate": (certificate_is_in_another_region,),
}
DELETION: dict[str, tuple[Rule, ...]] = {}
