"""What does an environment cost in a month, before and after? An estimate from list prices and assumed usage."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from delivery.events import State
from delivery.model import label

Prices = Mapping[str, Any]
Graph = Mapping[str, State]


@dataclass(frozen=True)
class Item:
    """One charge. service: the heading it is summed under; monthly: USD."""

    service: str
    monthly: float


@dataclass(frozen=True)
class Row:
    """One service before and after, USD a month."""

    service: str
    before: float
    after: float

    @property
    def difference(self) -> float:
        """What the change adds, negative where it saves."""
        return self.after - self.before


@dataclass(frozen=True)
class Estimate:
    """rows: dearest first; budget: USD a month that the environment's budget resource allows, if it has one.

    unpriced: resources of billed types whose class has no price or whose size is not known, so the sums lack them.
    """

    rows: tuple[Row, ...]
    budget: float | None
    unpriced: tuple[str, ...]
    as_of: str

    @property
    def before(self) -> float:
        """USD a month before."""
        return sum(row.before for row in self.rows)

    @property
    def after(self) -> float:
        """USD a month after."""
        return sum(row.after for row in self.rows)

    @property
    def over_budget(self) -> bool:
        """Whether the estimate afterwards is above the budget."""
        return self.budget is not None and self.after > self.budget


def compare(before: Graph, after: Graph, prices: Prices, environment: str) -> Estimate:
    """Sum both sides by service. Resources of types without a price cost nothing or are not worth a line."""
    sides = [_sums(side, prices, environment) for side in (before, after)]
    services = {service for sums, _ in sides for service in sums}
    rows = [Row(service, sides[0][0].get(service, 0.0), sides[1][0].get(service, 0.0)) for service in services]
    return Estimate(
        rows=tuple(sorted(rows, key=lambda row: (-max(row.after, row.before), row.service))),
        budget=_budget(after),
        unpriced=tuple(sorted(sides[1][1])),
        as_of=str(prices["as_of"]),
    )


def _sums(graph: Graph, prices: Prices, environment: str) -> tuple[dict[str, float], set[str]]:
    usage = prices["usage"].get(environment) or prices["usage"]["dev"]
    sums: dict[str, float] = {}
    unpriced: set[str] = set()
    for urn, state in graph.items():
        if charge := _CHARGES.get(state.type):
            try:
                items = list(charge(state.inputs, graph, prices, usage))
            except (AttributeError, KeyError, TypeError, ValueError):
                # A class without a price, or a size that only the deployment will tell.
                unpriced.add(label(urn))
                continue
            for item in items:
                sums[item.service] = sums.get(item.service, 0.0) + item.monthly
    return sums, unpriced


def _budget(graph: Graph) -> float | None:
    limits = [
        float(state.inputs["limitAmount"])
        for state in graph.values()
        if state.type == "aws:budgets/budget:Budget"
        and state.inputs.get("timeUnit") == "MONTHLY"
        and str(state.inputs.get("limitAmount", "")).replace(".", "", 1).isdecimal()
    ]
    return min(limits) if limits else None


def _cluster(_: Any, graph: Graph, prices: Prices, __: Any) -> Iterator[Item]:
    eks, hours = prices["eks"], prices["hours_per_month"]
    yield Item("EKS control plane", eks["cluster_hour"] * hours)
    node_hour = eks["vcpu_hour"] * (1 + eks["auto_mode_share"])
    yield Item("EKS Auto Mode nodes", requested_vcpus(graph) * node_hour * hours)


def requested_vcpus(graph: Graph) -> float:
    """vCPUs that the Deployments request at their least number of replicas."""
    least = {
        state.inputs["spec"]["scaleTargetRef"]["name"]: state.inputs["spec"].get("minReplicas", 1)
        for state in graph.values()
        if state.type == "kubernetes:autoscaling/v2:HorizontalPodAutoscaler"
    }
    total = 0.0
    for state in graph.values():
        if state.type == "kubernetes:apps/v1:Deployment":
            spec, name = state.inputs["spec"], state.inputs.get("metadata", {}).get("name")
            containers = spec["template"]["spec"]["containers"]
            cpus = sum(_cpus(one.get("resources", {}).get("requests", {}).get("cpu", 0)) for one in containers)
            total += cpus * (spec.get("replicas") or least.get(name, 1))
    return total


def _cpus(quantity: object) -> float:
    """A Kubernetes CPU quantity: `250m` or a number of cores."""
    text = str(quantity)
    return float(text[:-1]) / 1000 if text.endswith("m") else float(text)


def _database(inputs: Mapping[str, Any], _: Graph, prices: Prices, usage: Mapping[str, float]) -> Iterator[Item]:
    rds, copies = prices["rds"], 2 if inputs.get("multiAz") else 1
    yield Item("RDS instance", rds["classes"][inputs["instanceClass"]]["hour"] * prices["hours_per_month"] * copies)
    yield Item("RDS storage", inputs.get("allocatedStorage", 0) * rds["storage_gb_month"] * copies)
    yield Item("RDS backups", usage["backup_gb"] * rds["backup_gb_month"])


def _proxy(_: Any, graph: Graph, prices: Prices, __: Any) -> Iterator[Item]:
    classes = [state.inputs["instanceClass"] for state in graph.values() if state.type == "aws:rds/instance:Instance"]
    vcpus = max((prices["rds"]["classes"][name]["vcpu"] for name in classes), default=2)
    yield Item("RDS Proxy", vcpus * prices["rds"]["proxy_vcpu_hour"] * prices["hours_per_month"])


def _cache(inputs: Mapping[str, Any], _: Graph, prices: Prices, __: Any) -> Iterator[Item]:
    nodes = inputs.get("numCacheClusters", 1)
    yield Item("ElastiCache nodes", prices["cache"][inputs["nodeType"]] * nodes * prices["hours_per_month"])


def _nat(_: Any, __: Graph, prices: Prices, usage: Mapping[str, float]) -> Iterator[Item]:
    network = prices["network"]
    yield Item("NAT gateways", network["nat_hour"] * prices["hours_per_month"] + network["nat_gb"] * usage["nat_gb"])


def _endpoint(inputs: Mapping[str, Any], _: Graph, prices: Prices, __: Any) -> Iterator[Item]:
    if inputs.get("vpcEndpointType") == "Interface":
        zones = len(inputs.get("subnetIds", ())) or 1
        yield Item("VPC endpoints", zones * prices["network"]["endpoint_zone_hour"] * prices["hours_per_month"])


def _address(_: Any, __: Graph, prices: Prices, ___: Any) -> Iterator[Item]:
    yield Item("Public addresses", prices["network"]["public_address_hour"] * prices["hours_per_month"])


def _balancer(_: Any, __: Graph, prices: Prices, usage: Mapping[str, float]) -> Iterator[Item]:
    network = prices["network"]
    hour = network["balancer_hour"] + network["balancer_unit_hour"] * usage["balancer_units"]
    yield Item("Load balancer", hour * prices["hours_per_month"])


def _distribution(_: Any, __: Graph, prices: Prices, usage: Mapping[str, float]) -> Iterator[Item]:
    edge = prices["edge"]
    transfer, requests = edge["transfer_gb"] * usage["edge_gb"], edge["requests_million"] * usage["requests_million"]
    yield Item("CloudFront", transfer + requests)


def _firewall(inputs: Mapping[str, Any], _: Graph, prices: Prices, usage: Mapping[str, float]) -> Iterator[Item]:
    edge = prices["edge"]
    fixed = edge["firewall_list_month"] + edge["firewall_rule_month"] * len(inputs.get("rules", ()))
    yield Item("WAF", fixed + edge["firewall_requests_million"] * usage["requests_million"])


def _bucket(inputs: Mapping[str, Any], _: Graph, prices: Prices, usage: Mapping[str, float]) -> Iterator[Item]:
    if "media" in str(inputs.get("bucketPrefix") or inputs.get("bucket") or inputs.get("tags", {}).get("Name", "")):
        yield Item("S3 media", prices["storage"]["gb_month"] * usage["media_gb"])


def _logs(_: Any, graph: Graph, prices: Prices, usage: Mapping[str, float]) -> Iterator[Item]:
    groups = sum(state.type == "aws:cloudwatch/logGroup:LogGroup" for state in graph.values())
    yield Item("CloudWatch logs", prices["watching"]["log_gb"] * usage["log_gb"] / groups)


def _workspace(_: Any, __: Graph, prices: Prices, usage: Mapping[str, float]) -> Iterator[Item]:
    yield Item("Managed Prometheus", prices["watching"]["samples_million"] * usage["samples_million"])


def _scraper(_: Any, __: Graph, prices: Prices, ___: Any) -> Iterator[Item]:
    yield Item("Managed Prometheus", prices["watching"]["scraper_hour"] * prices["hours_per_month"])


def _vault(_: Any, graph: Graph, prices: Prices, usage: Mapping[str, float]) -> Iterator[Item]:
    yield Item("AWS Backup", prices["storage"]["backup_gb_month"] * usage["backup_gb"])


def _flat(service: str, *path: str) -> Callable[..., Iterator[Item]]:
    """A charge that is the same for every resource of its type."""

    def charge(_: Any, __: Graph, prices: Prices, ___: Any) -> Iterator[Item]:
        yield Item(service, prices[path[0]][path[1]])

    return charge


_CHARGES: Mapping[str, Callable[..., Iterator[Item]]] = {
    "aws:amp/scraper:Scraper": _scraper,
    "aws:amp/workspace:Workspace": _workspace,
    "aws:backup/vault:Vault": _vault,
    "aws:cloudfront/distribution:Distribution": _distribution,
    "aws:cloudwatch/logGroup:LogGroup": _logs,
    "aws:cloudwatch/metricAlarm:MetricAlarm": _flat("CloudWatch alarms", "watching", "alarm_month"),
    "aws:ec2/eip:Eip": _address,
    "aws:ec2/natGateway:NatGateway": _nat,
    "aws:ec2/vpcEndpoint:VpcEndpoint": _endpoint,
    "aws:eks/cluster:Cluster": _cluster,
    "aws:elasticache/replicationGroup:ReplicationGroup": _cache,
    "aws:kms/key:Key": _flat("KMS keys", "security", "key_month"),
    "aws:kms/replicaKey:ReplicaKey": _flat("KMS keys", "security", "key_month"),
    "aws:lb/loadBalancer:LoadBalancer": _balancer,
    "aws:rds/instance:Instance": _database,
    "aws:rds/proxy:Proxy": _proxy,
    "aws:route53/healthCheck:HealthCheck": _flat("Route 53", "edge", "health_check_month"),
    "aws:route53/zone:Zone": _flat("Route 53", "edge", "zone_month"),
    "aws:s3/bucket:Bucket": _bucket,
    "aws:secretsmanager/secret:Secret": _flat("Secrets Manager", "security", "secret_month"),
    "aws:wafv2/webAcl:WebAcl": _firewall,
}
