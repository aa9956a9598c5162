"""Do network policies allow what Kubernetes' documentation says? Its own examples, and what holds for all of them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehearsal.live.network.policies import Peer, Port, allowed

API, WORKER = {"app": "api"}, {"app": "worker"}


def policy(spec: dict[str, Any], namespace: str = "app") -> dict[str, Any]:
    return {"metadata": {"namespace": namespace}, "spec": spec}


DENY = policy({"podSelector": {}, "policyTypes": ["Ingress", "Egress"]})
DATABASE = policy(
    {
        "podSelector": {"matchLabels": API},
        "policyTypes": ["Egress"],
        "egress": [
            {"to": [{"ipBlock": {"cidr": "10.0.64.0/18", "except": ["10.0.65.0/24"]}}], "ports": [{"port": 3306}]}
        ],
    }
)
FROM_WORKERS = policy(
    {
        "podSelector": {"matchLabels": API},
        "ingress": [{"from": [{"podSelector": {"matchLabels": WORKER}}], "ports": [{"port": "http"}]}],
    }
)
FROM_WATCHERS = policy(
    {
        "podSelector": {},
        "ingress": [
            {
                "from": [{"namespaceSelector": {"matchLabels": {"watch": "yes"}}}],
                "ports": [{"port": 9000, "endPort": 9010}],
            }
        ],
    }
)
WATCHER = Peer("10.0.0.9", "observability", {"watch": "yes"}, {})


@pytest.mark.parametrize(
    ("policies", "direction", "labels", "peer", "port", "good"),
    [
        ([], "Egress", API, Peer("1.2.3.4"), Port(443), True),
        ([DENY], "Egress", API, Peer("1.2.3.4"), Port(443), False),
        ([DENY, DATABASE], "Egress", API, Peer("10.0.64.9"), Port(3306), True),
        ([DENY, DATABASE], "Egress", API, Peer("10.0.65.9"), Port(3306), False),
        ([DENY, DATABASE], "Egress", API, Peer("10.0.64.9"), Port(3307), False),
        ([DENY, DATABASE], "Egress", WORKER, Peer("10.0.64.9"), Port(3306), False),
        ([DATABASE], "Ingress", API, Peer("1.2.3.4"), Port(8000), True),
        ([FROM_WORKERS], "Ingress", API, Peer("10.0.0.5", "app", {}, WORKER), Port(8000, "http"), True),
        ([FROM_WORKERS], "Ingress", API, Peer("10.0.0.5", "app", {}, WORKER), Port(9000, "metrics"), False),
        ([FROM_WORKERS], "Ingress", API, Peer("10.0.0.5", "other", {}, WORKER), Port(8000, "http"), False),
        ([FROM_WORKERS], "Ingress", API, Peer("10.0.0.5"), Port(8000, "http"), False),
        ([FROM_WORKERS], "Egress", API, Peer("10.0.0.5"), Port(8000), True),
        ([FROM_WATCHERS], "Ingress", API, WATCHER, Port(9007), True),
        ([FROM_WATCHERS], "Ingress", API, WATCHER, Port(9011), False),
    ],
)
def test_what_is_allowed(
    *, policies: Any, direction: Any, labels: dict[str, str], peer: Peer, port: Port, good: bool
) -> None:
    assert allowed(policies, direction, "app", labels, peer=peer, port=port) is good


ADDRESSES = st.ip_addresses(v=4).map(str)
PORTS = st.integers(1, 65535)


@given(ADDRESSES, PORTS, st.sampled_from([API, WORKER]))
def test_a_policy_more_never_takes_away_what_another_allows(address: str, port: int, labels: dict[str, str]) -> None:
    before = allowed([DENY, DATABASE], "Egress", "app", labels, peer=Peer(address), port=Port(port))
    wider = policy({"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"ports": [{"port": 443}]}]})
    after = allowed([DENY, DATABASE, wider], "Egress", "app", labels, peer=Peer(address), port=Port(port))
    assert after is (before or port == 443)
