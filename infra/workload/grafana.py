"""Where are the dashboards looked at? Grafana, with everything it shows provisioned from committed files.

It keeps nothing: no password, no user, no database that matters. Nobody can change a dashboard there, everyone who
reaches it may read. It is reached with `kubectl port-forward` alone, so the cluster's access entries say who may.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as kubernetes

from infra.cluster.cluster import Cluster
from infra.cluster.identity import only
from infra.foundation import roles
from infra.foundation.environment import Environment
from infra.foundation.iam import Statement, trust
from infra.workload import pods
from infra.workload.colour import disruption_spec, rollout_timeouts
from infra.workload.flows import Flows, outward
from infra.workload.tenancy import NOTHING_ELSE, Tenancy, TenancyArgs

NAMESPACE, NAME = "observability", "grafana"
PORT = 3000
REPLICAS = 2
RESOURCES = pods.Resources(cpu=100, memory=512)
DATA = "/var/lib/grafana"
# Grafana's own settings, as environment variables of its image: https://grafana.com/docs/grafana/latest/setup-grafana/
SETTINGS = {
    "GF_ANALYTICS_CHECK_FOR_UPDATES": "false",
    "GF_ANALYTICS_REPORTING_ENABLED": "false",
    "GF_AUTH_ANONYMOUS_ENABLED": "true",
    "GF_AUTH_ANONYMOUS_ORG_ROLE": "Viewer",
    "GF_AUTH_BASIC_ENABLED": "false",
    "GF_AUTH_DISABLE_LOGIN_FORM": "true",
    "GF_AUTH_SIGV4_AUTH_ENABLED": "true",
    "GF_AWS_ALLOWED_AUTH_PROVIDERS": "default",
    "GF_PLUGINS_PREINSTALL_DISABLED": "true",
    "GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION": "true",
    "GF_USERS_DEFAULT_THEME": "system",
}


@dataclass(frozen=True)
class GrafanaArgs:
    """What Grafana needs of the estate.

    image: by digest. sources, boards: provisioning and dashboards by file name. workspace: ARN of the metrics.
    dns: the cluster's DNS service. nodes: what pods run on and what enforces network policies. first: what else must
    be there before a pod.
    """

    environment: Environment
    cluster: Cluster
    image: str
    sources: pulumi.Input[str]
    provider: str
    boards: Mapping[str, str]
    workspace: pulumi.Input[str]
    dns: IPv4Network
    rollout_seconds: int
    nodes: Sequence[pulumi.Resource]
    first: Sequence[pulumi.Resource]


def statements(workspace: pulumi.Input[str]) -> list[Statement]:
    """Read the metrics: of the workspace, and of CloudWatch, which knows no narrower resource for reading."""
    reading = ["aps:GetLabels", "aps:GetMetricMetadata", "aps:GetSeries", "aps:QueryMetrics"]
    watching = ["cloudwatch:GetMetricData", "cloudwatch:ListMetrics"]
    return [Statement("QueryMetrics", reading, [workspace]), Statement("ReadCloudWatch", watching, ["*"])]


class Grafana(pulumi.ComponentResource):
    """Namespace with its bounds, identity, provisioned files, Deployment and Service."""

    def __init__(self, name: str, args: GrafanaArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("tecnocursos:workload:Grafana", name, None, opts)
        inside = pulumi.ResourceOptions(parent=self, provider=args.cluster.provider, deleted_with=args.cluster.resource)
        role = roles.create(
            name,
            "Grafana reads metrics",
            trust("pods.eks.amazonaws.com", only(args.environment, NAMESPACE, NAME), tag_session=True),
            self,
            statements=statements(args.workspace),
        )
        identity = aws.eks.PodIdentityAssociation(
            name,
            cluster_name=args.cluster.name,
            namespace=NAMESPACE,
            service_account=NAME,
            role_arn=role.arn,
            opts=pulumi.ResourceOptions(parent=self),
        )
        tenancy = Tenancy(f"{name}-tenancy", TenancyArgs(NAMESPACE, quota(), [NAME]), inside)
        network = Flows(f"{name}-flows", tenancy.namespace, outward(NAME, args.dns), args.nodes, inside)
        metadata: kubernetes.meta.v1.ObjectMetaArgsDict = {
            "name": NAME,
            "namespace": tenancy.namespace,
            "labels": pods.labels(NAME),
        }
        files: dict[str, Mapping[str, pulumi.Input[str]]] = {
            "sources": {"datasources.yaml": args.sources},
            "boards": {"dashboards.yaml": args.provider},
            "dashboards": args.boards,
        }
        maps = {
            purpose: kubernetes.core.v1.ConfigMap(
                f"{name}-{purpose}",
                # Auto-named and immutable: a changed dashboard is a new map, which rolls the pods.
                metadata={"namespace": tenancy.namespace, "labels": pods.labels(NAME)},
                immutable=True,
                data=data,
                opts=inside,
            )
            for purpose, data in files.items()
        }
        ready: list[pulumi.Resource] = [*tenancy.ready, *network.ready, identity, *role.ready, *args.first]
        match = pods.selector(NAME)
        kubernetes.apps.v1.Deployment(
            name,
            metadata=metadata,
            spec={
                "replicas": REPLICAS,
                "selector": {"match_labels": match},
                "strategy": {"type": "RollingUpdate", "rolling_update": {"max_unavailable": 0, "max_surge": 1}},
                "progress_deadline_seconds": args.rollout_seconds,
                "revision_history_limit": 3,
                "template": template(args.image, {purpose: made.metadata.name for purpose, made in maps.items()}),
            },
            opts=pulumi.ResourceOptions.merge(
                inside,
                pulumi.ResourceOptions(
                    depends_on=ready, custom_timeouts=rollout_timeouts(args.rollout_seconds, REPLICAS)
                ),
            ),
        )
        kubernetes.policy.v1.PodDisruptionBudget(name, metadata=metadata, spec=disruption_spec(match), opts=inside)
        kubernetes.core.v1.Service(
            name,
            metadata=metadata,
            spec={
                "type": "ClusterIP",
                "selector": match,
                "ports": [{"name": "http", "port": 80, "target_port": "http"}],
            },
            opts=inside,
        )
        self.register_outputs({})


def quota() -> dict[str, str]:
    """The pods, and those that a rollout adds."""
    most = 2 * REPLICAS
    memory = f"{most * RESOURCES.memory}Mi"
    return {
        "pods": str(most),
        "requests.cpu": f"{most * RESOURCES.cpu}m",
        "requests.memory": memory,
        "limits.memory": memory,
        **NOTHING_ELSE,
    }


def template(image: str, maps: Mapping[str, pulumi.Input[str]]) -> kubernetes.core.v1.PodTemplateSpecArgsDict:
    """A pod that serves the files of the ConfigMaps, by purpose."""
    health: kubernetes.core.v1.HTTPGetActionArgsDict = {"path": "/api/health", "port": "http"}
    mounts = {
        "data": DATA,
        "tmp": "/tmp",  # noqa: S108 (a volume of the pod's own)
        "sources": "/etc/grafana/provisioning/datasources",
        "boards": "/etc/grafana/provisioning/dashboards",
        "dashboards": f"{DATA}/dashboards",
    }
    volumes: list[kubernetes.core.v1.VolumeArgsDict] = [
        {"name": purpose, "config_map": {"name": maps[purpose]}} if purpose in maps
        else {"name": purpose, "empty_dir": {"size_limit": "256Mi"}}
        for purpose in mounts
    ]  # fmt: skip
    return {
        "metadata": {"labels": pods.labels(NAME)},
        "spec": {
            "service_account_name": NAME,
            "automount_service_account_token": False,
            "enable_service_links": False,
            "security_context": pods.nobody(),
            "topology_spread_constraints": pods.spread(pods.selector(NAME)),
            "containers": [
                {
                    "name": NAME,
                    "image": image,
                    "image_pull_policy": "IfNotPresent",
                    "env": [{"name": key, "value": value} for key, value in SETTINGS.items()],
                    "ports": [{"name": "http", "container_port": PORT, "protocol": "TCP"}],
                    "resources": RESOURCES.requirements(),
                    "security_context": pods.powerless(),
                    "startup_probe": {"http_get": health, "period_seconds": 2, "failure_threshold": 60},
                    "readiness_probe": {"http_get": health, "period_seconds": 10, "timeout_seconds": 3},
                    "liveness_probe": {"http_get": health, "period_seconds": 30, "timeout_seconds": 5},
                    "volume_mounts": [
                        {"name": purpose, "mount_path": path, "read_only": purpose in maps}
                        for purpose, path in mounts.items()
                    ],
                    "termination_message_policy": "FallbackToLogsOnError",
                }
            ],
            "volumes": volumes,
        },
    }
