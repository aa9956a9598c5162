"""What does a pod of the service look like? Pure builders: no resource is made here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
from pulumi_kubernetes.core import v1 as core
from pulumi_kubernetes.meta import v1 as meta

from infra.workload import leaving

USER = 10001  # of the image; above 10000 so that it is nobody on the node
HTTP_PORT = 8000
METRICS_PORT = 9000

LOGS_MIB = 512  # of the node's disk beside the volumes: what a pod writes to its log until that is rotated
# Rendered scenes are kept for the next video; at most as much again is being rendered before old ones are thrown away.
WORKER_CACHE_BYTES = 2 * 2**30
HEARTBEAT = "/tmp/heartbeat"  # noqa: S108 (a volume of the pod's own) the worker touches it between jobs


@dataclass(frozen=True)
class Resources:
    """cpu: request in millicores; no limit, for throttling hurts latency. memory: request and limit in MiB.

    scratch: MiB of the node's disk for temporary files. A pod that takes more is evicted, with whatever it was doing.
    """

    cpu: int
    memory: int
    scratch: int = 256

    def requirements(self) -> core.ResourceRequirementsArgsDict:
        """As Kubernetes writes them; memory is not overcommitted, so a pod is never killed for its neighbour's use."""
        memory = f"{self.memory}Mi"
        return {
            "requests": {"cpu": f"{self.cpu}m", "memory": memory, "ephemeral-storage": f"{self.scratch}Mi"},
            "limits": {"memory": memory, "ephemeral-storage": f"{self.scratch + LOGS_MIB}Mi"},
        }


API = Resources(cpu=500, memory=512)
WORKER = Resources(cpu=1000, memory=1536, scratch=6144)
TASK = Resources(cpu=100, memory=256)


@dataclass(frozen=True)
class Configuration:
    """Where a pod finds its settings: the ConfigMap with everything that may be read, and the name of the secret.

    The secret's name is no secret, but a ConfigMap key that is called like one invites people to put it there.
    """

    config_map: pulumi.Input[str]
    secret_name: pulumi.Input[str]


@dataclass(frozen=True)
class Role:
    """One way to run the image: `python -m service ARGUMENTS` under the service account called like the role.

    serves: answers HTTP. measured: has metrics to scrape.
    """

    name: str
    arguments: tuple[str, ...]
    resources: Resources
    priority: str
    grace_seconds: int = 30
    serves: bool = False
    measured: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)


def labels(role: str, **more: str) -> dict[str, str]:
    """The recommended labels; `role` is the component, `more` what tells pods of one component apart."""
    return {
        "app.kubernetes.io/name": "tecnocursos",
        "app.kubernetes.io/component": role,
        "app.kubernetes.io/part-of": "tecnocursos",
        "app.kubernetes.io/managed-by": "pulumi",
        **more,
    }


def selector(role: str, **more: str) -> dict[str, str]:
    """The part of the labels that selects pods and never changes."""
    return {"app.kubernetes.io/name": "tecnocursos", "app.kubernetes.io/component": role, **more}


def template(
    role: Role,
    image: pulumi.Input[str],
    config: Configuration,
    variables: Mapping[str, pulumi.Input[str]] | None = None,
    *,
    arguments: Sequence[pulumi.Input[str]] = (),
    restart: str = "Always",
    spread: Sequence[core.TopologySpreadConstraintArgsDict] = (),
) -> core.PodTemplateSpecArgsDict:
    """A pod template that Pod Security's `restricted` accepts.

    variables, arguments: settings and arguments of this role alone.
    """
    scraped = {"prometheus.io/scrape": "true", "prometheus.io/port": str(METRICS_PORT)} if role.measured else {}
    return {
        "metadata": {"labels": labels(role.name, **role.labels), "annotations": scraped},
        "spec": {
            "service_account_name": role.name,
            "automount_service_account_token": False,
            "enable_service_links": False,
            "priority_class_name": role.priority,
            "restart_policy": restart,
            "termination_grace_period_seconds": role.grace_seconds,
            "security_context": nobody(),
            "topology_spread_constraints": list(spread),
            "containers": [container(role, image, config, variables or {}, arguments)],
            "volumes": [{"name": "tmp", "empty_dir": {"size_limit": f"{role.resources.scratch}Mi"}}],
        },
    }


