"""The workload alone, on a cluster that is already there: what a release does, without the estate around it."""

from collections.abc import Mapping
from ipaddress import IPv4Network
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pulumi
import pulumi_kubernetes as kubernetes

from infra.workload import admission
from infra.workload.flows import Neighbours
from infra.workload.service import Service, ServiceArgs
from infra.workload.shape import COLOURS, ReleaseShape, WorkloadShape

config = pulumi.Config()


def merged(known: Any, change: Any) -> Any:
    """A JSON merge patch (RFC 7386), for objects only."""
    if not isinstance(change, Mapping):
        return change
    known = known if isinstance(known, Mapping) else {}
    both = {name: merged(known.get(name), change.get(name, known.get(name))) for name in {**known, **change}}
    return {name: value for name, value in both.items() if value is not None}


def changed(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
    """What a wrong edit of the program would register instead: `changes` is resource name to merge patch."""
    change = config.get_object("changes", {})
    if args.custom and args.name in change:
        return pulumi.ResourceTransformResult(merged(args.props, change[args.name]), args.opts)
    return None


pulumi.runtime.register_resource_transform(changed)
provider = kubernetes.Provider(
    "cluster", kubeconfig=Path(config.require("kubeconfig")).read_text(), cluster_identifier="trial"
)
group = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/{}/0123456789abcdef"
Service(
    "service",
    ServiceArgs(
        cluster=cast(Any, SimpleNamespace(provider=provider, resource=pulumi.ComponentResource("test:Cluster", "eks"))),
        namespace="tecnocursos",
        shape=WorkloadShape.model_validate(config.require_object("workload")),
        release=ReleaseShape.model_validate(config.require_object("release")),
        neighbours=Neighbours(
            [IPv4Network("10.0.0.0/19")], [IPv4Network("10.0.128.0/23")], IPv4Network("172.20.0.10/32")
        ),
        settings=config.require_object("settings"),
        secret_name="tecnocursos/test/service",
        admission=admission.load(Path(__file__).parents[3] / "policies/admission"),
        migrator_settings={"DATABASE__URL": "mysql+asyncmy://migrator@database.example/tecnocursos"},
        bootstrap_arguments=["--master-secret", "arn:aws:secretsmanager:us-east-1:123456789012:secret:m"],
        target_groups={colour: group.format(colour) for colour in COLOURS},
        nodes=[],
        first=[],
        front_door=[],
    ),
)
