"""How much of everything does a rate need? Pure: from CPU per request and the assumptions of sizing.yaml."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Cost:
    """What one request of the full mix costs: milliseconds of CPU of each part, and of time its statements took."""

    api: float
    database: float
    cache: float
    query: float


@dataclass(frozen=True)
class Pod:
    """An API pod: cores it asks for, and the share of them at which the autoscaler adds another."""

    cpu: float
    utilisation: float


@dataclass(frozen=True)
class Needs:
    """What a rate needs, with one zone lost. cores: that requests use in the API; connections: in use, and at most."""

    rate: float
    cores: float
    pod: Pod
    pods: int
    connections_used: int
    connections_most: int
    database_cores: float
    database_class: str | None  # None: more than the largest
    cache_cores: float
    cache_shards: int


def pods_for(cores: float, pod: Pod, zones: int, process_share: float) -> int:
    """Pods at which the autoscaler rests, and enough of them that those outside any one zone carry everything.

    Pods are spread evenly, so a zone holds a share of them rounded up. A process is one event loop: one core at most.
    """
    resting = max(1, math.ceil(cores / (pod.cpu * pod.utilisation) - 1e-9))
    surviving = max(1, math.ceil(cores / process_share - 1e-9))
    pods = max(resting, surviving)
    while pods - math.ceil(pods / zones) < surviving:
        pods += 1
    return pods


def needs(rate: float, cost: Cost, pod: Pod, sizing: Mapping[str, Any]) -> Needs:
    """What `rate` requests per second need; pods grow to the larger shape where there would be too many small ones."""
    cores = rate * cost.api / 1000
    pods = pods_for(cores, pod, sizing["zones"], sizing["process_share"])
    if pods > sizing["most_small_pods"]:
        larger = Pod(**sizing["larger_pod"])
        if larger.cpu > pod.cpu:
            pod, pods = larger, pods_for(cores, larger, sizing["zones"], sizing["process_share"])
    used = math.ceil(rate * cost.query / 1000 * sizing["in_use_margin"])
    database_cores = rate * cost.database / 1000
    cache_cores = rate * cost.cache / 1000
    return Needs(
        rate=rate,
        cores=cores,
        pod=pod,
        pods=pods,
        connections_used=used,
        connections_most=pods * sizing["pool_connections"],
        database_cores=database_cores,
        database_class=database_class(database_cores, used, sizing),
        cache_cores=cache_cores,
        cache_shards=max(1, math.ceil(cache_cores / sizing["cache_share"] - 1e-9)),
    )


def connections(memory: float, sizing: Mapping[str, Any]) -> int:
    """Connections that the proxy may open to a database of this many GiB."""
    return int(memory * 2**30 / sizing["bytes_per_connection"] * sizing["proxy_share"])


def database_class(cores: float, used: int, sizing: Mapping[str, Any]) -> str | None:
    """The smallest class with enough CPU and connections; None when even the largest is too small."""
    for name, size in sorted(sizing["database_classes"].items(), key=lambda row: float(row[1]["vcpu"])):
        if size["vcpu"] * sizing["database_share"] >= cores and connections(size["memory"], sizing) >= used:
            return str(name)
    return None


@dataclass(frozen=True)
class Bill:
    """USD a month at that rate all day: nodes for the pods, database with its standby and proxy, cache, and edge.

    edge: the charges per request of CDN and firewall. Transfer and storage are not in it.
    """

    nodes: float
    database: float | None
    cache: float
    edge: float


def bill(need: Needs, prices: Mapping[str, Any], sizing: Mapping[str, Any], cache_node: str) -> Bill:
    """The cost of what a rate needs, from list prices. A class without a price is priced by its size."""
    hours = prices["hours_per_month"]
    node_hour = prices["eks"]["vcpu_hour"] * (1 + prices["eks"]["auto_mode_share"])
    database = None
    if need.database_class is not None:
        vcpu = sizing["database_classes"][need.database_class]["vcpu"]
        known = prices["rds"]["classes"]
        reference = known["db.m7g.xlarge"]
        hour = known.get(need.database_class, {"hour": reference["hour"] * vcpu / reference["vcpu"]})["hour"]
        database = hours * (2 * hour + vcpu * prices["rds"]["proxy_vcpu_hour"])
    per_request = (prices["edge"]["requests_million"] + prices["edge"]["firewall_requests_million"]) / 1e6
    return Bill(
        nodes=need.pods * need.pod.cpu * node_hour * hours,
        database=database,
        cache=need.cache_shards * sizing["zones"] * prices["cache"][cache_node] * hours,
        edge=need.rate * 3600 * hours * per_request,
    )
