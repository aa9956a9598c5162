"""Once network policies are enforced, do pods still get what they need, and nothing else? Over every deployed pod.

The policies are evaluated as the network plugin does it: what no policy that selects the pod allows is denied. What
comes from the node itself, such as probes, is always allowed. Add-ons run where there is no policy.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Any

import yaml

from tests.infra.graph import Graph
from tests.infra.record import ROOT

POD_IDENTITY = "169.254.170.23"
AWS = "198.51.100.7"  # any address of an AWS endpoint on the internet
OTHER_POD = 40_000  # an address far inside the first private subnet


@dataclass(frozen=True)
class Pod:
    """What tells a pod apart: the name of what makes it, where, its labels and annotations."""

    name: str
    namespace: str
    labels: dict[str, str]
    annotations: dict[str, str]


def pods(graph: Graph) -> Iterator[Pod]:
    for row in graph.rows:
        kind, inputs = row["type"].rsplit(":", 1)[-1], row["inputs"]
        if kind in {"Deployment", "Job", "CronJob"}:
            template = (inputs["spec"]["jobTemplate"] if kind == "CronJob" else inputs)["spec"]["template"]["metadata"]
            yield Pod(row["name"], inputs["metadata"]["namespace"], template["labels"], template.get("annotations", {}))


def allows(graph: Graph, pod: Pod, direction: str, peer: str, through: tuple[str, int]) -> bool:
    """Whether a policy that selects the pod allows it; every pod is selected by one that denies."""
    selecting = [
        row["inputs"]["spec"]
        for row in graph.of_type("NetworkPolicy")
        if row["inputs"]["metadata"]["namespace"] == pod.namespace
        and row["inputs"]["spec"]["podSelector"].get("matchLabels", {}).items() <= pod.labels.items()
    ]
    assert any({"Ingress", "Egress"} <= set(spec["policyTypes"]) for spec in selecting), f"{pod.name} is open"
    side = "from" if direction == "ingress" else "to"
    return any(
        any(IPv4Address(peer) in IPv4Network(one["ipBlock"]["cidr"]) for one in rule[side])
        and through in [(one["protocol"], one["port"]) for one in rule["ports"]]
        for spec in selecting
        for rule in spec.get(direction, [])
    )


def cidrs(graph: Graph, tier: str) -> list[IPv4Network]:
    rows = [row["inputs"] for row in graph.of_type("Subnet") if row["inputs"]["tags"]["tier"] == tier]
    return [IPv4Network(row["cidrBlock"]) for row in rows]


def dns(graph: Graph) -> str:
    """The tenth address of the service network."""
    config = graph.named("cluster", "eks/cluster")["inputs"]["kubernetesNetworkConfig"]
    return str(IPv4Network(config["serviceIpv4Cidr"])[10])


def test_every_pod_resolves_names_gets_credentials_and_reaches_aws(graph: Graph) -> None:
    found = list(pods(graph))
    assert len(found) >= 6
    for pod in found:
        for protocol in ("UDP", "TCP"):
            assert allows(graph, pod, "egress", dns(graph), (protocol, 53)), pod.name
        assert allows(graph, pod, "egress", POD_IDENTITY, ("TCP", 80)), pod.name
        assert allows(graph, pod, "egress", AWS, ("TCP", 443)), pod.name
        endpoint = str(cidrs(graph, "private")[0][100])
        assert allows(graph, pod, "egress", endpoint, ("TCP", 443)), pod.name


def test_what_asks_to_be_scraped_is_reached_from_every_subnet_of_the_scraper(graph: Graph) -> None:
    job = yaml.safe_load((ROOT / "infra/operations/scrape.yaml").read_text())["scrape_configs"][0]
    (namespace,) = job["kubernetes_sd_configs"][0]["namespaces"]["names"]
    scraped = [pod for pod in pods(graph) if pod.annotations.get("prometheus.io/scrape") == "true"]
    assert {pod.labels["app.kubernetes.io/component"] for pod in scraped} == {"api", "worker"}
    for pod in scraped:
        assert pod.namespace == namespace
        port = int(pod.annotations["prometheus.io/port"])
        for block in cidrs(graph, "private"):
            assert allows(graph, pod, "ingress", str(block[100]), ("TCP", port)), pod.name


def test_the_balancer_reaches_what_answers_people(graph: Graph) -> None:
    (port,) = {int(row["inputs"]["port"]) for row in graph.of_type("lb/targetGroup")}
    for pod in pods(graph):
        if pod.labels["app.kubernetes.io/component"] == "api":
            for block in cidrs(graph, "private"):
                assert allows(graph, pod, "ingress", str(block[50]), ("TCP", port)), pod.name


def test_a_pod_reaches_the_stores_that_its_role_may_enter(graph: Graph) -> None:
    ports: dict[str, tuple[str, int]] = {"database": ("rds-db:connect", 3306), "cache": ("elasticache:Connect", 6379)}
    for pod in pods(graph):
        component = pod.labels["app.kubernetes.io/component"]
        roles = [row for row in graph.of_type("iam/rolePolicy") if row["name"] == f"identity-{component}"]
        policy: Any = roles[0]["inputs"]["policy"] if roles else ""
        for action, port in ports.values():
            may = action in policy or (component == "bootstrap" and port == 3306)
            for block in cidrs(graph, "data"):
                assert allows(graph, pod, "egress", str(block[10]), ("TCP", port)) is may, (pod.name, port)


def test_no_pod_is_open_to_another_but_on_the_ports_that_are_asked_for(graph: Graph) -> None:
    """The balancer and the scraper live beside the pods; what they may call is limited by who may call out."""
    every = list(pods(graph))
    other = str(cidrs(graph, "private")[0][OTHER_POD % cidrs(graph, "private")[0].num_addresses])
    for pod in every:
        for port in (22, 80, 3000, 3306, 6379, 8000, 8080, 9000):
            calls = allows(graph, pod, "egress", other, ("TCP", port))
            assert not calls, f"{pod.name} may call other pods on {port}"
