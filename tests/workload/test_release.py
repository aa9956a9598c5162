"""Does a release do what docs/how-to/release.md says, and leave the old version serving when it fails?"""

import functools
import json
from collections import Counter
from typing import Any

import pytest

from rehearsal.cluster.api import ApiError

from .conftest import Stack, image, release
from .waiting import eventually

STEADY = release("blue", {"blue": 100}, blue="a")


@pytest.fixture(autouse=True)
def steady(stack: Stack) -> None:
    """Every test starts from blue alone."""
    if stack.config["release"] != STEADY:
        stack.up(release=STEADY)


def jobs(stack: Stack) -> dict[str, str]:
    """Names and ids of the tasks, without the sweeper's runs, which come and go every minute."""
    found = {row["metadata"]["name"]: row["metadata"]["uid"] for row in stack.get("batch/v1 jobs")["items"]}
    return {name: uid for name, uid in found.items() if not name.startswith("sweeper")}


def ready(stack: Stack, colour: str) -> int:
    return int(stack.get("apps/v1 deployments", f"api-{colour}")["status"].get("readyReplicas", 0))


def test_nothing_changes_the_second_time(stack: Stack) -> None:
    stack.pulumi("preview", "--expect-no-changes")
    stack.pulumi("refresh", "--yes", "--expect-no-changes")
    stack.pulumi("preview", "--expect-no-changes")


def test_pods_are_spread_over_the_zones(stack: Stack) -> None:
    nodes = {
        row["metadata"]["name"]: row["metadata"]["labels"] for row in stack.api.call("GET", "/api/v1/nodes")["items"]
    }
    pods = stack.get("v1 pods?labelSelector=app.kubernetes.io/component=api")["items"]
    zones = Counter(nodes[pod["spec"]["nodeName"]]["topology.kubernetes.io/zone"] for pod in pods)
    assert len(pods) == 3
    assert set(zones.values()) == {1}


def test_a_release_goes_candidate_weight_switch_drop(stack: Stack) -> None:
    """Also the numbers that the how-to promises: 7 created, none (weights are the balancer's), 1 updated, 7 deleted."""
    before = jobs(stack)
    counted = stack.up(release=release("blue", {"blue": 100, "green": 0}, blue="a", green="b"))
    assert counted == {"create": 7}, stack.said
    assert set(jobs(stack)) - set(before) == {"migrate-bbbbbbbbbbbb"}
    migrated = stack.get("batch/v1 jobs", "migrate-bbbbbbbbbbbb")["status"]["completionTime"]
    started = [pod["metadata"]["creationTimestamp"] for pod in stack.get("v1 pods?labelSelector=colour=green")["items"]]
    assert started
    assert min(started) >= migrated
    assert stack.up(release=release("blue", {"blue": 90, "green": 10}, blue="a", green="b")) == {}
    assert stack.up(release=release("green", {"blue": 0, "green": 100}, blue="a", green="b")) == {"update": 2}, (
        stack.said
    )
    assert (ready(stack, "blue"), ready(stack, "green")) == (3, 3)
    assert stack.up(release=release("green", {"green": 100}, green="b")) == {"delete": 7}
    assert set(jobs(stack)) >= {"bootstrap-1", "migrate-bbbbbbbbbbbb"}
    assert jobs(stack)["bootstrap-1"] == before["bootstrap-1"], "the bootstrap ran again"


def test_an_abandoned_candidate_leaves_no_trace(stack: Stack) -> None:
    before = jobs(stack)
    stack.up(release=release("blue", {"blue": 100, "green": 0}, blue="a", green="c"))
    stack.up(release=STEADY)
    assert jobs(stack) == before
    assert ready(stack, "blue") == 3


@pytest.mark.parametrize(("digit", "reason"), [("0", "ImagePullBackOff"), ("2", "BackoffLimitExceeded")])
def test_a_bad_release_ends_with_its_reason_and_the_old_one_serves(stack: Stack, digit: str, reason: str) -> None:
    stack.up(release=release("blue", {"blue": 100, "green": 0}, blue="a", green=digit), code=1)
    assert reason in stack.said
    assert ready(stack, "blue") == 3
    with pytest.raises(ApiError, match="not found"):
        stack.get("apps/v1 deployments", "api-green")


def test_pods_that_crash_end_the_release_with_the_reason(stack: Stack) -> None:
    stack.up(release=release("blue", {"blue": 100, "green": 0}, blue="a", green="1"), code=1)
    assert "CrashLoopBackOff" in stack.said or "restarting failed container" in stack.said
    assert ready(stack, "blue") == 3


