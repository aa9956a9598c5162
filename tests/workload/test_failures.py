"""Does a release that cannot come up end with its reason in the report, and harm nothing?"""

from typing import Any

import pytest

from rehearsal.cluster.api import ApiError

from .conftest import Stack, candidate, image, quota


def pod_change(**spec: Any) -> dict[str, Any]:
    """An edit of green's pods."""
    return {"service-green": {"spec": {"template": {"spec": spec}}}}


@pytest.mark.parametrize(
    ("digit", "changes", "kind", "says"),
    [
        ("0", {}, "image", "Failed to pull image"),
        ("2", {}, "failed", "Error: exit code 1"),
        ("1", {}, "crash", "restarting failed container"),
        ("3", {}, "probe", "Readiness probe failed"),
        ("b", pod_change(nodeSelector={"zone": "nowhere"}), "unschedulable", "nodes are available"),
        ("b", pod_change(hostNetwork=True), "admission", "violates PodSecurity"),
    ],
)
def test_the_reason_stands_in_the_report_and_the_old_version_serves(
    steady: Stack, digit: str, changes: dict[str, Any], kind: str, says: str
) -> None:
    serving = {pod["metadata"]["uid"] for pod in steady.api_pods()}
    steady.up(release=candidate(digit), changes=changes, code=1)
    page = steady.report()
    assert f"<b>{kind}</b>" in page
    assert says in page
    assert steady.ready("blue") == 3
    assert serving <= {pod["metadata"]["uid"] for pod in steady.api_pods()}


def test_a_quota_that_half_the_pods_fit_into_ends_the_release_too(steady: Stack) -> None:
    # Room for the migration, and then for one of green's three pods.
    with quota(steady, pods=4):
        steady.up(release=candidate("b"), code=1)
        page = steady.report()
    assert "Deployment/api-green: <b>quota</b>: pods" in page
    assert "exceeded quota: tight, requested: pods=1, used: pods=4, limited: pods=4" in page
    assert steady.ready("blue") == 3


def test_a_pod_without_security_context_is_refused_by_pod_security(steady: Stack) -> None:
    body = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "bare"},
        "spec": {"containers": [{"name": "main", "image": image("a")}]},
    }
    with pytest.raises(ApiError, match='violates PodSecurity "restricted'):
        steady.api.call("POST", "/api/v1/namespaces/tecnocursos/pods", body)


def test_a_program_without_security_context_is_refused_where_its_deployment_is_made(steady: Stack) -> None:
    bare = pod_change(securityContext=None)
    steady.up(release=candidate("b"), changes=bare, code=1)
    assert "tecnocursos-pod-run-as-non-root" in steady.said
    with pytest.raises(ApiError, match="not found"):
        steady.get("apps/v1 deployments", "api-green")


def test_a_changed_immutable_field_is_a_planned_replacement(steady: Stack) -> None:
    labels = {"app.kubernetes.io/part-of": "tecnocursos"}
    changes = {"service-blue": {"spec": {"selector": {"matchLabels": labels}}}}
    steady.configure(changes=changes)
    plan = steady.pulumi("preview", "--diff")
    deployment = plan[plan.index("Deployment: (replace)") :]
    assert "part-of" in deployment
    assert "+-1 to replace" in plan
