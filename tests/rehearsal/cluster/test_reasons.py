"""Does `cluster reasons` say in one line why each object does not come up, and nothing of what is well?"""

import json
import subprocess
import sys
from typing import Any

import pytest

from rehearsal.cluster import reasons
from tests.workload.waiting import eventually

from .conftest import NAME, Trial

SPACE = "stuck"
RESTRICTED = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}


def template(digit: str, *, restart: str = "Always", **spec: Any) -> dict[str, Any]:
    container = {"name": "main", "image": f"registry/i@sha256:{digit * 64}", "securityContext": RESTRICTED}
    safe = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    pod = {"securityContext": safe, "restartPolicy": restart, "containers": [container], **spec}
    return {"metadata": {"labels": {"app": f"a{digit}"}}, "spec": pod}


def create(trial: Trial, collection: str, kind: str, name: str, spec: dict[str, Any]) -> None:
    group, _, plural = collection.partition("/namespaced/")
    body = {"apiVersion": group.removeprefix("apis/").removeprefix("api/"), "kind": kind}
    path = f"/{group}/namespaces/{SPACE}/{plural}"
    trial.api.call("POST", path, {**body, "metadata": {"name": name}, "spec": spec})


def deployment(trial: Trial, name: str, made: dict[str, Any]) -> None:
    made = {**made, "metadata": {"labels": {"app": name}}}
    spec = {"replicas": 2, "selector": {"matchLabels": {"app": name}}, "template": made}
    create(trial, "apis/apps/v1/namespaced/deployments", "Deployment", name, spec)


def job(trial: Trial, name: str, digit: str, seconds: int) -> None:
    spec = {"backoffLimit": 0, "activeDeadlineSeconds": seconds, "template": template(digit, restart="Never")}
    create(trial, "apis/batch/v1/namespaced/jobs", "Job", name, spec)


@pytest.fixture(scope="module")
def stuck(trial: Trial) -> Trial:
    """A namespace with one object for every cause, and one that is well."""
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SPACE, "labels": labels}}
    trial.api.call("POST", "/api/v1/namespaces", space)
    bound = {"matchExpressions": [{"scopeName": "PriorityClass", "operator": "In", "values": ["bounded"]}]}
    level = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "bounded"}, "value": 1}
    trial.api.call("POST", "/apis/scheduling.k8s.io/v1/priorityclasses", level)
    create(
        trial,
        "api/v1/namespaced/resourcequotas",
        "ResourceQuota",
        "none",
        {"hard": {"pods": "0"}, "scopeSelector": bound},
    )
    path = f"/api/v1/namespaces/{SPACE}/resourcequotas/none"
    eventually(lambda: trial.api.call("GET", path)["status"].get("used"))
    deployment(trial, "no-image", template("0"))
    deployment(trial, "no-answer", template("3"))
    deployment(trial, "no-quota", template("a", priorityClassName="bounded"))
    deployment(trial, "no-rules", template("a", hostNetwork=True))
    deployment(trial, "no-room", template("a", nodeSelector={"zone": "nowhere"}))
    deployment(trial, "no-life", template("1"))
    deployment(trial, "well", template("a"))
    job(trial, "no-success", "2", 60)
    job(trial, "no-image-in-time", "0", 5)
    return trial


@pytest.mark.parametrize(
    ("about", "kind", "says"),
    [
        ("Deployment/no-image", "image", "manifest unknown"),
        ("Deployment/no-answer", "probe", "Readiness probe failed: HTTP probe failed with statuscode: 503"),
        ("Deployment/no-quota", "quota", "exceeded quota: none, requested: pods=1, used: pods=0, limited: pods=0"),
        ("Deployment/no-rules", "admission", "violates PodSecurity"),
        ("Deployment/no-room", "unschedulable", "didn't match Pod's node affinity/selector"),
        ("Deployment/no-life", "crash", "restarting failed container"),
        ("Job/no-success", "failed", "exit code 1"),
    ],
)
def test_each_cause_is_one_line_about_the_workload(stuck: Trial, about: str, kind: str, says: str) -> None:
    def told() -> list[reasons.Reason]:
        return [one for one in reasons.ask(stuck.api) if one.about == about]

    (reason,) = eventually(told)
    assert (reason.namespace, reason.kind) == (SPACE, kind)
    eventually(lambda: says in told()[0].message, 10)
    assert len(told()) == 1


