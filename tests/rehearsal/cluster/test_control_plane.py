"""Does a control plane start, answer, survive what is done to it, and go without a trace?"""

import json
import os
import signal
import socket
import subprocess
import sys
from typing import Any

import psutil
import pytest

from rehearsal.cluster import control_plane, processes
from rehearsal.cluster.api import ApiError
from tests.workload.waiting import eventually

from .conftest import NAME, Trial


def pod(image: str, **security: Any) -> dict[str, Any]:
    restricted = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    return {
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "restartPolicy": "Never",
        "containers": [{"name": "main", "image": image, "securityContext": security or restricted}],
    }


@pytest.fixture(scope="session")
def namespace(trial: Trial) -> str:
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "app", "labels": labels}}
    trial.api.call("POST", "/api/v1/namespaces", body)
    return "app"


def test_nodes_stand_in_every_zone(trial: Trial) -> None:
    nodes = trial.api.call("GET", "/api/v1/nodes")["items"]
    zones = [node["metadata"]["labels"]["topology.kubernetes.io/zone"] for node in nodes]
    assert sorted(set(zones)) == ["us-east-1a", "us-east-1b", "us-east-1c"]
    assert len(nodes) == len(zones) == 3 * control_plane.NODES_PER_ZONE


def test_pod_security_refuses_a_privileged_pod(trial: Trial, namespace: str) -> None:
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "root"}, "spec": pod("i", privileged=True)}
    with pytest.raises(ApiError, match="violates PodSecurity") as refusal:
        trial.api.call("POST", f"/api/v1/namespaces/{namespace}/pods", body)
    assert refusal.value.status == 403


@pytest.mark.parametrize(
    ("digest", "phase", "reason"),
    [
        ("a" * 64, "Running", None),
        ("0" * 64, "Pending", "ImagePullBackOff"),
        ("1" * 64, "Running", "CrashLoopBackOff"),
    ],
)
def test_an_image_digest_chooses_a_pods_fate(
    trial: Trial, namespace: str, digest: str, phase: str, reason: str | None
) -> None:
    name = f"fate-{digest[0]}"
    path = f"/api/v1/namespaces/{namespace}/pods"
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": pod(f"registry/i@sha256:{digest}")}
    trial.api.call("POST", path, body)
    status = eventually(lambda: (s := trial.api.call("GET", f"{path}/{name}")["status"]).get("containerStatuses") and s)
    waiting = status["containerStatuses"][0]["state"].get("waiting", {})
    assert (status["phase"], waiting.get("reason")) == (phase, reason)
    assert status["containerStatuses"][0]["ready"] is (reason is None)


def images(*words: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "rehearsal", "cluster", "images", *words]
    return subprocess.run(line, capture_output=True, text=True, check=False)


def test_an_image_that_is_pushed_later_is_pulled_then(trial: Trial, namespace: str) -> None:
    digest = f"sha256:{'b' * 64}"
    assert images("--missing", digest).stdout == f"{digest}\n"
    path = f"/api/v1/namespaces/{namespace}/pods"
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "late"}, "spec": pod(f"registry/i@{digest}")}
    trial.api.call("POST", path, body)

    def state() -> dict[str, Any]:
        [container] = trial.api.call("GET", f"{path}/late")["status"].get("containerStatuses") or [{"state": {}}]
        return dict(container["state"])

    waiting = eventually(lambda: state().get("waiting"))
    assert waiting["reason"] == "ImagePullBackOff"
    assert images("--pushed", digest).stdout == ""
    assert eventually(lambda: state().get("running"))
    assert trial.api.call("GET", f"{path}/late")["status"]["phase"] == "Running"


def test_what_is_no_digest_is_refused(trial: Trial) -> None:
    wrong = images("--missing", "latest")
    assert wrong.returncode == 1 and "image 'latest': a digest is needed" in wrong.stderr


