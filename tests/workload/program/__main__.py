"""The workload alone, on a cluster that is already there: what a release does, without the estate around it."""

import json
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
provider = kubernetes.Provider(
    "cluster", kubeconfig=Path(config.require("kubeconfig")).read_text(), cluster_identifier="trial"
)
group = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/{}/0123456789abcdef"
Service(
    "service",
    ServiceArgs(
        cluster=cast(Any, SimpleNamespace(provider=provider, resource=pulumi.ComponentResource("test:Cluster", "eks"))),
        namespace="tecnocursos",
        shape=WorkloadShape.model_validate_json(config.require("workload")),
        release=ReleaseShape.model_validate_json(config.require("release")),
        neighbours=Neighbours(
            [IPv4Network("10.0.0.0/19")], [IPv4Network("10.0.128.0/23")], IPv4Network("172.20.0.10/32")
        ),
        settings=json.loads(config.require("settings")),
        secret_name="tecnocursos/test/service",
        admission=admission.load(Path(__file__).parents[3] / "policies/admission"),
        migrator_settings={"DATABASE__URL": "mysql+asyncmy://migrator@database.example/tecnocursos"},
        bootstrap_arguments=["--master-secret", "arn:aws:secretsmanager:us-east-1:123456789012:secret:m"],
        target_groups={colour: group.format(colour) for colour in COLOURS},
        identities=[],
    ),
)
