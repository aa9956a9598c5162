"""What do NetworkPolicies allow? The rules of networking.k8s.io/v1, over plain objects.

Kubernetes documentation, "Network Policies": a pod that no policy selects in a direction is open in it; one that is
selected lets through what any of the rules allows. Traffic from the pod's own node is always let in.
"""

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Object = Mapping[str, Any]
Labels = Mapping[str, str]
Direction = Literal["Ingress", "Egress"]


@dataclass(frozen=True)
class Peer:
    """The other end: an address, and the pod that has it where it is one."""

    address: str
    namespace: str | None = None
    namespace_labels: Labels = field(default_factory=dict)
    labels: Labels = field(default_factory=dict)


@dataclass(frozen=True)
class Port:
    """Where a connection ends: number and, on a pod, the container's name for it."""

    number: int
    name: str | None = None
    protocol: str = "TCP"


def selects(selector: Object | None, labels: Labels) -> bool:
    """Does a label selector match? An empty one matches everything, None nothing."""
    if selector is None:
        return False
    if any(labels.get(key) != value for key, value in selector.get("matchLabels", {}).items()):
        return False
    return all(_holds(row, labels) for row in selector.get("matchExpressions", []))


def _holds(row: Object, labels: Labels) -> bool:
    present, value = row["key"] in labels, labels.get(row["key"])
    return {
        "Exists": present,
        "DoesNotExist": not present,
        "In": present and value in row.get("values", []),
        "NotIn": value not in row.get("values", []),
    }[str(row["operator"])]


def allowed(
    policies: Iterable[Object], direction: Direction, namespace: str, labels: Labels, *, peer: Peer, port: Port
) -> bool:
    """May a pod of `namespace` with these labels talk to (Egress) or be called by (Ingress) the peer?"""
    chosen = [
        policy["spec"]
        for policy in policies
        if policy["metadata"]["namespace"] == namespace
        and direction in _types(policy["spec"])
        and selects(policy["spec"].get("podSelector", {}), labels)
    ]
    if not chosen:
        return True
    rules = [rule for spec in chosen for rule in spec.get(direction.lower()) or []]
    side = "to" if direction == "Egress" else "from"
    return any(
        _port_allowed(rule.get("ports") or [], port) and _peer_allowed(rule.get(side) or [], peer, namespace)
        for rule in rules
    )


def _types(spec: Object) -> Sequence[str]:
    return spec.get("policyTypes") or (["Ingress", "Egress"] if spec.get("egress") else ["Ingress"])


def _port_allowed(rows: Sequence[Object], port: Port) -> bool:
    return not rows or any(
        row.get("protocol", "TCP") == port.protocol
        and (
            "port" not in row
            or row["port"] == port.name
            or (isinstance(row["port"], int) and row["port"] <= port.number <= row.get("endPort", row["port"]))
        )
        for row in rows
    )


def _peer_allowed(rows: Sequence[Object], peer: Peer, namespace: str) -> bool:
    return not rows or any(_is(row, peer, namespace) for row in rows)


def _is(row: Object, peer: Peer, namespace: str) -> bool:
    if block := row.get("ipBlock"):
        address = ipaddress.ip_address(peer.address)
        return address in ipaddress.ip_network(block["cidr"]) and not any(
            address in ipaddress.ip_network(hole) for hole in block.get("except", [])
        )
    if peer.namespace is None:
        return False
    if "namespaceSelector" in row:
        near = selects(row["namespaceSelector"], peer.namespace_labels)
    else:
        near = peer.namespace == namespace
    return near and selects(row.get("podSelector", {}), peer.labels)