@pytest.mark.parametrize(("digest", "condition"), [("a" * 64, "Complete"), ("2" * 64, "Failed")])
def test_a_job_ends_as_its_image_says(trial: Trial, namespace: str, digest: str, condition: str) -> None:
    path = f"/apis/batch/v1/namespaces/{namespace}/jobs"
    name = f"job-{digest[0]}"
    template = {"spec": pod(f"registry/i@sha256:{digest}")}
    body = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name},
        "spec": {"backoffLimit": 0, "template": template},
    }
    trial.api.call("POST", path, body)
    status = eventually(lambda: trial.api.call("GET", f"{path}/{name}")["status"].get("conditions"))
    ended = eventually(
        lambda: [
            c["type"]
            for c in trial.api.call("GET", f"{path}/{name}")["status"]["conditions"]
            if c["type"] in {"Complete", "Failed"}
        ]
    )
    assert status
    assert ended == [condition]


def test_auto_modes_kinds_are_served_and_checked(trial: Trial, namespace: str) -> None:
    path = f"/apis/eks.amazonaws.com/v1/namespaces/{namespace}/targetgroupbindings"
    body: dict[str, Any] = {
        "apiVersion": "eks.amazonaws.com/v1",
        "kind": "TargetGroupBinding",
        "metadata": {"name": "api"},
        "spec": {"serviceRef": {"name": "api", "port": 80}, "targetType": "ip"},
    }
    with pytest.raises(ApiError, match="targetGroupARN"):
        eventually(lambda: trial.api.call("POST", path, body))
    body["spec"]["targetGroupARN"] = (
        "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/api/0123456789abcdef"
    )
    assert trial.api.call("POST", path, body)["metadata"]["uid"]


def test_killed_processes_come_back_with_the_objects(trial: Trial, namespace: str) -> None:
    before = control_plane.load(trial.folder)
    for pid in control_plane.running(trial.folder).values():
        os.kill(pid, signal.SIGKILL)
    assert trial.start() == before
    assert trial.api.call("GET", f"/api/v1/namespaces/{namespace}")["metadata"]["name"] == namespace
    assert len(control_plane.running(trial.folder)) == len(control_plane.PARTS)


def test_a_lost_scheduler_is_noticed_and_replaced(trial: Trial) -> None:
    os.kill(control_plane.running(trial.folder)["kube-scheduler"], signal.SIGKILL)
    eventually(lambda: "kube-scheduler" not in control_plane.running(trial.folder))
    trial.start()
    assert "kube-scheduler" in control_plane.running(trial.folder)


def test_a_running_cluster_is_left_alone(trial: Trial) -> None:
    before = control_plane.running(trial.folder)
    trial.start()
    assert control_plane.running(trial.folder) == before


def test_somebody_elses_port_is_never_taken(trial: Trial) -> None:
    cluster = control_plane.load(trial.folder)
    assert cluster
    control_plane.stop(trial.root, NAME)
    with socket.create_server(("127.0.0.1", cluster.port)):
        with pytest.raises(control_plane.ClusterError, match=f"port {cluster.port}.*taken by another process"):
            trial.start()
        assert control_plane.running(trial.folder) == {}
    trial.start()


def test_a_process_id_that_now_belongs_to_somebody_else_is_not_signalled(trial: Trial) -> None:
    bystander = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, text=True)
    try:
        (trial.folder / "bystander.pid").write_text(f"{bystander.pid} 1")
        processes.stop("bystander", trial.folder)
        assert bystander.poll() is None
    finally:
        bystander.communicate("\n")


def test_the_stand_in_answers_the_kubeconfigs_question_and_no_other(trial: Trial) -> None:
    def ask(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-I", "-m", "rehearsal.cluster.aws_cli", *words]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    answer = ask("eks", "get-token", "--cluster-name", NAME, "--region", "us-east-1", "--output", "json")
    cluster = control_plane.load(trial.folder)
    assert cluster
    assert json.loads(answer.stdout)["status"]["token"] == cluster.token
    missing = ask("eks", "get-token", "--cluster-name", "nowhere")
    assert (missing.returncode, missing.stdout) == (1, "")
    assert "there is no cluster nowhere" in missing.stderr
    assert ask("s3", "ls").returncode == 252


def test_everything_listens_on_loopback_only(trial: Trial) -> None:
    ours = [
        connection.laddr.ip
        for pid in control_plane.running(trial.folder).values()
        for connection in psutil.Process(pid).net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert len(ours) >= len(control_plane.PARTS)
    assert set(ours) <= {"127.0.0.1", "::1", "::ffff:127.0.0.1"}