def test_a_job_that_ran_out_of_time_is_explained_by_what_its_vanished_pod_lacked(stuck: Trial) -> None:
    path = f"/apis/batch/v1/namespaces/{SPACE}/jobs/no-image-in-time"
    eventually(lambda: any(c["type"] == "Failed" for c in stuck.api.call("GET", path)["status"].get("conditions", [])))
    pods = f"/api/v1/namespaces/{SPACE}/pods?labelSelector=job-name=no-image-in-time"
    eventually(lambda: not stuck.api.call("GET", pods)["items"])
    found = [one for one in reasons.ask(stuck.api) if one.about == "Job/no-image-in-time"]
    assert [one.kind for one in found] == ["image"]
    assert "there is no image with this digest" in found[0].message


def test_what_is_well_is_silent_and_so_is_what_has_recovered(stuck: Trial) -> None:
    path = f"/apis/apps/v1/namespaces/{SPACE}/deployments/well"
    eventually(lambda: stuck.api.call("GET", path)["status"].get("readyReplicas") == 2)
    assert not [one for one in reasons.ask(stuck.api) if one.about == "Deployment/well"]
    path = f"/apis/apps/v1/namespaces/{SPACE}/deployments/no-life"
    assert [one for one in reasons.ask(stuck.api) if one.about == "Deployment/no-life"]
    better = {"spec": {"template": {"spec": {"containers": [{"name": "main", "image": f"i@sha256:{'b' * 64}"}]}}}}
    stuck.api.call("PATCH", path, better, kind="application/strategic-merge-patch+json")
    eventually(lambda: not [one for one in reasons.ask(stuck.api) if one.about == "Deployment/no-life"])


def row(name: str, owner: str = "", **more: Any) -> dict[str, Any]:
    owners = [{"uid": owner, "controller": True}] if owner else []
    return {"metadata": {"name": name, "namespace": SPACE, "uid": name, "ownerReferences": owners}, **more}


@pytest.mark.parametrize(("succeeded", "told"), [("2026-01-01T00:01:30Z", []), ("2026-01-01T00:00:30Z", ["failed"])])
def test_a_scheduled_task_that_failed_is_told_until_it_succeeds_again(succeeded: str, told: list[str]) -> None:
    status = {"lastScheduleTime": "2026-01-01T00:01:00Z", "lastSuccessfulTime": succeeded}
    failed = {"conditions": [{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "message": "once"}]}
    jobs = [row("sweeper-1", "sweeper", status=failed)]
    found = reasons.find({"CronJob": [row("sweeper", status=status)], "Job": jobs})
    assert [one.kind for one in found] == told


def test_events_of_an_earlier_version_say_nothing_about_the_present_one() -> None:
    unready = {"observedGeneration": 1, "updatedReplicas": 1, "readyReplicas": 0}
    sets = [row("api-1", "api", spec={"replicas": 0}), row("api-2", "api", spec={"replicas": 1})]
    about = {"kind": "Pod", "namespace": SPACE, "uid": "gone"}
    events = [
        {"involvedObject": about | {"name": "api-1-abcde"}, "reason": "Unhealthy", "message": "refused"},
        {"involvedObject": about | {"name": "api-2-fghij"}, "reason": "FailedScheduling", "message": "no room"},
    ]
    found = reasons.find(
        {"Deployment": [row("api", spec={"replicas": 1}, status=unready)], "ReplicaSet": sets, "Event": events}
    )
    assert [(one.about, one.kind, one.message) for one in found] == [
        ("Deployment/api", "unschedulable", "FailedScheduling: no room")
    ]


def test_the_command_prints_lines_or_json_and_names_an_unknown_cluster(stuck: Trial) -> None:
    def ask(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "rehearsal", "cluster", "reasons", *words]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    eventually(lambda: "Deployment/no-image: image: " in ask().stdout)
    assert f"{NAME}: {SPACE} Deployment/no-image: image: " in ask(NAME).stdout
    rows = json.loads(ask("--json").stdout)
    assert {"cluster", "namespace", "about", "kind", "message"} == set(rows[0])
    unknown = ask("nowhere")
    assert unknown.returncode == 1
    assert "there is no cluster nowhere" in unknown.stderr
