"""Does the schema-level Kubernetes plugin judge, name, replace and keep objects, over the wire?"""

import json
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc
from typing_extensions import override

NAMESPACE = "kubernetes:core/v1:Namespace"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"


def kubeconfig(server: str) -> str:
    return json.dumps(
        {
            "current-context": "main",
            "contexts": [{"name": "main", "context": {"cluster": "it"}}],
            "clusters": [{"name": "it", "cluster": {"server": server}}],
        }
    )


@pytest.fixture
def kubernetes(start: Callable[..., Any]) -> Any:
    return start("rehearsal.kubernetes", "4.25.0", kubeconfig=kubeconfig("https://one"))


class Engine(engine_pb2_grpc.EngineServicer):
    """What the engine is told."""

    def __init__(self) -> None:
        self.warnings: list[str] = []
        self._server = grpc.server(ThreadPoolExecutor(1))
        engine_pb2_grpc.add_EngineServicer_to_server(self, self._server)
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()

    @override
    def Log(self, request: engine_pb2.LogRequest, context: Any) -> Empty:
        assert request.severity == engine_pb2.WARNING
        self.warnings.append(request.message)
        return Empty()

    def stop(self) -> None:
        self._server.stop(None)


@pytest.fixture
def engine() -> Iterator[Engine]:
    made = Engine()
    yield made
    made.stop()


def deployment(**spec: Any) -> dict[str, Any]:
    template = {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [{"name": "a", "image": "a:1"}]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {},
        "spec": {"selector": {"matchLabels": {"app": "a"}}, "template": template} | spec,
    }


def test_an_object_is_named_and_put_into_the_namespace(kubernetes: Any) -> None:
    inputs, failures = kubernetes.check(DEPLOYMENT, deployment(), name="api")
    assert failures == {}
    metadata = inputs.values["metadata"]
    assert re.fullmatch(r"api-[0-9a-f]{8}", metadata["name"]) and metadata["namespace"] == "default"
    assert metadata["annotations"] == {"pulumi.com/autonamed": "true"}
    again, _ = kubernetes.check(DEPLOYMENT, deployment(), olds=inputs.values)
    assert again == inputs


@pytest.mark.parametrize(
    ("spec", "property", "reason"),
    [
        ({"replicas": "three"}, "spec.replicas", "must be integer"),
        ({"selector": None}, "spec", "required field is missing: selector"),
    ],
)
def test_the_published_schema_refuses(kubernetes: Any, spec: Any, property: str, reason: str) -> None:
    _, failures = kubernetes.check(DEPLOYMENT, deployment(**spec))
    assert property in failures and failures[property].startswith(reason)


def test_an_unknown_field_is_a_warning_as_the_api_server_gives_it(start: Callable[..., Any], engine: Any) -> None:
    kubernetes = start("rehearsal.kubernetes", "4.25.0", engine.address, kubeconfig=kubeconfig("https://one"))
    _, failures = kubernetes.check(DEPLOYMENT, deployment(replica=3))
    assert failures == {}
    assert engine.warnings == ['unknown field "spec.replica": the API server drops it']


def test_a_secret_is_never_repeated(kubernetes: Any) -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "stringData": {"a": ["hush"]}}
    _, failures = kubernetes.check("kubernetes:core/v1:Secret", secret)
    assert failures and "hush" not in str(failures)


def test_unknowns_and_custom_resources_pass(kubernetes: Any) -> None:
    from rehearsal.values import UNKNOWN

    assert kubernetes.check(DEPLOYMENT, deployment(replicas=UNKNOWN))[1] == {}
    custom = {"apiVersion": "eks.amazonaws.com/v1", "kind": "NodeClass", "metadata": {"name": "a"}, "spec": {"x": 1}}
    inputs, failures = kubernetes.check("kubernetes:eks.amazonaws.com/v1:NodeClass", custom)
    assert (inputs.values, failures) == (custom, {})


def test_objects_live_in_the_world_of_their_cluster(kubernetes: Any, start: Callable[..., Any]) -> None:
    inputs = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "app"}}
    id, outputs = kubernetes.create(NAMESPACE, inputs)
    assert id == "app" and outputs.values["metadata"]["uid"] and outputs.values["status"] == {"phase": "Active"}
    assert kubernetes.read(NAMESPACE, id)[1].values == inputs
    other = start("rehearsal.kubernetes", "4.25.0", kubeconfig=kubeconfig("https://two"))
    assert other.read(NAMESPACE, id)[0] == ""

    labelled = {**inputs, "metadata": {"name": "app", "labels": {"a": "b"}}}
    changed = kubernetes.update(NAMESPACE, id, outputs, labelled)
    assert changed.values["metadata"]["uid"] == outputs.values["metadata"]["uid"]
    kubernetes.delete(NAMESPACE, id, changed)
    assert kubernetes.read(NAMESPACE, id)[0] == ""


def test_what_cannot_change_in_place_replaces(kubernetes: Any) -> None:
    inputs = kubernetes.check(DEPLOYMENT, deployment(), name="api")[0].values
    id, outputs = kubernetes.create(DEPLOYMENT, inputs)
    assert kubernetes.diff(DEPLOYMENT, id, inputs, outputs, inputs).changes == "none"
    scaled = {**inputs, "spec": {**inputs["spec"], "replicas": 2}}
    assert kubernetes.diff(DEPLOYMENT, id, inputs, outputs, scaled).kinds == {"spec.replicas": "ADD"}
    moved = {**inputs, "spec": {**inputs["spec"], "selector": {"matchLabels": {"app": "b"}}}}
    answer = kubernetes.diff(DEPLOYMENT, id, inputs, outputs, moved)
    assert answer.kinds == {"spec.selector.matchLabels.app": "UPDATE_REPLACE"} and not answer.delete_before_replace
    fixed = {**moved, "metadata": {"name": inputs["metadata"]["name"], "namespace": "default"}}
    assert kubernetes.diff(DEPLOYMENT, id, inputs, outputs, fixed).delete_before_replace
