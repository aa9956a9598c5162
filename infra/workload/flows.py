"""Who may talk to whom? The allowed flows as data, and the NetworkPolicies that allow exactly these.

Everything is denied first. docs/reference/network-flows.md lists the service's flows for people.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.networking import v1 as networking

from infra.workload.pods import HTTP_PORT, METRICS_PORT, labels, selector

MYSQL_PORT, CACHE_PORT, HTTPS_PORT, DNS_PORT = 3306, 6379, 443, 53
POD_IDENTITY = IPv4Network("169.254.170.23/32")  # the agent on each node; EKS user guide, "EKS Pod Identity"
ANYWHERE = IPv4Network("0.0.0.0/0")


@dataclass(frozen=True)
class Flow:
    """component: whose pods. inward: they are called, else they call. peers: the others. ports: protocol and number."""

    component: str
    inward: bool
    peers: tuple[IPv4Network, ...]
    ports: tuple[tuple[str, int], ...]
    why: str


@dataclass(frozen=True)
class Neighbours:
    """Where the other sides live.

    balancer: subnets of the load balancer and of the metrics scraper. data: subnets of the database proxy and the
    cache. dns: the cluster's DNS service.
    """

    balancer: Sequence[IPv4Network]
    data: Sequence[IPv4Network]
    dns: IPv4Network


def outward(component: str, dns: IPv4Network) -> list[Flow]:
    """What every pod that uses AWS may call."""
    return [
        Flow(component, False, (dns,), (("UDP", DNS_PORT), ("TCP", DNS_PORT)), "names"),
        Flow(component, False, (POD_IDENTITY,), (("TCP", 80),), "AWS credentials from the Pod Identity agent"),
        Flow(component, False, (ANYWHERE,), (("TCP", HTTPS_PORT),), "AWS, and AI providers over NAT"),
    ]


def flows(neighbours: Neighbours) -> list[Flow]:
    """Every allowed flow of the service."""
    balancer, data = tuple(neighbours.balancer), tuple(neighbours.data)
    tcp = "TCP"
    allowed = [
        Flow("api", True, balancer, ((tcp, HTTP_PORT),), "requests and health checks from the load balancer"),
        Flow("api", True, balancer, ((tcp, METRICS_PORT),), "the managed Prometheus scraper"),
        Flow("worker", True, balancer, ((tcp, METRICS_PORT),), "the managed Prometheus scraper"),
    ]
    for component in ("api", "worker", "sweeper", "migrator", "bootstrap"):
        names, identity, aws = outward(component, neighbours.dns)
        database = Flow(component, False, data, ((tcp, MYSQL_PORT),), "the database, through its proxy")
        allowed += [names, identity, database, aws]
    return [*allowed, Flow("api", False, data, ((tcp, CACHE_PORT),), "the cache")]


def policy_spec(component: str, allowed: Sequence[Flow]) -> networking.NetworkPolicySpecArgsDict:
    """One component's allowances."""
    incoming: list[networking.NetworkPolicyIngressRuleArgsDict] = []
    outgoing: list[networking.NetworkPolicyEgressRuleArgsDict] = []
    for flow in allowed:
        if flow.component != component:
            continue
        peers: list[networking.NetworkPolicyPeerArgsDict] = [{"ip_block": {"cidr": str(peer)}} for peer in flow.peers]
        ports: list[networking.NetworkPolicyPortArgsDict] = [
            {"protocol": protocol, "port": port} for protocol, port in flow.ports
        ]
        if flow.inward:
            incoming.append({"from_": peers, "ports": ports})
        else:
            outgoing.append({"to": peers, "ports": ports})
    return {
        "pod_selector": {"match_labels": selector(component)},
        "policy_types": ["Ingress", "Egress"],
        **({"ingress": incoming} if incoming else {}),
        **({"egress": outgoing} if outgoing else {}),
    }


class Flows(pulumi.ComponentResource):
    """Deny everything in the namespace, then allow the flows. first: what enforces them."""

    ready: list[pulumi.Resource]

    def __init__(
        self,
        name: str,
        namespace: pulumi.Input[str],
        allowed: Sequence[Flow],
        first: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions,
    ) -> None:
        super().__init__("tecnocursos:workload:Flows", name, None, opts)
        inside = pulumi.ResourceOptions(parent=self, deleted_with=opts.deleted_with, depends_on=list(first))
        deny: networking.NetworkPolicySpecArgsDict = {"pod_selector": {}, "policy_types": ["Ingress", "Egress"]}
        specs = {"default-deny": deny} | {
            component: policy_spec(component, allowed)
            for component in dict.fromkeys(flow.component for flow in allowed)
        }
        self.ready = [
            kubernetes.networking.v1.NetworkPolicy(
                f"{name}-{called}",
                metadata={"name": called, "namespace": namespace, "labels": labels("network")},
                spec=spec,
                opts=inside,
            )
            for called, spec in specs.items()
        ]
        self.register_outputs({})
