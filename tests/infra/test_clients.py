"""Does the service know its clients by their own addresses? The way of a request, hop by hop, over the deployed graph.

One peer is used for both: the balancer's rules must admit it, and the service must look behind it.
"""

from ipaddress import IPv4Address, IPv4Network
from typing import Any

import pytest

from service.http.addresses import Addresses, subject
from service.settings import Settings
from tests.infra.graph import Graph
from tests.infra.test_reachability import entering, group_of

VIEWER, OTHER = "198.51.100.23", "192.0.2.77"
EDGE = "130.176.96.72"  # CloudFront's own, of its managed prefix list
# What CloudFront adds to a viewer's headers, by managed origin request policy; CloudFront developer guide.
ALL_VIEWER = "216adef6-5c7f-47e4-b989-5492eafa07d3"
ALL_VIEWER_AND_CLOUDFRONT = "33f36d7e-f396-46d9-90e0-52428a34d9dc"


def admitted(graph: Graph) -> list[str]:
    """Every address from which the balancer may be called: CloudFront's edge, and interfaces if a rule admits some."""
    peers: list[str] = []
    for peer, _ in entering(graph, group_of(graph, "balancer", "lb/loadBalancer", "securityGroups")):
        peers.append(EDGE if peer.startswith("pl-") else str(next(IPv4Network(peer).hosts())))
    return peers


def inside(graph: Graph) -> str:
    """An address of the balancer, in its last subnet."""
    balancer = graph.named("balancer", "lb/loadBalancer")
    blocks = sorted(row["inputs"]["cidrBlock"] for row in graph.behind(balancer, "subnets"))
    return str(IPv4Address(int(IPv4Network(blocks[-1]).broadcast_address) - 1))


def arrives(graph: Graph, viewer: str, sent: dict[str, str], peer: str) -> dict[str, str]:
    """The headers that reach a pod: CloudFront replaces what it sets itself, and both append to X-Forwarded-For."""
    behaviour = graph.named("edge", "cloudfront/distribution")["inputs"]["defaultCacheBehavior"]
    headers = {**sent, "x-forwarded-for": ", ".join(filter(None, (sent.get("x-forwarded-for"), viewer)))}
    policy = behaviour["originRequestPolicyId"]
    assert policy in {ALL_VIEWER, ALL_VIEWER_AND_CLOUDFRONT}
    if policy == ALL_VIEWER_AND_CLOUDFRONT:
        headers["cloudfront-viewer-address"] = f"{viewer}:46532"
    return {**headers, "x-forwarded-for": f"{headers['x-forwarded-for']}, {peer}"}


def addresses(graph: Graph, monkeypatch: pytest.MonkeyPatch) -> Addresses:
    (data,) = (row["inputs"]["data"] for row in graph.of_type("ConfigMap") if row["name"] == "service-settings")
    for name, value in data.items():
        if "SECURITY" in name:
            monkeypatch.setenv(name, value)
    security: Any = Settings().security
    return Addresses(security.trusted_proxies, security.viewer_header)


@pytest.mark.parametrize("sent", [{}, {"x-forwarded-for": OTHER}, {"cloudfront-viewer-address": f"{OTHER}:1"}], ids=str)
@pytest.mark.parametrize("viewer", [VIEWER, "2001:db8:1:2:3:4:5:6"])
def test_a_client_is_known_by_its_own_address(
    graph: Graph, sent: dict[str, str], viewer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = addresses(graph, monkeypatch)
    assert admitted(graph)
    # A VPC origin's own interface in our subnets is not documented as the source, and not excluded.
    for peer in [*admitted(graph), inside(graph)]:
        headers = arrives(graph, viewer, sent, peer)
        assert known.of(inside(graph), headers.get(known.header.decode())) == subject(viewer), peer


def test_who_calls_a_pod_directly_is_not_believed(graph: Graph, monkeypatch: pytest.MonkeyPatch) -> None:
    known = addresses(graph, monkeypatch)
    assert known.of("203.0.113.9", f"{OTHER}:1") == "203.0.113.9"
