"""Are the allowed flows exactly the documented ones? Every pod and every neighbour, by evaluation of the policies."""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from infra.workload.flows import Neighbours, flows, policy_spec
from infra.workload.pods import selector
from infra.workload.service import ACCOUNTS

ROOT = Path(__file__).resolve().parents[2]
NEIGHBOURS = Neighbours([IPv4Network("10.10.0.0/17")], [IPv4Network("10.10.128.0/21")], IPv4Network("172.20.0.10/32"))
PLACES = {
    "load balancer subnets": "10.10.0.5",
    "data subnets": "10.10.128.9",
    "DNS": "172.20.0.10",
    "Pod Identity": "169.254.170.23",
    "internet": "198.51.100.7",
}
PORTS = [("TCP", 80), ("TCP", 443), ("TCP", 3306), ("TCP", 6379), ("TCP", 8000), ("TCP", 9000), ("TCP", 22)]
PORTS += [("UDP", 53), ("TCP", 53)]
# Pods have addresses in the load balancer's subnets, as the VPC gives them.
PODS = {name: f"10.10.64.{index}" for index, name in enumerate(ACCOUNTS, 10)}
POLICIES: list[Any] = [{"pod_selector": {}, "policy_types": ["Ingress", "Egress"]}] + [
    policy_spec(name, flows(NEIGHBOURS)) for name in ACCOUNTS
]


def allows(component: str, direction: str, peer: str, port: tuple[str, int]) -> bool:
    """What a Kubernetes network plugin decides for one side: denied unless a policy that selects the pod allows it."""
    for policy in POLICIES:
        wanted: dict[str, str] = policy["pod_selector"].get("match_labels", {})
        if not wanted.items() <= selector(component).items():
            continue
        for rule in policy.get(direction, []):
            peers: list[Any] = rule["from_" if direction == "ingress" else "to"]
            inside = any(IPv4Address(peer) in IPv4Network(p["ip_block"]["cidr"]) for p in peers)
            if inside and port in [(p["protocol"], p["port"]) for p in rule["ports"]]:
                return True
    return False


def reachable() -> Iterator[tuple[str, str, tuple[str, int]]]:
    """Every flow that comes through: from, to, port."""
    for name, (place, address), port in product(ACCOUNTS, PLACES.items(), PORTS):
        if allows(name, "egress", address, port):
            yield name, place, port
        if allows(name, "ingress", address, port):
            yield place, name, port


def documented() -> set[tuple[str, str, tuple[str, int]]]:
    rows = (ROOT / "docs/reference/network-flows.md").read_text().splitlines()
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows if row.startswith("| ")]
    found = set()
    for source, target, ports, _ in cells[1:]:
        for port in ports.split(","):
            protocol, number = port.split()
            found.add((source, target, (protocol, int(number))))
    return found


def test_the_allowed_flows_are_exactly_the_documented_ones() -> None:
    assert set(reachable()) == documented()


@pytest.mark.parametrize(("one", "other"), [pair for pair in product(ACCOUNTS, ACCOUNTS) if pair[0] != pair[1]])
def test_no_pod_reaches_another(one: str, other: str) -> None:
    open_ports = [
        port for port in PORTS if allows(one, "egress", PODS[other], port) and allows(other, "ingress", PODS[one], port)
    ]
    assert open_ports == []
