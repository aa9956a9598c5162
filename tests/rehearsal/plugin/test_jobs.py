"""Does a Job fail for good when what it is given does not answer yet?"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rehearsal.world import Row, World
from tests.rehearsal.plugin.test_kubernetes import kubeconfig

JOB, SETTINGS = "kubernetes:batch/v1:Job", "kubernetes:core/v1:ConfigMap"
ADDRESS = "proxy.example"


def job(**container: Any) -> dict[str, Any]:
    pod = {"restartPolicy": "Never", "containers": [{"name": "main", "image": "i", **container}]}
    metadata = {"name": "migrate", "namespace": "app"}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": {"template": {"spec": pod}}}


@pytest.mark.parametrize(
    "container",
    [
        {"env": [{"name": "DATABASE", "value": f"mysql://{ADDRESS}:3306/app"}]},
        {"args": ["--host", ADDRESS]},
        {"envFrom": [{"configMapRef": {"name": "settings"}}]},
    ],
    ids=["variable", "argument", "settings"],
)
def test_a_job_waits_for_the_target_of_its_proxy(
    start: Callable[..., Any], tmp_path: Path, container: dict[str, Any]
) -> None:
    world = World(tmp_path / "world", "111111111111")

    def put(token: str, id: str, **outputs: Any) -> None:
        world.put(Row(token, "us-east-1", id, f"urn:pulumi:dev::demo::{token}::{id}", {}, outputs))

    put("aws:rds/proxy:Proxy", "p", name="p", endpoint=ADDRESS)
    kubernetes = start("rehearsal.kubernetes", "4.25.0", kubeconfig=kubeconfig("https://one"))
    metadata = {"name": "settings", "namespace": "app"}
    kubernetes.create(
        SETTINGS, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"DATABASE__HOST": ADDRESS}}
    )
    with pytest.raises(kubernetes.Error, match=r"\[BackoffLimitExceeded\].*proxy p, which has no available target"):
        kubernetes.create(JOB, job(**container))
    put("aws:rds/proxyTarget:ProxyTarget", "t", dbProxyName="p", dbInstanceIdentifier="d")
    with pytest.raises(kubernetes.Error, match="no available target"):
        kubernetes.create(JOB, job(**container))  # the instance itself is not there yet
    put("aws:rds/instance:Instance", "db-D", identifier="d")
    kubernetes.create(JOB, job(**container))
    kubernetes.create(
        JOB, {**job(args=["other.example"]), "metadata": {"name": "free", "namespace": "app"}}, name="free"
    )
