"""Does a real API server refuse exactly what the rules refuse? The committed policies against the rules' own cases."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import admission
import graphs
import pytest
import yaml
from pack import catalogue, graph
from pack.evaluate import judge

from rehearsal.cluster import binaries, control_plane
from rehearsal.cluster.api import Api, ApiError

COMMITTED = {path.stem: json.loads(path.read_text()) for path in (graphs.ROOT / "policies/admission").glob("*.json")}
GROUP = "/apis/admissionregistration.k8s.io/v1"
COLLECTIONS = {
    "ValidatingAdmissionPolicy": f"{GROUP}/validatingadmissionpolicies",
    "ValidatingAdmissionPolicyBinding": f"{GROUP}/validatingadmissionpolicybindings",
    "Deployment": "/apis/apps/v1/namespaces/app/deployments",
    "Job": "/apis/batch/v1/namespaces/app/jobs",
    "CronJob": "/apis/batch/v1/namespaces/app/cronjobs",
    "StatefulSet": "/apis/apps/v1/namespaces/app/statefulsets",
    "Service": "/api/v1/namespaces/app/services",
}
MUTATIONS = yaml.safe_load((graphs.HERE / "mutations.yaml").read_text())


def _changed(rows: list[graphs.Row]) -> graphs.Row | None:
    """What a change sends to the server, nothing when it touches only the order in which the engine makes things."""
    before = {row["urn"]: row["inputs"] for row in graphs.compliant()}
    return next((row for row in rows if row["inputs"] != before[row["urn"]]), None)


CASES = [
    pytest.param(change, id=f"{rule}-{number}")
    for rule, changes in MUTATIONS.items()
    for number, change in enumerate(changes)
    if change.get("type", "").rpartition(":")[2] in COLLECTIONS and change["type"].startswith("kubernetes:")
    if _changed(graphs.mutated(graphs.compliant(), change) or [])
]


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A control plane of one's own with the policies in force."""
    root = tmp_path_factory.mktemp("admission")
    cluster = control_plane.start(
        root, binaries.control_plane(), "admission", region="us-east-1", zones=("us-east-1a",)
    )
    try:
        server = control_plane.api(control_plane.folder_of(root, "admission"), cluster)
        namespace = next(row for row in graphs.compliant() if row["type"] == "kubernetes:core/v1:Namespace")["inputs"]
        # Pod Security would refuse some pods itself: here only our policies may speak.
        labels = {key: value for key, value in namespace["metadata"]["labels"].items() if "pod-security" not in key}
        server.call("POST", "/api/v1/namespaces", {**namespace, "metadata": {"name": "app", "labels": labels}})
        for made in COMMITTED.values():
            for item in made["items"]:
                server.call("POST", COLLECTIONS[item["kind"]], item)
        _in_force(server)
        yield server
    finally:
        control_plane.stop(root, "admission", forget=True)


def _in_force(server: Api) -> None:
    """The API server takes a moment to load new policies: ask until each of them has refused something."""
    waiting = set(COMMITTED)
    deadline = time.monotonic() + 60
    while waiting:
        for rule in sorted(waiting):
            change = MUTATIONS[rule][0]
            row = _changed(graphs.mutated(graphs.compliant(), change) or [])
            assert row, f"the first change of {rule} sends nothing to a server"
            said = refusal(server, row["inputs"])
            # The server names one policy; a change that breaks several may be answered by any of them.
            if any(f"{name}:" in said for name in (rule, *change.get("also", ()))):
                waiting.discard(rule)
        assert time.monotonic() < deadline, f"not in force after a minute: {', '.join(sorted(waiting))}"


def refusal(server: Api, manifest: dict[str, Any]) -> str:
    """The server's words when it refuses a creation (only tried), else nothing."""
    try:
        server.call("POST", COLLECTIONS[manifest["kind"]] + "?dryRun=All", manifest)
    except ApiError as error:
        return str(error)
    return ""


def test_the_committed_objects_are_the_generated_ones() -> None:
    command = [sys.executable, str(graphs.ROOT / "policies/admission.py"), "--check"]
    assert subprocess.run(command, check=False).returncode == 0
    assert len(COMMITTED) == 10
    assert admission.objects() == COMMITTED


@pytest.mark.parametrize("kind", COLLECTIONS.keys() - {"ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"})
def test_the_server_takes_what_breaks_no_rule(api: Api, kind: str) -> None:
    row = next(row for row in graphs.compliant() if row["inputs"].get("kind") == kind)
    assert refusal(api, row["inputs"]) == ""


@pytest.mark.parametrize("change", CASES)
def test_server_and_rules_refuse_the_same(api: Api, change: dict[str, Any]) -> None:
    rows = graphs.mutated(graphs.compliant(), change)
    assert rows
    row = _changed(rows)
    assert row
    said = refusal(api, row["inputs"])
    (resource,) = graph.resources([row])
    broken = {
        name
        for name, rule in catalogue.load().items()
        if name in COMMITTED and rule.applies(row["type"]) and any(judge(rule, resource, None, defaults(rule)))
    }
    named = {name for name in COMMITTED if f"{name}:" in said}
    assert named <= broken  # the server names the first policy that refuses
    assert bool(named) == bool(broken), said


def defaults(rule: catalogue.Rule) -> dict[str, Any]:
    return {option: schema["default"] for option, schema in rule.options.items()}
