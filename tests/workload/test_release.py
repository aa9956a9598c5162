"""Does a release come up behind its migration, and leave the old version serving when it does not?

The shortest telling cases, each beginning where the one before it ends; test_rollout.py, test_failures.py and
test_how_to.py have the others.
"""

import functools
from typing import Any

import pytest

from rehearsal.cluster.api import ApiError

from .conftest import Stack, candidate, image, quota, release
from .waiting import eventually


def trial(digit: str) -> dict[str, Any]:
    """Green serves, as the release leaves it; blue is to come up with another image."""
    return release("green", {"blue": 0, "green": 100}, blue=digit, green="b")


def evict(stack: Stack, pod: str) -> int:
    """Status of the API's answer to an eviction, as a drain asks for it."""
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": "tecnocursos"}}
    try:
        stack.api.call("POST", f"/api/v1/namespaces/tecnocursos/pods/{pod}/eviction", body)
    except ApiError as refused:
        return refused.status
    return 201


def test_a_drain_never_breaks_the_disruption_budget(stack: Stack) -> None:
    nodes = [row["metadata"]["name"] for row in stack.api.call("GET", "/api/v1/nodes")["items"]]

    def budget() -> dict[str, int]:
        found: dict[str, int] = stack.get("policy/v1 poddisruptionbudgets", "api-blue")["status"]
        return found

    def cordon(closed: bool) -> None:
        for name in nodes:
            body = {"spec": {"unschedulable": closed}}
            stack.api.call("PATCH", f"/api/v1/nodes/{name}", body, kind="application/merge-patch+json")

    eventually(lambda: budget()["disruptionsAllowed"] == 1)
    pods = [pod["metadata"]["name"] for pod in stack.api_pods()]
    # No node takes a pod: whatever is evicted is missing until one does, so exactly one eviction is granted.
    cordon(True)
    try:
        assert [evict(stack, pod) for pod in pods] == [201, 429, 429]
        eventually(lambda: stack.ready("blue") == 2)
        assert [evict(stack, pod) for pod in pods[1:]] == [429, 429]
    finally:
        cordon(False)

    # And with room again the drain comes to its end, one pod after the other.
    def evicted(pod: str) -> bool:
        status = budget()
        assert status["currentHealthy"] >= status["desiredHealthy"] == 2
        return evict(stack, pod) == 201

    for pod in pods[1:]:
        eventually(functools.partial(evicted, pod))
    eventually(lambda: stack.ready("blue") == 3)
    assert not set(pods) & {pod["metadata"]["name"] for pod in stack.api_pods()}


def test_a_release_goes_candidate_weight_switch_drop(stack: Stack) -> None:
    before = stack.jobs()
    assert stack.up(release=candidate("b")) == {"create": 7}, stack.said
    assert set(stack.jobs()) - set(before) == {"migrate-bbbbbbbbbbbb"}
    migrated = stack.get("batch/v1 jobs", "migrate-bbbbbbbbbbbb")["status"]["completionTime"]
    started = [pod["metadata"]["creationTimestamp"] for pod in stack.get("v1 pods?labelSelector=colour=green")["items"]]
    assert started
    assert min(started) >= migrated
    # Weights are the load balancer's: nothing changes in the cluster.
    assert stack.up(release=release("blue", {"blue": 90, "green": 10}, blue="a", green="b")) == {}
    switched = stack.up(release=release("green", {"blue": 0, "green": 100}, blue="a", green="b"))
    assert switched == {"update": 2}, stack.said
    assert (stack.ready("blue"), stack.ready("green")) == (3, 3)
    for kind, name in (("apps/v1 deployments", "worker"), ("batch/v1 cronjobs", "sweeper")):
        assert image("b") in str(stack.get(kind, name)["spec"])
    assert stack.up(release=release("green", {"green": 100}, green="b")) == {"delete": 7}
    assert set(stack.jobs()) >= {"bootstrap-1", "migrate-bbbbbbbbbbbb"}
    assert stack.jobs()["bootstrap-1"] == before["bootstrap-1"], "the bootstrap ran again"


def test_an_image_that_does_not_exist_ends_the_release_before_a_pod_of_it_starts(stack: Stack) -> None:
    stack.up(release=trial("0"), code=1)
    assert "ImagePullBackOff" in stack.said
    assert "<b>image</b>: Failed to pull image" in stack.report()
    assert stack.ready("green") == 3
    with pytest.raises(ApiError, match="not found"):
        stack.get("apps/v1 deployments", "api-blue")


def test_a_full_quota_ends_the_release_with_the_quotas_words(stack: Stack) -> None:
    with quota(stack, pods=3):
        stack.up(release=trial("c"), code=1)
    assert "<b>quota</b>: Error creating: pods" in (page := stack.report())
    assert "exceeded quota: tight, requested: pods=1, used: pods=3, limited: pods=3" in page
    assert stack.ready("green") == 3
