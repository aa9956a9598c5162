"""Which parts does an environment have, where do they stand, and what flows between them? A graph in, a diagram out."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Row = Mapping[str, Any]
TIERS = ("public", "private", "data")
POD, USERS, INTERNET = "pods", "users", "internet"
_CLUSTER = "aws:eks/cluster:Cluster"


@dataclass(frozen=True)
class Card:
    """One part of the drawing. key: the URN, or a word for what has none; zones: empty when it is not bound to any."""

    key: str
    title: str
    lines: tuple[str, ...]
    icon: str
    place: str
    tier: str = ""
    zones: tuple[str, ...] = ()


@dataclass(frozen=True)
class Flow:
    """Something that goes from one card to another. text: what goes, in a few words."""

    source: str
    target: str
    text: str


@dataclass(frozen=True)
class Diagram:
    """Everything that is drawn. subnets: (tier, zone) to address block; cards elsewhere have place `recovery`."""

    title: str
    resources: int
    region: str
    recovery: str
    network: str
    zones: tuple[str, ...]
    subnets: Mapping[tuple[str, str], str]
    cards: tuple[Card, ...]
    flows: tuple[Flow, ...]


def diagram(rows: Sequence[Row], kinds: Mapping[str, Mapping[str, Any]]) -> Diagram:
    """The drawing's content. rows: a canonical graph; kinds: data/architecture.yaml."""
    graph = _Graph(rows)
    cards = list(_cards(graph, kinds))
    keys = {card.key for card in cards}
    flows = [flow for flow in _flows(graph) if {flow.source, flow.target} <= keys]
    return Diagram(
        title=next((row["name"] for row in rows if row["type"] == "pulumi:pulumi:Stack"), ""),
        resources=sum(row["type"].startswith(("aws:", "kubernetes:")) for row in rows),
        region=graph.region,
        recovery=next((graph.region_of(row) for row in rows if graph.elsewhere(row)), ""),
        network=next((str(row["inputs"].get("cidrBlock", "")) for row in rows if row["type"] == "aws:ec2/vpc:Vpc"), ""),
        zones=graph.zones,
        subnets={(tier, zone): block for tier, zone, block in graph.subnets.values()},
        cards=tuple(cards),
        flows=tuple(dict.fromkeys(flows)),
    )


