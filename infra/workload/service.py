"""What objects make the service run? One component behind the estate's outputs.

Order: namespace with its bounds and network rules, settings, database user, each image's migration, then pods.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from infra.cluster.cluster import Cluster
from infra.workload import admission, pods
from infra.workload.background import SWEEPER, WORKER, Background, BackgroundArgs
from infra.workload.colour import API, ColourArgs, ColourPods
from infra.workload.flows import Flows, Neighbours, flows
from infra.workload.pods import Configuration, Role
from infra.workload.shape import Colour, ReleaseShape, WorkloadShape
from infra.workload.tasks import BOOTSTRAP, BOOTSTRAP_RETRIES, MIGRATE, MIGRATION_RETRIES, TaskArgs, task
from infra.workload.tenancy import BEHIND_BALANCER, PRIORITIES, Tenancy, TenancyArgs, quota

ACCOUNTS = tuple(role.name for role in (API, WORKER, SWEEPER, MIGRATE, BOOTSTRAP))
BOOTSTRAP_RUN = 1  # one more runs the bootstrap again


@dataclass(frozen=True)
class ServiceArgs:
    """What the service needs of the estate.

    settings: what every role reads, by setting (`DATABASE__URL`); never a secret, the service fetches those itself
    from the secret called secret_name. migrator_settings: what the migration reads instead. bootstrap_arguments: where
    the master secret is, and whom to create. admission: objects of policies/admission. target_groups: ARN of each
    colour's target group. nodes: what pods run on and what enforces network policies. first: what else must be there
    before any pod: ways, stores, identities. front_door: what must be there before a pod is found healthy behind it.
    """

    cluster: Cluster
    namespace: str
    shape: WorkloadShape
    release: ReleaseShape
    neighbours: Neighbours
    settings: Mapping[str, pulumi.Input[str]]
    secret_name: pulumi.Input[str]
    migrator_settings: Mapping[str, pulumi.Input[str]]
    bootstrap_arguments: Sequence[pulumi.Input[str]]
    admission: Sequence[Mapping[str, Any]]
    target_groups: Mapping[Colour, pulumi.Input[str]]
    nodes: Sequence[pulumi.Resource]
    first: Sequence[pulumi.Resource]
    front_door: Sequence[pulumi.Resource]


def variables(settings: Mapping[str, pulumi.Input[str]]) -> dict[str, pulumi.Input[str]]:
    """Settings as the service reads them from its environment."""
    return {f"TECNOCURSOS_{name}": value for name, value in sorted(settings.items())}


class Service(pulumi.ComponentResource):
    """The service's namespace and everything in it."""

    namespace: pulumi.Output[str]

    def __init__(self, name: str, args: ServiceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tecnocursos:workload:Service", name, None, opts)
        # When the cluster goes, its objects go with it: nothing to call, nothing to wait for.
        inside = pulumi.ResourceOptions(parent=self, provider=args.cluster.provider, deleted_with=args.cluster.resource)
        guards = admission.guards(f"{name}-admission", args.admission, inside)
        bounds = TenancyArgs(args.namespace, quota(args.shape), ACCOUNTS, BEHIND_BALANCER, PRIORITIES)
        tenancy = Tenancy(f"{name}-tenancy", bounds, inside)
        self.namespace = tenancy.namespace
        network = Flows(f"{name}-flows", self.namespace, flows(args.neighbours), args.nodes, inside)
        config = kubernetes.core.v1.ConfigMap(
            f"{name}-settings",
            # Auto-named and immutable: changed settings are a new map, which rolls the pods and can be rolled back.
            metadata={"namespace": self.namespace, "labels": pods.labels("settings")},
            immutable=True,
            data=variables(args.settings),
            opts=inside,
        )
        configuration = Configuration(config.metadata.name, args.secret_name)
        ready: list[pulumi.Resource] = [*guards, *tenancy.ready, *network.ready, *args.first]
        release = args.release
        active = release.images[release.active]

        def once(role: Role, called: str, image: str, first: list[pulumi.Resource]) -> kubernetes.batch.v1.Job:
            return task(
                f"{name}-{called}",
                TaskArgs(
                    role=role,
                    called=called,
                    image=image,
                    namespace=self.namespace,
                    config=configuration,
                    variables=variables(args.migrator_settings if role is MIGRATE else {}),
                    arguments=args.bootstrap_arguments if role is BOOTSTRAP else (),
                    first=first,
                    seconds=args.shape.task_seconds,
                    retries=BOOTSTRAP_RETRIES if role is BOOTSTRAP else MIGRATION_RETRIES,
                ),
                inside,
            )

        bootstrap = once(BOOTSTRAP, f"bootstrap-{BOOTSTRAP_RUN}", active, ready)
        images = dict.fromkeys(release.images[colour] for colour in release.live)
        migrations = {image: once(MIGRATE, f"migrate-{_short(image)}", image, [bootstrap]) for image in images}
        for colour in release.live:
            image = release.images[colour]
            ColourPods(
                f"{name}-{colour}",
                ColourArgs(
                    colour,
                    image,
                    self.namespace,
                    configuration,
                    args.target_groups[colour],
                    args.shape.api,
                    args.shape.rollout_seconds,
                    [migrations[image], *args.front_door],
                ),
                inside,
            )
        Background(
            f"{name}-background",
            BackgroundArgs(
                active,
                self.namespace,
                configuration,
                args.shape.worker,
                args.shape.rollout_seconds,
                migrations[active],
            ),
            inside,
        )
        self.register_outputs({"namespace": self.namespace})


def _short(image: str) -> str:
    """Twelve digits of an image's digest: enough to tell releases apart in a name."""
    return image.partition("@sha256:")[2][:12]