def nobody() -> core.PodSecurityContextArgsDict:
    """A pod whose processes belong to no user of the node."""
    return {
        "run_as_non_root": True,
        "run_as_user": USER,
        "run_as_group": USER,
        "fs_group": USER,
        "seccomp_profile": {"type": "RuntimeDefault"},
    }


def powerless() -> core.SecurityContextArgsDict:
    """A container that can change nothing but its volumes."""
    return {
        "allow_privilege_escalation": False,
        "read_only_root_filesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def container(
    role: Role,
    image: pulumi.Input[str],
    config: Configuration,
    variables: Mapping[str, pulumi.Input[str]],
    arguments: Sequence[pulumi.Input[str]],
) -> core.ContainerArgsDict:
    """The one container of a pod."""
    environment = {"TECNOCURSOS_AWS_SECRET": config.secret_name, **variables}
    made: core.ContainerArgsDict = {
        "name": role.name,
        "image": image,
        "image_pull_policy": "IfNotPresent",
        "args": [*role.arguments, *arguments],  # of the image's own command, `python -m service`
        "env_from": [{"config_map_ref": {"name": config.config_map}}],
        "env": [{"name": name, "value": value} for name, value in sorted(environment.items())],
        "resources": role.resources.requirements(),
        "security_context": powerless(),
        "volume_mounts": [{"name": "tmp", "mount_path": "/tmp"}],  # noqa: S108
        "termination_message_policy": "FallbackToLogsOnError",
    }
    if role.serves:
        return {**made, **_serving()}
    return made


def _serving() -> core.ContainerArgsDict:
    """Ports, probes and the way out of a pod that answers requests.

    The pre-stop sleep outlasts the load balancer's deregistration; readiness follows the service's own drain.
    """
    live: core.HTTPGetActionArgsDict = {"path": "/livez", "port": "http"}
    ready: core.HTTPGetActionArgsDict = {"path": "/readyz", "port": "http"}
    return {
        "ports": [
            {"name": "http", "container_port": HTTP_PORT, "protocol": "TCP"},
            {"name": "metrics", "container_port": METRICS_PORT, "protocol": "TCP"},
        ],
        "startup_probe": {"http_get": live, "period_seconds": 2, "timeout_seconds": 2, "failure_threshold": 30},
        "readiness_probe": {"http_get": ready, "period_seconds": 5, "timeout_seconds": 3, "failure_threshold": 2},
        "liveness_probe": {"http_get": live, "period_seconds": 10, "timeout_seconds": 3, "failure_threshold": 6},
        "lifecycle": {"pre_stop": {"sleep": {"seconds": leaving.PRE_STOP_SECONDS}}},
    }


def heartbeat_probe() -> core.ProbeArgsDict:
    """A worker is alive while its consumer loop touches the heartbeat file."""
    check = f'test -n "$(find {HEARTBEAT} -mmin -2)"'
    return {
        "exec_": {"command": ["sh", "-c", check]},
        "initial_delay_seconds": 30,
        "period_seconds": 30,
        "timeout_seconds": 5,
        "failure_threshold": 3,
    }


def spread(match: Mapping[str, str]) -> list[core.TopologySpreadConstraintArgsDict]:
    """Over zones always, over hosts where possible.

    `Honor` leaves out the nodes of a zone that is being lost: its share moves to the others instead of waiting.
    Only placing is decided here: Kubernetes chooses by node, not by zone, which pods a smaller number no longer needs,
    so that they may stand unevenly until the next rollout.
    """
    chosen: meta.LabelSelectorArgsDict = {"match_labels": dict(match)}
    return [
        {
            "max_skew": 1,
            "topology_key": "topology.kubernetes.io/zone",
            "when_unsatisfiable": "DoNotSchedule",
            "node_taints_policy": "Honor",
            "label_selector": chosen,
            "match_label_keys": ["pod-template-hash"],
        },
        {
            "max_skew": 1,
            "topology_key": "kubernetes.io/hostname",
            "when_unsatisfiable": "ScheduleAnyway",
            "node_taints_policy": "Honor",
            "label_selector": chosen,
            "match_label_keys": ["pod-template-hash"],
        },
    ]