def test_changed_settings_roll_the_pods_and_not_the_tasks(stack: Stack) -> None:
    before, names = jobs(stack), stack.get("apps/v1 deployments", "api-blue")
    counted = stack.up(settings=json.dumps({"ENVIRONMENT": "dev", "LOGS__LEVEL": "debug"}))
    assert counted == {"replace": 1, "update": 3} or counted["update"] == 3
    assert jobs(stack) == before
    after = stack.get("apps/v1 deployments", "api-blue")
    assert after["metadata"]["uid"] == names["metadata"]["uid"]
    assert ready(stack, "blue") == 3
    config = after["spec"]["template"]["spec"]["containers"][0]["envFrom"][0]["configMapRef"]["name"]
    assert stack.get("v1 configmaps", config)["data"]["TECNOCURSOS_LOGS__LEVEL"] == "debug"


def test_the_autoscaler_keeps_its_bounds(stack: Stack) -> None:
    path = "/apis/apps/v1/namespaces/tecnocursos/deployments/api-blue/scale"

    def replicas() -> int:
        return int(stack.api.call("GET", path)["spec"]["replicas"])

    def scale(number: int) -> None:
        body = {"spec": {"replicas": number}}
        stack.api.call("PATCH", path, body, kind="application/merge-patch+json")

    for asked, kept in ((1, 3), (20, 10)):
        scale(asked)
        settled = functools.partial(lambda wanted: replicas() == wanted, kept)
        eventually(settled, 60)
    # A deployment leaves the number to the autoscaler: here it has no figures, so what is within bounds stays.
    assert stack.up(settings=json.dumps({"ENVIRONMENT": "dev", "LOGS__LEVEL": "warning"}))["update"] == 3
    assert replicas() == 10
    scale(3)
    eventually(lambda: ready(stack, "blue") == 3)


def evict(stack: Stack, pod: str) -> int:
    """Status of the API's answer to an eviction, as a drain asks for it."""
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": "tecnocursos"}}
    try:
        stack.api.call("POST", f"/api/v1/namespaces/tecnocursos/pods/{pod}/eviction", body)
    except ApiError as refused:
        return refused.status
    return 201


def api_pods(stack: Stack) -> list[dict[str, Any]]:
    rows = stack.get("v1 pods?labelSelector=app.kubernetes.io/component=api")["items"]
    return [row for row in rows if "deletionTimestamp" not in row["metadata"]]


def test_a_drain_never_breaks_the_disruption_budget(stack: Stack) -> None:
    eventually(lambda: stack.get("policy/v1 poddisruptionbudgets", "api-blue")["status"].get("disruptionsAllowed") == 1)
    answers = [evict(stack, pod["metadata"]["name"]) for pod in api_pods(stack)]
    assert answers.count(201) == 1
    assert answers.count(429) == len(answers) - 1
    eventually(lambda: ready(stack, "blue") == 3)


def test_losing_a_zone_keeps_two_thirds_and_recovers(stack: Stack) -> None:
    nodes = [
        row
        for row in stack.api.call("GET", "/api/v1/nodes")["items"]
        if row["metadata"]["labels"]["topology.kubernetes.io/zone"] == "us-east-1a"
    ]
    lost = {row["metadata"]["name"] for row in nodes}
    for name in lost:
        stack.api.call("DELETE", f"/api/v1/nodes/{name}")
    try:
        left = [pod for pod in api_pods(stack) if pod["spec"].get("nodeName") not in lost]
        assert len(left) >= 2
        for pod in api_pods(stack):
            if pod["spec"].get("nodeName") in lost:
                path = f"/api/v1/namespaces/tecnocursos/pods/{pod['metadata']['name']}"
                stack.api.call("DELETE", path, {"gracePeriodSeconds": 0})
        eventually(lambda: len([p for p in api_pods(stack) if p["spec"].get("nodeName") not in lost | {None}]) == 3)
    finally:
        for row in nodes:
            kept = {key: row["metadata"][key] for key in ("name", "labels", "annotations")}
            stack.api.call("POST", "/api/v1/nodes", {**row, "metadata": kept, "status": {}})


def test_what_cannot_be_released_is_refused_before_anything_changes(stack: Stack) -> None:
    wrong = json.dumps({"active": "blue", "candidate": "blue", "images": {"blue": image("a")}, "weights": {"blue": 90}})
    stack.up(release=wrong, code=1)
    assert "candidate must be the other colour" in stack.said
    assert stack.up(release=STEADY) == {}
