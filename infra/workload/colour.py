"""What is one colour of a release? API pods of one image behind one target group, scaled and disrupted on their own."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from infra.workload import leaving, pods
from infra.workload.pods import Configuration, Role
from infra.workload.shape import Colour, ScalingShape
from infra.workload.tenancy import SERVING, SURGE, surge

CPU_TARGET = 60  # per cent of the request at which pods are added: room for a burst while they start
# Until a pod has its turn behind it: start, five seconds of readiness, two checks of the load balancer, registration.
POD_SECONDS = 40
# Until Auto Mode has a node more and that has pulled the image; an estimate, to be measured on the first day.
NODE_SECONDS = 120
SCALE_DOWN_WINDOW = 300  # seconds of calm before pods are removed

API = Role(
    "api",
    ("api", "--host", "0.0.0.0"),  # noqa: S104 (of the pod; network policies say who gets there)
    pods.API,
    SERVING,
    grace_seconds=leaving.API_SECONDS,
    serves=True,
    measured=True,
)


@dataclass(frozen=True)
class ColourArgs:
    """target_group_arn: the colour's group behind the load balancer.

    first: what must have happened before a pod of this image starts: its migration, and the balancer's listener,
    without which a target group never finds a pod healthy.
    """

    colour: Colour
    image: str
    namespace: pulumi.Input[str]
    config: Configuration
    target_group_arn: pulumi.Input[str]
    scaling: ScalingShape
    rollout_seconds: int
    first: Sequence[pulumi.Resource]


def autoscaler_spec(name: str, scaling: ScalingShape) -> kubernetes.autoscaling.v2.HorizontalPodAutoscalerSpecArgsDict:
    """Scale a Deployment on CPU: up at once, down after a calm."""
    return {
        "scale_target_ref": {"api_version": "apps/v1", "kind": "Deployment", "name": name},
        "min_replicas": scaling.least,
        "max_replicas": scaling.most,
        "metrics": [
            {
                "type": "Resource",
                "resource": {"name": "cpu", "target": {"type": "Utilization", "average_utilization": CPU_TARGET}},
            }
        ],
        "behavior": {
            "scale_up": {"stabilization_window_seconds": 0},
            "scale_down": {"stabilization_window_seconds": SCALE_DOWN_WINDOW},
        },
    }


def disruption_spec(match: Mapping[str, str]) -> kubernetes.policy.v1.PodDisruptionBudgetSpecArgsDict:
    """A drain takes one pod at a time; what is not ready anyway never holds it up."""
    return {
        "max_unavailable": 1,
        "selector": {"match_labels": dict(match)},
        "unhealthy_pod_eviction_policy": "AlwaysAllow",
    }


class ColourPods(pulumi.ComponentResource):
    """Service, binding to the load balancer, Deployment, autoscaler and disruption budget."""

    deployment: kubernetes.apps.v1.Deployment

    def __init__(self, name: str, args: ColourArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("tecnocursos:workload:Colour", name, None, opts)
        inside = pulumi.ResourceOptions(parent=self, deleted_with=opts.deleted_with)
        called = f"{API.name}-{args.colour}"
        match = pods.selector(API.name, colour=args.colour)
        metadata: kubernetes.meta.v1.ObjectMetaArgsDict = {
            "name": called,
            "namespace": args.namespace,
            "labels": pods.labels(API.name, colour=args.colour),
        }
        role = Role(**{**vars(API), "labels": {"colour": args.colour}})
        # Service and binding come first: a pod gets its readiness gate when it is made, from a binding that is there.
        service = kubernetes.core.v1.Service(
            f"{name}-service",
            # It has no pods yet: the provider would wait for them.
            metadata={**metadata, "annotations": {"pulumi.com/skipAwait": "true"}},
            spec={
                "type": "ClusterIP",
                "selector": match,
                "ports": [{"name": "http", "port": 80, "target_port": "http", "protocol": "TCP"}],
            },
            opts=inside,
        )
        binding = kubernetes.apiextensions.CustomResource(
            f"{name}-binding",
            api_version="eks.amazonaws.com/v1",
            kind="TargetGroupBinding",
            metadata=metadata,
            spec={
                "serviceRef": {"name": service.metadata.name, "port": 80},
                "targetGroupARN": args.target_group_arn,
                "targetType": "ip",
            },
            opts=inside,
        )
        # The number of pods is only where the autoscaler starts: it owns the field, and no deployment takes it back.
        self.deployment = kubernetes.apps.v1.Deployment(
            name,
            metadata=metadata,
            spec={
                "replicas": args.scaling.least,
                "selector": {"match_labels": match},
                "strategy": {
                    "type": "RollingUpdate",
                    "rolling_update": {"max_unavailable": 0, "max_surge": SURGE},
                },
                "min_ready_seconds": 5,
                "progress_deadline_seconds": args.rollout_seconds,
                "revision_history_limit": 3,
                "template": pods.template(
                    role,
                    args.image,
                    args.config,
                    {"TECNOCURSOS_VERSION": args.image.partition("@sha256:")[2][:12]},
                    spread=pods.spread(match),
                ),
            },
            opts=pulumi.ResourceOptions.merge(
                inside,
                pulumi.ResourceOptions(
                    depends_on=[*args.first, binding],
                    ignore_changes=["spec.replicas"],
                    custom_timeouts=rollout_timeouts(args.rollout_seconds, args.scaling.most),
                ),
            ),
        )
        after = pulumi.ResourceOptions.merge(inside, pulumi.ResourceOptions(depends_on=[self.deployment]))
        kubernetes.autoscaling.v2.HorizontalPodAutoscaler(
            f"{name}-autoscaler", metadata=metadata, spec=autoscaler_spec(called, args.scaling), opts=after
        )
        kubernetes.policy.v1.PodDisruptionBudget(
            f"{name}-budget",
            metadata=metadata,
            spec=disruption_spec(match),
            opts=inside,
        )
        self.register_outputs({"deployment": self.deployment.metadata.name})


def rollout_timeouts(seconds: int, most: int) -> pulumi.CustomTimeouts:
    """Give up shortly after Kubernetes has: its reason stands in the conditions by then.

    seconds: without progress, as Kubernetes counts. Pulumi counts the whole: new pods come all at once, but changed
    ones in turns, as many at a time as the surge allows, and each turn is progress.
    """
    turns = math.ceil(most / surge(most))
    return pulumi.CustomTimeouts(
        create=f"{seconds + 30}s",
        update=f"{seconds + (turns - 1) * POD_SECONDS + 30}s",
        delete=f"{API.grace_seconds + 120}s",
    )
