"""Do the figures of a pod fit together? Volumes with what is kept, grace with the waits, turns with the time."""

import json
import re
from collections.abc import Iterator
from math import ceil
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.workload.colour import NODE_SECONDS, POD_SECONDS, rollout_timeouts
from infra.workload.pods import HEARTBEAT
from infra.workload.tenancy import surge
from service.settings import PREFIX, Settings
from tests.infra.graph import Graph, Row
from tests.infra.record import ROOT

UNITS = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30}


def size(quantity: str) -> int:
    """Bytes."""
    found = re.fullmatch(r"(\d+)(Ki|Mi|Gi)", quantity)
    assert found, quantity
    return int(found[1]) * UNITS[found[2]]


def pods(graph: Graph) -> Iterator[tuple[Row, dict[str, Any]]]:
    """Every pod of the graph: what makes it, and its specification."""
    for row in graph.rows:
        kind = row["type"].rsplit(":", 1)[-1]
        if kind in {"Deployment", "Job"}:
            yield row, row["inputs"]["spec"]["template"]["spec"]
        elif kind == "CronJob":
            yield row, row["inputs"]["spec"]["jobTemplate"]["spec"]["template"]["spec"]


def settings(graph: Graph, container: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Settings | None:
    """What the container's process reads; None for one that is not the service."""
    if "envFrom" not in container:
        return None
    (data,) = (row["inputs"]["data"] for row in graph.of_type("ConfigMap") if row["name"] == "service-settings")
    with monkeypatch.context() as patched:
        for name, value in {**data, **{one["name"]: one["value"] for one in container["env"]}}.items():
            if not name.endswith("AWS_SECRET"):
                patched.setenv(name, value)
        patched.setenv(f"{PREFIX}SECURITY__TOKEN_KEYS", json.dumps(["a-key-that-the-secret-would-hold-0123456789"]))
        return Settings()


def test_what_a_pod_keeps_fits_into_its_volume(graph: Graph, monkeypatch: pytest.MonkeyPatch) -> None:
    """The volume of the worker's folder has room for the cache, and for as much again that is being rendered."""
    looked_at = 0
    for row, pod in pods(graph):
        volumes = {one["name"]: one["emptyDir"] for one in pod["volumes"] if "emptyDir" in one}
        assert all("sizeLimit" in volume for volume in volumes.values()), row["name"]
        for container in pod["containers"]:
            limit = size(container["resources"]["limits"]["ephemeral-storage"])
            assert sum(size(volume["sizeLimit"]) for volume in volumes.values()) < limit, f"{row['name']} evicts itself"
            known = settings(graph, container, monkeypatch)
            if known is None or container["args"][0] != "worker":
                continue
            looked_at += 1
            mounted = {one["mountPath"]: volumes[one["name"]] for one in container["volumeMounts"]}
            (path,) = [path for path in mounted if known.worker.folder.is_relative_to(path)]
            assert 2 * known.worker.cache_bytes < size(mounted[path]["sizeLimit"])
            assert known.worker.heartbeat == Path(HEARTBEAT), "the probe looks at what the worker touches"
            assert HEARTBEAT.startswith(f"{path}/")
    assert looked_at == 1


def test_a_pod_has_time_to_leave(graph: Graph, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its grace is longer than all its waits, of which the first outlasts the balancer's deregistration."""
    delays = {int(row["inputs"]["deregistrationDelay"]) for row in graph.of_type("lb/targetGroup")}
    served = 0
    for row, pod in pods(graph):
        for container in pod["containers"]:
            sleep = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
            known = settings(graph, container, monkeypatch)
            if sleep and known:
                served += 1
                assert sleep > max(delays)
                assert pod["terminationGracePeriodSeconds"] > sleep + known.leaving_seconds, row["name"]
    assert served == len(graph.of_type("lb/targetGroup"))


def test_a_spot_node_is_not_taken_before_its_worker_has_left(graph: Graph) -> None:
    (worker,) = [pod for row, pod in pods(graph) if row["name"] == "service-background-worker"]
    assert worker["terminationGracePeriodSeconds"] <= 120


@pytest.mark.parametrize("environment", ["dev", "staging", "production"])
def test_a_rollout_that_progresses_is_not_given_up(environment: str) -> None:
    shape = yaml.safe_load((ROOT / f"stacks/Pulumi.{environment}.yaml").read_text())["config"]["tecnocursos:workload"]
    seconds = shape["rollout_seconds"]
    assert seconds >= NODE_SECONDS + POD_SECONDS, "the first pod waits for a node, and that is no progress"
    for role in ("api", "worker"):
        most = shape[role]["most"]
        allowed = int(rollout_timeouts(seconds, most).update.rstrip("s"))  # type: ignore[union-attr]
        assert NODE_SECONDS + ceil(most / surge(most)) * POD_SECONDS <= allowed
