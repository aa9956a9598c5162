"""What happens to the pods that serve while settings, load, nodes and zones change?"""

import functools
from collections import Counter

from rehearsal.cluster import control_plane, reasons

from .conftest import STEADY, Stack, candidate, image
from .waiting import eventually

NODES = "/api/v1/nodes"
ZONE = "topology.kubernetes.io/zone"


def test_nothing_changes_the_second_time(steady: Stack) -> None:
    steady.pulumi("preview", "--expect-no-changes")
    steady.pulumi("refresh", "--yes", "--expect-no-changes")
    steady.pulumi("preview", "--expect-no-changes")
    assert reasons.ask(steady.api) == []


def test_pods_are_spread_over_the_zones(steady: Stack) -> None:
    nodes = {row["metadata"]["name"]: row["metadata"]["labels"] for row in steady.api.call("GET", NODES)["items"]}
    zones = Counter(nodes[pod["spec"]["nodeName"]][ZONE] for pod in steady.api_pods())
    assert len(zones) == 3
    assert set(zones.values()) == {1}


def test_an_abandoned_candidate_leaves_no_trace(steady: Stack) -> None:
    before = steady.jobs()
    steady.up(release=candidate("c"))
    steady.up(release=STEADY)
    assert steady.jobs() == before
    assert steady.ready("blue") == 3


def test_changed_settings_roll_the_pods_and_not_the_tasks(steady: Stack) -> None:
    before, deployment = steady.jobs(), steady.get("apps/v1 deployments", "api-blue")
    # The settings are a new ConfigMap; the API's pods, the workers and the sweeper read it.
    assert steady.up(settings={"ENVIRONMENT": "dev", "LOGS__LEVEL": "debug"}) == {"replace": 1, "update": 3}
    assert steady.jobs() == before
    after = steady.get("apps/v1 deployments", "api-blue")
    assert after["metadata"]["uid"] == deployment["metadata"]["uid"]
    config = after["spec"]["template"]["spec"]["containers"][0]["envFrom"][0]["configMapRef"]["name"]
    assert steady.get("v1 configmaps", config)["data"]["TECNOCURSOS_LOGS__LEVEL"] == "debug"


def test_losing_a_zone_keeps_two_thirds_and_recovers(steady: Stack) -> None:
    # As a rollout places them: whom the autoscaler's way down takes, Kubernetes does not choose by zone.
    nodes = [r for r in steady.api.call("GET", NODES)["items"] if r["metadata"]["labels"][ZONE] == "us-east-1a"]
    lost = {row["metadata"]["name"] for row in nodes}
    before = steady.api_pods()
    for name in lost:
        steady.api.call("DELETE", f"{NODES}/{name}")
    try:
        gone = [pod["metadata"]["name"] for pod in before if pod["spec"]["nodeName"] in lost]
        assert len(before) - len(gone) >= 2
        for name in gone:
            # What the cluster's collector of pods without a node does a minute later.
            steady.api.call("DELETE", f"/api/v1/namespaces/tecnocursos/pods/{name}", {"gracePeriodSeconds": 0})

        def places() -> set[str | None]:
            return {pod["spec"].get("nodeName") for pod in steady.api_pods()}

        eventually(lambda: steady.ready("blue") == 3 == len(steady.api_pods()) and not places() & (lost | {None}), 60)
    finally:
        for row in nodes:
            kept = {key: row["metadata"][key] for key in ("name", "labels", "annotations")}
            steady.api.call("POST", NODES, {**row, "metadata": kept, "status": {}})
        eventually(lambda: len(control_plane.ready_nodes(steady.api)) == 6)


def test_the_autoscaler_keeps_its_bounds(steady: Stack) -> None:
    path = "/apis/apps/v1/namespaces/tecnocursos/deployments/api-blue/scale"

    def replicas() -> int:
        return int(steady.api.call("GET", path)["spec"]["replicas"])

    def scale(number: int) -> None:
        body = {"spec": {"replicas": number}}
        steady.api.call("PATCH", path, body, kind="application/merge-patch+json")

    for asked, kept in ((1, 3), (20, 10)):
        scale(asked)
        eventually(functools.partial(lambda wanted: replicas() == wanted, kept), 60)
    # A deployment leaves the number to the autoscaler: here it has no figures, so what is within bounds stays.
    assert steady.up(settings={"ENVIRONMENT": "dev", "LOGS__LEVEL": "warning"})["update"] == 3
    assert replicas() == 10
    scale(3)
    eventually(lambda: steady.ready("blue") == 3 == len(steady.api_pods()), 60)


def test_what_cannot_be_released_is_refused_before_anything_changes(steady: Stack) -> None:
    wrong = {"active": "blue", "candidate": "blue", "images": {"blue": image("a")}, "weights": {"blue": 90}}
    steady.up(release=wrong, code=1)
    assert "candidate must be the other colour" in steady.said
    assert steady.up(release=STEADY) == {}