class _Graph:
    """Look-ups over the rows."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = {row["urn"]: row for row in rows}
        provider = next((row for row in rows if row["type"] == "pulumi:providers:aws"), None)
        self.region = str(provider["inputs"].get("region", "")) if provider else ""
        self.subnets = {
            row["urn"]: (
                str((row["inputs"].get("tags") or {}).get("tier", "private")),
                str(row["inputs"].get("availabilityZoneId") or row["inputs"].get("availabilityZone", "")),
                str(row["inputs"].get("cidrBlock", "")),
            )
            for row in rows
            if row["type"] == "aws:ec2/subnet:Subnet"
        }
        self.zones = tuple(sorted({zone for _, zone, _ in self.subnets.values()}))

    def of_type(self, *tokens: str) -> Iterator[Row]:
        return (row for row in self.rows.values() if row["type"] in tokens)

    def linked(self, row: Row, *properties: str) -> list[Row]:
        """The rows that these properties refer to; all properties when none is named."""
        links = row.get("propertyDependencies") or {}
        urns = [urn for name, found in links.items() if not properties or name in properties for urn in found]
        return [self.rows[urn] for urn in urns if urn in self.rows]

    def region_of(self, row: Row) -> str:
        region = row["inputs"].get("region") or self.region
        return region if isinstance(region, str) else self.region

    def elsewhere(self, row: Row) -> bool:
        """In the recovery region: not in the first one, nor in the one that CloudFront makes everybody use."""
        return bool(self.region) and self.region_of(row) not in (self.region, "us-east-1")

    def placed(self, row: Row) -> list[tuple[str, str, str]]:
        """The subnets that a resource stands in, directly or through its subnet group."""
        groups = [one for one in self.linked(row) if one["type"].endswith(":SubnetGroup")]
        for name in ("dbSubnetGroupName", "subnetGroupName"):
            wanted = row["inputs"].get(name)
            groups += [
                one
                for one in self.rows.values()
                if one["type"].endswith(":SubnetGroup")
                and one["type"].split(":")[1].split("/")[0] == row["type"].split(":")[1].split("/")[0]
                and wanted
                and one["inputs"].get("name") == wanted
            ]
        found = [one["urn"] for start in (row, *groups) for one in self.linked(start)]
        return [self.subnets[urn] for urn in dict.fromkeys(found) if urn in self.subnets]


def _cards(graph: _Graph, kinds: Mapping[str, Mapping[str, Any]]) -> Iterator[Card]:
    if any(graph.of_type("aws:cloudfront/distribution:Distribution")):
        yield Card(USERS, "Visitors", ("browser, HTTPS",), "people", "edge")
    dead = {
        one["urn"] for queue in graph.of_type("aws:sqs/queue:Queue") for one in graph.linked(queue, "redrivePolicy")
    }
    for token, kind in kinds.items():
        rows = [row for row in graph.of_type(token) if row["urn"] not in dead]
        for region in sorted({graph.elsewhere(row) for row in rows}):
            here = [row for row in rows if graph.elsewhere(row) == region]
            if kind.get("merge"):
                yield _card(graph, kind, here[0], _merged(kind, here), region)
            else:
                yield from (_card(graph, kind, row, _details(graph, row), region) for row in here)
    for cluster in graph.of_type(_CLUSTER):
        yield Card(POD, "Pods on EKS Auto Mode", _workloads(graph), "cube", "vpc", "private", graph.zones)
        if graph.linked(cluster):
            break
    if any(graph.of_type("aws:ec2/internetGateway:InternetGateway")):
        yield Card(INTERNET, "Internet", ("outgoing only",), "globe", "edge")


def _card(graph: _Graph, kind: Mapping[str, Any], row: Row, lines: Iterable[str], elsewhere: bool) -> Card:
    placed = graph.placed(row)
    tier = placed[0][0] if placed else kind.get("tier", "")
    zones = tuple(sorted({zone for _, zone, _ in placed}))
    place = "recovery" if elsewhere else kind["place"]
    key = kind["title"] + place if kind.get("merge") else row["urn"]
    return Card(key, kind["title"], tuple(filter(None, lines)), kind["icon"], place, tier, zones)


def _merged(kind: Mapping[str, Any], rows: Sequence[Row]) -> Iterator[str]:
    services = [str(row["inputs"].get("serviceName", "")) for row in rows]
    if any(services):
        names = sorted(re.sub(r"^com\.amazonaws\.[^.]+\.", "", name) for name in services)
        yield f"{len(rows)}: {', '.join(names)}"
    else:
        yield f"{len(rows)} {kind['noun']}{'' if len(rows) == 1 else 's'}"


def _details(graph: _Graph, row: Row) -> Iterator[str]:
    """One or two short lines that tell this resource from others of its type."""
    inputs, kind = row["inputs"], row["type"].rpartition(":")[2]
    match kind:
        case "Instance":
            yield f"{inputs.get('engineVersion', '')} on {inputs.get('instanceClass', '')}"
            yield "primary and standby" if inputs.get("multiAz") else "one zone"
        case "ReplicationGroup":
            count = int(inputs.get("numCacheClusters") or 1)
            yield f"{inputs.get('engineVersion', '')} on {inputs.get('nodeType', '')}"
            yield "one node" if count == 1 else f"primary and {count - 1} replica{'s' if count > 2 else ''}"
        case "Cluster":
            public = (inputs.get("vpcConfig") or {}).get("endpointPublicAccess")
            yield f"Kubernetes {inputs.get('version', '')}"
            yield "API private and, from listed addresses, public" if public else "API private"
        case "LoadBalancer":
            yield "internal" if inputs.get("internal") else "public"
        case "NatGateway":
            served = [one for one in graph.of_type("aws:ec2/route:Route") if row in graph.linked(one, "natGatewayId")]
            yield f"for {len(served)} zone{'' if len(served) == 1 else 's'}"
        case "WebAcl":
            yield f"{len(inputs.get('rules') or ())} rules"
        case "Queue":
            yield "with dead letters" if graph.linked(row, "redrivePolicy") else ""
        case "Zone":
            yield str(inputs.get("name", ""))
        case "Distribution":
            yield ", ".join(str(alias) for alias in inputs.get("aliases") or ())
        case "Budget":
            yield f"{inputs.get('limitAmount', '')} {inputs.get('limitUnit', '')} a month"
        case "Proxy":
            yield "IAM and TLS only" if inputs.get("requireTls") else ""
        case _:
            yield row["name"]


def _workloads(graph: _Graph) -> tuple[str, ...]:
    names = sorted(
        str((row["inputs"].get("metadata") or {}).get("name", row["name"]))
        for row in graph.of_type("kubernetes:apps/v1:Deployment")
    )
    return (", ".join(names),) if names else ()


def _flows(graph: _Graph) -> Iterator[Flow]:
    """In the order in which a request meets them."""
    for edge in graph.of_type("aws:cloudfront/distribution:Distribution"):
        firewall = "through WAF" if graph.linked(edge, "webAclId") else "HTTPS"
        yield Flow(USERS, edge["urn"], f"HTTPS {firewall}" if firewall != "HTTPS" else firewall)
        for origin in graph.linked(edge, "origins"):
            if origin["type"] == "aws:lb/loadBalancer:LoadBalancer":
                yield Flow(edge["urn"], origin["urn"], "API and WebSocket, VPC origin")
            elif origin["type"] == "aws:s3/bucket:Bucket" and not graph.elsewhere(origin):
                yield Flow(edge["urn"], origin["urn"], "media, origin access control")
    rules = list(_rules(graph))
    behind = {flow.target for flow in rules if flow.source == POD}
    yield from sorted(rules, key=lambda flow: (flow.source in behind, flow.source == POD, flow.text))
    yield from _permissions(graph)
    for scraper in graph.of_type("aws:amp/scraper:Scraper"):
        for workspace in graph.linked(scraper, "destination"):
            yield Flow(POD, workspace["urn"], "metrics, by scraper")
    for route in graph.of_type("aws:ec2/route:Route"):
        for gateway in graph.linked(route, "natGatewayId"):
            yield Flow(gateway["urn"], INTERNET, "outgoing, by NAT")
    yield from _copies(graph)


def _rules(graph: _Graph) -> Iterator[Flow]:
    """Who may open a connection to whom, by the security groups' rules."""
    for rule in graph.of_type("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"):
        port = rule["inputs"].get("fromPort")
        text = f"{rule['inputs'].get('ipProtocol', '')} {int(port) if isinstance(port, int | float) else ''}".strip()
        for group in graph.linked(rule, "referencedSecurityGroupId"):
            for mine in graph.linked(rule, "securityGroupId"):
                for source in _members(graph, group):
                    yield from (Flow(source, target, text) for target in _members(graph, mine))


