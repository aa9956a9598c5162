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
# The proxy is there minutes before it has its target, and a new role some seconds before every part of AWS knows it.
BOOTSTRAP_RETRIES, MIGRATION_RETRIES = 6, 2


@dataclass(frozen=True)
class TaskArgs:
    """role: what to run. called: the Job's name; a new name is a new run. variables, arguments: of this task alone.

    seconds: how long it may take with its retries; a migration that needs longer wants a plan (expand, backfill,
    contract). retries: Kubernetes waits 10 s before the first and twice as long before each further one.
    """

    role: Role
    called: str
    image: str
    namespace: pulumi.Input[str]
    config: Configuration
    variables: dict[str, pulumi.Input[str]]
    arguments: Sequence[pulumi.Input[str]]
    first: Sequence[pulumi.Resource]
    seconds: int
    retries: int


def task(name: str, args: TaskArgs, opts: pulumi.ResourceOptions) -> kubernetes.batch.v1.Job:
    """A Job that the deployment waits for: when it fails, nothing behind it changes and the old version serves on.

    A Job that succeeded is left as it is, as the record of what ran: a later change of settings must not run it again.
    A new run has a new name, and so is a new resource. One that failed is final to Kubernetes, so the next deployment
    replaces it, and then as the program has it by that time: ignored changes are ignored in updates only.
    """
    allowed = f"{args.seconds + 60}s"
    return kubernetes.batch.v1.Job(
        name,
        metadata={
            "name": args.called,
            "namespace": args.namespace,
            "labels": pods.labels(args.role.name),
            "annotations": {"pulumi.com/replaceUnready": "true"},
        },
        spec={
            "backoff_limit": args.retries,
            "active_deadline_seconds": args.seconds,
            "template": pods.template(
                args.role, args.image, args.config, args.variables, arguments=args.arguments, restart="Never"
            ),
        },
        opts=pulumi.ResourceOptions.merge(
            opts,
            pulumi.ResourceOptions(
                depends_on=list(args.first),
                ignore_changes=["spec"],
                custom_timeouts=pulumi.CustomTimeouts(create=allowed, update=allowed, delete="120s"),
            ),
        ),
    )
