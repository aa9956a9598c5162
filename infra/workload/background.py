"""What works without being asked? Workers that render videos, and the sweeper that hands on what a dead worker held."""

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from infra.cluster import nodes
from infra.workload import leaving, pods
from infra.workload.colour import autoscaler_spec, disruption_spec, rollout_timeouts
from infra.workload.pods import Configuration, Role
from infra.workload.shape import ScalingShape
from infra.workload.tenancy import RENDERING, SURGE

WORKER = Role(
    "worker",
    ("worker", "--host", "0.0.0.0", "--metrics-port", str(pods.METRICS_PORT)),  # noqa: S104 (policies say who gets there)
    pods.WORKER,
    RENDERING,
    grace_seconds=leaving.WORKER_SECONDS,
    measured=True,
)
SWEEPER = Role("sweeper", ("sweep",), pods.TASK, RENDERING)
SWEEP_SECONDS = 55  # below the minute between two sweeps: they never overlap


@dataclass(frozen=True)
class BackgroundArgs:
    """first: what must have happened before (the image's migration)."""

    image: str
    namespace: pulumi.Input[str]
    config: Configuration
    scaling: ScalingShape
    rollout_seconds: int
    first: pulumi.Resource


class Background(pulumi.ComponentResource):
    """Worker Deployment with its autoscaler and disruption budget, and the sweeper's CronJob."""

    def __init__(self, name: str, args: BackgroundArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("tecnocursos:workload:Background", name, None, opts)
        inside = pulumi.ResourceOptions(parent=self, deleted_with=opts.deleted_with)
        rolled = pulumi.ResourceOptions.merge(
            inside,
            pulumi.ResourceOptions(
                depends_on=[args.first], custom_timeouts=rollout_timeouts(args.rollout_seconds, args.scaling.most)
            ),
        )
        scaled = pulumi.ResourceOptions.merge(rolled, pulumi.ResourceOptions(ignore_changes=["spec.replicas"]))
        match = pods.selector(WORKER.name)
        template = pods.template(WORKER, args.image, args.config, spread=pods.spread(match))
        spec = template["spec"]
        # Not ready means that a rollout waits: a worker is ready once its consumer loop runs.
        spec["containers"][0]["readiness_probe"] = {**pods.heartbeat_probe(), "initial_delay_seconds": 2}
        spec["containers"][0]["liveness_probe"] = pods.heartbeat_probe()
        spec["tolerations"] = [{"key": nodes.PURPOSE, "operator": "Exists", "effect": "NoSchedule"}]
        spec["affinity"] = {
            "node_affinity": {
                "preferred_during_scheduling_ignored_during_execution": [
                    {
                        "weight": 100,
                        "preference": {
                            "match_expressions": [{"key": nodes.PURPOSE, "operator": "In", "values": [nodes.RENDERING]}]
                        },
                    }
                ]
            }
        }
        spec["containers"][0]["ports"] = [{"name": "metrics", "container_port": pods.METRICS_PORT, "protocol": "TCP"}]
        metadata = self._metadata(WORKER, args)
        worker = kubernetes.apps.v1.Deployment(
            f"{name}-worker",
            metadata=metadata,
            spec={
                "replicas": args.scaling.least,
                "selector": {"match_labels": match},
                "strategy": {
                    "type": "RollingUpdate",
                    "rolling_update": {"max_unavailable": 0, "max_surge": SURGE},
                },
                "progress_deadline_seconds": args.rollout_seconds,
                "revision_history_limit": 3,
                "template": template,
            },
            opts=scaled,
        )
        kubernetes.autoscaling.v2.HorizontalPodAutoscaler(
            f"{name}-worker-autoscaler",
            metadata=metadata,
            spec=autoscaler_spec(WORKER.name, args.scaling),
            opts=pulumi.ResourceOptions.merge(inside, pulumi.ResourceOptions(depends_on=[worker])),
        )
        kubernetes.policy.v1.PodDisruptionBudget(
            f"{name}-worker-budget",
            metadata=metadata,
            spec=disruption_spec(match),
            opts=inside,
        )
        kubernetes.batch.v1.CronJob(
            f"{name}-sweeper",
            metadata=self._metadata(SWEEPER, args),
            spec={
                "schedule": "* * * * *",
                "concurrency_policy": "Forbid",
                "starting_deadline_seconds": 30,
                "successful_jobs_history_limit": 1,
                "failed_jobs_history_limit": 3,
                "job_template": {
                    "metadata": {"labels": pods.labels(SWEEPER.name)},
                    "spec": {
                        "backoff_limit": 0,
                        "active_deadline_seconds": SWEEP_SECONDS,
                        "ttl_seconds_after_finished": 600,
                        "template": pods.template(SWEEPER, args.image, args.config, restart="Never"),
                    },
                },
            },
            opts=rolled,
        )
        self.register_outputs({})

    @staticmethod
    def _metadata(role: Role, args: BackgroundArgs) -> kubernetes.meta.v1.ObjectMetaArgsDict:
        return {"name": role.name, "namespace": args.namespace, "labels": pods.labels(role.name)}