def _members(graph: _Graph, group: Row) -> list[str]:
    """The cards that a security group stands for; the cluster's own group stands for its pods."""
    if group["type"] == _CLUSTER:
        return [POD]
    return [
        row["urn"] for row in graph.rows.values() if group in graph.linked(row) and "/securityGroup" not in row["type"]
    ]


def _permissions(graph: _Graph) -> Iterator[Flow]:
    """What pods may use by their roles."""
    roles = {
        role["urn"]
        for one in graph.of_type("aws:eks/podIdentityAssociation:PodIdentityAssociation")
        for role in graph.linked(one, "roleArn")
    }
    texts = {"Queue": "jobs, HTTPS", "Bucket": "media objects, HTTPS", "Secret": "secrets, HTTPS"}
    found = set()
    for policy in graph.of_type("aws:iam/rolePolicy:RolePolicy"):
        if any(role["urn"] in roles for role in graph.linked(policy, "role")):
            found |= {one["urn"] for one in graph.linked(policy, "policy")}
    for urn in sorted(found):
        kind = graph.rows[urn]["type"].rpartition(":")[2]
        if kind in texts:
            yield Flow(POD, "Secrets Managerservice" if kind == "Secret" else urn, texts[kind])


def _copies(graph: _Graph) -> Iterator[Flow]:
    """What is kept in the recovery region as well."""
    for copy in graph.of_type("aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication"):
        yield from (
            Flow(one["urn"], copy["urn"], "backups, continuous") for one in graph.linked(copy, "sourceDbInstanceArn")
        )
    for rule in graph.of_type("aws:s3/bucketReplicationConfig:BucketReplicationConfig"):
        for source in graph.linked(rule, "bucket"):
            targets = [one for one in graph.linked(rule, "rules") if one["type"] == "aws:s3/bucket:Bucket"]
            yield from (Flow(source["urn"], one["urn"], "objects, replicated") for one in targets if one is not source)
    for plan in graph.of_type("aws:backup/plan:Plan"):
        vaults = [one for one in graph.linked(plan) if one["type"] == "aws:backup/vault:Vault"]
        for source in vaults:
            targets = [one for one in vaults if graph.elsewhere(one) and not graph.elsewhere(source)]
            yield from (Flow(source["urn"], one["urn"], "recovery points, copied") for one in targets)
