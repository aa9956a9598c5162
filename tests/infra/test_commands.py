"""Does the image understand what the pods ask of it? Commands and settings of every graph, read as the service does."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from service.__main__ import parser
from service.settings import PREFIX, Settings
from tests.infra.graph import Graph


def containers(graph: Graph) -> Iterator[dict[str, Any]]:
    """Containers of the service's pods, whatever makes the pods."""
    for kind in ("Deployment", "Job", "CronJob"):
        for row in graph.of_type(kind):
            spec = row["inputs"]["spec"]
            template = spec["jobTemplate"]["spec"]["template"] if kind == "CronJob" else spec["template"]
            yield from (one for one in template["spec"]["containers"] if "/tecnocursos/service@" in one["image"])


def test_every_pod_starts_a_command_that_exists(graph: Graph) -> None:
    started = {parser().parse_args(one["args"]).command for one in containers(graph)}
    assert started == {"api", "worker", "sweep", "migrate", "bootstrap-database"}


def test_metrics_are_served_where_pods_promise_them(graph: Graph) -> None:
    promised = [one for one in containers(graph) if any(port["name"] == "metrics" for port in one.get("ports", ()))]
    assert {parser().parse_args(one["args"]).command for one in promised} == {"api", "worker"}
    for one in promised:
        options = parser().parse_args(one["args"])
        (port,) = (port["containerPort"] for port in one["ports"] if port["name"] == "metrics")
        assert (options.host, options.metrics_port) == ("0.0.0.0", port)  # noqa: S104 (of the pod)


def test_the_service_takes_its_settings_and_only_known_ones(graph: Graph, monkeypatch: pytest.MonkeyPatch) -> None:
    (data,) = (row["inputs"]["data"] for row in graph.of_type("ConfigMap") if row["name"] == "service-settings")
    for name, value in data.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv(f"{PREFIX}SECURITY__TOKEN_KEYS", json.dumps(["a-key-that-the-secret-would-hold-0123456789"]))
    settings = Settings()  # refuses what is unsafe outside dev
    assert settings.environment.value == graph.environment
    for name in data:
        found: Any = Settings
        for part in name.removeprefix(PREFIX).lower().split("__"):
            assert part in found.model_fields, f"{name} is no setting"
            found = found.model_fields[part].annotation
