"""What holds a workload's objects, and how much may they use? Namespace, quota, limits, priorities, accounts."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_kubernetes as kubernetes

from infra.cluster import nodes
from infra.cluster.nodes import Capacity
from infra.workload.pods import API, TASK, WORKER, labels
from infra.workload.shape import COLOURS, WorkloadShape

SERVING, RENDERING = "tecnocursos-serving", "tecnocursos-rendering"
PRIORITIES = {SERVING: 100_000, RENDERING: 10_000}
SURGE = "25%"  # pods that a rollout adds, of those that run
NOTHING_ELSE = {"services.loadbalancers": "0", "services.nodeports": "0", "persistentvolumeclaims": "0"}
# A pod counts as ready only when the load balancer has it: a rollout waits for that.
BEHIND_BALANCER = {"eks.amazonaws.com/pod-readiness-gate-inject": "enabled"}
SYSTEM = Capacity(cpu=8000, memory=16384)  # what the cluster runs beside the service: add-ons, Grafana, agents
TASKS = 6  # pods of jobs and of the sweeper that may run at once


@dataclass(frozen=True)
class TenancyArgs:
    """What differs between namespaces.

    quota: the most that the namespace's pods may use. labels: beside Pod Security's. priorities: classes that are made
    with it, by name. accounts: names of the service accounts, one per way to run the image.
    """

    namespace: str
    quota: Mapping[str, str]
    accounts: Sequence[str]
    labels: Mapping[str, str] = field(default_factory=dict)
    priorities: Mapping[str, int] = field(default_factory=dict)


def surge(pods: int) -> int:
    """Pods that a rollout adds to so many; Kubernetes rounds up."""
    return math.ceil(pods * int(SURGE.rstrip("%")) / 100)


def needed(shape: WorkloadShape) -> dict[str, Capacity]:
    """What two colours in full swing with the tasks, and the workers, ask for."""
    api = len(COLOURS) * (shape.api.most + surge(shape.api.most))
    worker = shape.worker.most + surge(shape.worker.most)
    serving = Capacity(api * API.cpu + TASKS * TASK.cpu, api * API.memory + TASKS * TASK.memory)
    return {nodes.SERVING: serving, nodes.RENDERING: Capacity(worker * WORKER.cpu, worker * WORKER.memory)}


def capacity(shape: WorkloadShape) -> dict[str, Capacity]:
    """What the nodes may grow to for that: half as much again, since none is ever full, and the cluster's own pods."""
    return {
        purpose: Capacity(SYSTEM.cpu + one.cpu * 3 // 2, SYSTEM.memory + one.memory * 3 // 2)
        for purpose, one in needed(shape).items()
    }


def quota(shape: WorkloadShape) -> dict[str, str]:
    """The most that two colours in full swing, the workers and the tasks can use: what exceeds it is a mistake."""
    parts = needed(shape).values()
    cpu, memory = sum(one.cpu for one in parts), sum(one.memory for one in parts)
    pods = len(COLOURS) * shape.api.most + shape.worker.most
    surges = len(COLOURS) * surge(shape.api.most) + surge(shape.worker.most)
    return {
        "pods": str(pods + surges + TASKS),
        "requests.cpu": f"{cpu}m",
        "requests.memory": f"{memory}Mi",
        "limits.memory": f"{memory}Mi",
        **NOTHING_ELSE,
    }


class Tenancy(pulumi.ComponentResource):
    """The namespace and its bounds. `ready` must stand before anything runs in it."""

    namespace: pulumi.Output[str]
    ready: list[pulumi.Resource]

    def __init__(self, name: str, args: TenancyArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("tecnocursos:workload:Tenancy", name, None, opts)
        inside = pulumi.ResourceOptions(parent=self, deleted_with=opts.deleted_with)
        modes = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "audit", "warn")}
        namespace = kubernetes.core.v1.Namespace(
            f"{name}-namespace",
            metadata={
                "name": args.namespace,
                "labels": {**modes, **args.labels, **labels("namespace")},
            },
            opts=inside,
        )
        self.namespace = namespace.metadata.name
        bounds = kubernetes.core.v1.ResourceQuota(
            f"{name}-quota",
            metadata={"name": "service", "namespace": self.namespace, "labels": labels("bounds")},
            spec={"hard": dict(args.quota)},
            opts=inside,
        )
        limits = kubernetes.core.v1.LimitRange(
            f"{name}-limits",
            metadata={"name": "service", "namespace": self.namespace, "labels": labels("bounds")},
            spec={
                "limits": [
                    {
                        "type": "Container",
                        "default": {"memory": f"{TASK.memory}Mi"},
                        "default_request": {"cpu": f"{TASK.cpu}m", "memory": f"{TASK.memory}Mi"},
                        "max": {"memory": f"{2 * WORKER.memory}Mi"},
                    }
                ]
            },
            opts=inside,
        )
        priorities = [
            kubernetes.scheduling.v1.PriorityClass(
                f"{name}-priority-{label}",
                metadata={"name": label},
                value=value,
                global_default=False,
                description="Answers people: last to be evicted" if label == SERVING else "Can be done again later",
                opts=inside,
            )
            for label, value in args.priorities.items()
        ]
        accounts = [
            kubernetes.core.v1.ServiceAccount(
                f"{name}-account-{account}",
                metadata={"name": account, "namespace": self.namespace, "labels": labels(account)},
                # AWS credentials come from Pod Identity; nothing in the pod speaks to the Kubernetes API.
                automount_service_account_token=False,
                opts=inside,
            )
            for account in args.accounts
        ]
        self.ready = [bounds, limits, *priorities, *accounts]
        self.register_outputs({"namespace": self.namespace})
