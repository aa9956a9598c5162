"""What runs once? The creation of the application's database user, and each image's migration, before its pods."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from infra.workload import pods
from infra.workload.pods import Configuration, Role
from infra.workload.tenancy import SERVING

MIGRATE = Role("migrator", ("migrate",), pods.TASK, SERVING)
BOOTSTRAP = Role("bootstrap", ("bootstrap-database",), pods.TASK, SERVING)


@dataclass(frozen=True)
class TaskArgs:
    """role: what to run. called: the Job's name; a new name is a new run. variables, arguments: of this task alone.

    seconds: how long it may take; a migration that needs longer wants a plan (expand, backfill, contract).
    """

    role: Role
    called: str
    image: str
    namespace: pulumi.Input[str]
    config: Configuration
    variables: dict[str, pulumi.Input[str]]
    arguments: Sequence[pulumi.Input[str]]
    first: list[pulumi.Resource]
    seconds: int


def task(name: str, args: TaskArgs, opts: pulumi.ResourceOptions) -> kubernetes.batch.v1.Job:
    """A Job that the deployment waits for: when it fails, nothing behind it changes and the old version serves on.

    A Job is made once and then left as it is, as the record of what ran: a later change of settings must not run it
    again. A new run has a new name, and so is a new resource.
    """
    allowed = f"{args.seconds + 60}s"
    return kubernetes.batch.v1.Job(
        name,
        metadata={"name": args.called, "namespace": args.namespace, "labels": pods.labels(args.role.name)},
        spec={
            "backoff_limit": 1,
            "active_deadline_seconds": args.seconds,
            "template": pods.template(
                args.role, args.image, args.config, args.variables, arguments=args.arguments, restart="Never"
            ),
        },
        opts=pulumi.ResourceOptions.merge(
            opts,
            pulumi.ResourceOptions(
                depends_on=args.first,
                ignore_changes=["spec"],
                custom_timeouts=pulumi.CustomTimeouts(create=allowed, update=allowed, delete="120s"),
            ),
        ),
    )
