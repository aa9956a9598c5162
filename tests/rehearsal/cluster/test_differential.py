"""Do the schema-level plugin and a real API server agree on manifests, and is every disagreement declared?

Whatever the schema-level plugin refuses, the official provider on a real API server refuses too; what only the latter
refuses is what `python -m rehearsal explain` (and with it every report) lists for the kind.
"""

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
import yaml
from pulumi.runtime.proto import provider_pb2

from rehearsal.cluster import binaries
from rehearsal.kubernetes import kinds
from rehearsal.values import dump
from tests.rehearsal.plugin.conftest import Plugin

from .conftest import Trial

CASES = yaml.safe_load(Path(__file__).with_name("manifests.yaml").read_text())
NAMESPACE = "differential"


def token(manifest: dict[str, Any]) -> str:
    version = manifest["apiVersion"]
    return f"kubernetes:{version if '/' in version else f'core/{version}'}:{manifest['kind']}"


def refusal(plugin: Plugin, manifest: dict[str, Any]) -> str:
    """Why an object is not created; it is deleted again when it was."""
    kind = token(manifest)
    # A name of its own: what is still being deleted would be merged with.
    manifest = manifest | {
        "metadata": manifest["metadata"] | {"name": f"{manifest['metadata']['name']}-{uuid.uuid4().hex[:6]}"}
    }
    inputs, failures = plugin.check(kind, manifest)
    if failures:
        return json.dumps(failures)
    try:
        id, outputs = plugin.create(kind, inputs.values)
    except grpc.RpcError as error:
        return str(error.details())
    plugin.delete(kind, id, outputs)
    return ""


@pytest.fixture(scope="module")
def real(trial: Trial) -> Iterator[Plugin]:
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": labels}}
    trial.api.call("POST", "/api/v1/namespaces", space)
    plugin = Plugin.program(binaries.provider())
    config = {
        "kubeconfig": (trial.folder / "kubeconfig").read_text(),
        "namespace": NAMESPACE,
        "enableServerSideApply": "true",
    }
    variables = {f"kubernetes:config:{name}": value for name, value in config.items()}
    plugin.stub.Configure(provider_pb2.ConfigureRequest(args=dump(config), variables=variables, acceptSecrets=True))
    yield plugin
    plugin.close()
    trial.api.call("DELETE", f"/api/v1/namespaces/{NAMESPACE}")


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plugin]:
    plugin = Plugin(tmp_path_factory.mktemp("schema") / "world", "rehearsal.kubernetes", "4.25.0")
    yield plugin.configure(kubeconfig="", namespace=NAMESPACE)
    plugin.close()


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_what_only_a_real_api_server_refuses_is_declared(case: dict[str, Any], real: Plugin, schema: Plugin) -> None:
    manifest, refused = case["manifest"], case.get("refused", "")
    on_schema, on_real = refusal(schema, manifest), refusal(real, manifest)
    assert bool(on_schema) == (refused == "both"), on_schema
    assert bool(on_real) == bool(refused), on_real
    if refused == "real":
        declared = kinds.only_a_cluster_refuses(manifest["apiVersion"], manifest["kind"])
        assert case["unchecked"] in declared


def test_the_manifests_are_twenty_and_of_every_sort() -> None:
    sorts = [case.get("refused", "neither") for case in CASES]
    assert len(sorts) >= 20
    assert min(sorts.count(sort) for sort in ("neither", "both", "real")) >= 5
