"""What does an environment's committed graph allow? Autoscaler, requests, quota, database and cache, read as data."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from loadtests.capacity import Needs, Pod, connections

COLOURS = 2  # both run during a release, each behind an autoscaler of its own


@dataclass(frozen=True)
class Shape:
    """What bounds the service. surge: share of its pods that a rollout adds; others: the workers' pods and cores."""

    pod: Pod
    least: int
    most: int
    surge: float
    others_cores: float
    others_pods: int
    others_most: int  # without what a rollout adds
    quota_cores: float
    quota_pods: int
    most_pods: int  # that the service is told, for its pool arithmetic
    pool_size: int
    database_class: str
    cache_node: str


@dataclass(frozen=True)
class Change:
    """A setting that is too small for a rate."""

    setting: str
    now: str
    needed: str


def cores(quantity: str) -> float:
    """A quantity of CPU in cores."""
    return float(quantity[:-1]) / 1000 if quantity.endswith("m") else float(quantity)


def shape(graph: Sequence[Mapping[str, Any]]) -> Shape:
    """The shape of an environment. Raises KeyError or StopIteration when the graph has no such service."""
    inputs: dict[str, list[Any]] = {}
    for row in graph:
        inputs.setdefault(row["type"], []).append(row["inputs"])
    deployments = {row["metadata"]["name"]: row["spec"] for row in inputs["kubernetes:apps/v1:Deployment"]}
    scalers = {
        row["spec"]["scaleTargetRef"]["name"]: row["spec"]
        for row in inputs["kubernetes:autoscaling/v2:HorizontalPodAutoscaler"]
    }
    scaler = next(spec for name, spec in scalers.items() if name.startswith("api-"))
    deployment = deployments[scaler["scaleTargetRef"]["name"]]
    namespace = "tecnocursos"
    quota = next(
        row["spec"]["hard"]
        for row in inputs["kubernetes:core/v1:ResourceQuota"]
        if row["metadata"]["namespace"] == namespace
    )
    settings = next(
        row["data"] for row in inputs["kubernetes:core/v1:ConfigMap"] if "TECNOCURSOS_MOST_PODS" in row.get("data", {})
    )
    others = {name: spec for name, spec in scalers.items() if not name.startswith("api-")}
    return Shape(
        pod=Pod(_cores_of(deployment), scaler["metrics"][0]["resource"]["target"]["averageUtilization"] / 100),
        least=scaler["minReplicas"],
        most=scaler["maxReplicas"],
        surge=_share(deployment),
        others_cores=sum(
            surged(spec["maxReplicas"], _share(deployments[name])) * _cores_of(deployments[name])
            for name, spec in others.items()
        ),
        others_pods=sum(surged(spec["maxReplicas"], _share(deployments[name])) for name, spec in others.items()),
        others_most=sum(spec["maxReplicas"] for spec in others.values()),
        quota_cores=cores(quota["requests.cpu"]),
        quota_pods=int(quota["pods"]),
        most_pods=int(settings["TECNOCURSOS_MOST_PODS"]),
        pool_size=int(settings.get("TECNOCURSOS_DATABASE__POOL_SIZE", 16)),
        database_class=inputs["aws:rds/instance:Instance"][0]["instanceClass"],
        cache_node=inputs["aws:elasticache/replicationGroup:ReplicationGroup"][0]["nodeType"],
    )


def surged(pods: int, share: float) -> int:
    """Pods during a rollout; Kubernetes rounds up what is added."""
    return pods + math.ceil(pods * share)


def _share(deployment: Mapping[str, Any]) -> float:
    return float(deployment["strategy"]["rollingUpdate"]["maxSurge"].removesuffix("%")) / 100


def _cores_of(deployment: Mapping[str, Any]) -> float:
    return sum(
        cores(container["resources"]["requests"]["cpu"]) for container in deployment["template"]["spec"]["containers"]
    )


def changes(need: Needs, now: Shape, sizing: Mapping[str, Any]) -> list[Change]:
    """What must be raised before the estate carries a rate with one zone lost; empty when it does."""
    both, told = COLOURS * surged(need.pods, now.surge), COLOURS * need.pods + now.others_most
    quota_cores, quota_pods = both * need.pod.cpu + now.others_cores, both + now.others_pods
    possible = connections(_memory(now.database_class, sizing), sizing)
    larger = max(need.database_class or "", now.database_class, key=lambda name: _memory(name, sizing))
    pool, fits = now.pool_size, largest_pool(max(told, now.most_pods), larger, sizing)
    rows = [
        (now.most >= need.pods, "autoscaler: most pods", now.most, need.pods),
        (now.pod.cpu >= need.pod.cpu, "CPU request of a pod, cores", now.pod.cpu, need.pod.cpu),
        (now.quota_pods >= quota_pods, "quota: pods", now.quota_pods, quota_pods),
        (now.quota_cores >= quota_cores, "quota: CPU, cores", now.quota_cores, math.ceil(quota_cores)),
        (now.most_pods >= told, "TECNOCURSOS_MOST_PODS", now.most_pods, told),
        (_enough(need, now, sizing), "database class", now.database_class, need.database_class or "several, by shard"),
        (possible >= need.connections_used, "connections in use", possible, need.connections_used),
        (pool <= fits, "TECNOCURSOS_DATABASE__POOL_SIZE, at most", pool, fits),
        (need.cache_shards == 1, "cache: primaries", 1, need.cache_shards),
    ]
    return [Change(setting, f"{old}", f"{new}") for holds, setting, old, new in rows if not holds]


def largest_pool(pods: int, database: str, sizing: Mapping[str, Any]) -> int:
    """Connections of each of a pod's two pools that the service does not refuse at its start."""
    limit = _memory(database, sizing) * 2**30 / sizing["bytes_per_connection"]
    return int((limit - sizing["kept_free"]) / (2 * pods))


def _memory(database: str, sizing: Mapping[str, Any]) -> float:
    """GiB of a class; 0 for none."""
    return float(sizing["database_classes"].get(database, {"memory": 0})["memory"])


def _enough(need: Needs, now: Shape, sizing: Mapping[str, Any]) -> bool:
    """Whether the present class has the CPU."""
    return bool(
        sizing["database_classes"][now.database_class]["vcpu"] * sizing["database_share"] >= need.database_cores
    )
