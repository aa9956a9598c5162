"""Does the image understand what the pods ask of it? Commands and settings of every graph, read as the service does."""

import os
from collections.abc import Iterator, Mapping
from typing import Any

import boto3
import pytest

from service.__main__ import parser
from service.settings import PREFIX, Settings
from tests.infra.graph import Graph
from tests.permissions.endpoints import TOKEN_KEY, Endpoints
from tests.permissions.pods import Container, containers, graphs


def of_service(graph: Graph) -> Iterator[Container]:
    """Containers of the service's image, whatever makes the pods."""
    yield from (one for one in containers(graph.rows) if one.of_service)


def test_every_pod_starts_a_command_that_exists(graph: Graph) -> None:
    started = {parser().parse_args(one.arguments).command for one in of_service(graph)}
    assert started == {"api", "worker", "sweep", "migrate", "bootstrap-database"}


def test_metrics_are_served_where_pods_promise_them(graph: Graph) -> None:
    promised = [one for one in of_service(graph) if "metrics" in one.ports]
    assert {parser().parse_args(one.arguments).command for one in promised} == {"api", "worker"}
    for one in promised:
        options = parser().parse_args(one.arguments)
        assert (options.host, options.metrics_port) == ("0.0.0.0", one.ports["metrics"])  # noqa: S104 (of the pod)


def test_the_service_takes_its_settings_and_only_known_ones(graph: Graph, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every pod's own, with the secret that it fetches as its role: what is unsafe outside dev would be refused."""
    endpoints = Endpoints(graphs(graph.environment))
    with endpoints.running():
        for container in of_service(graph):
            with monkeypatch.context() as pod:
                for name in [name for name in os.environ if name.startswith(("AWS_", PREFIX))]:
                    pod.delenv(name)
                for name, value in endpoints.environment(container, container.owner).items():
                    pod.setenv(name, value)
                pod.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{endpoints.port}")
                pod.setattr(boto3, "DEFAULT_SESSION", None)  # it would keep the credentials of the pod before
                settings = Settings()
            assert settings.environment.value == graph.environment
            assert [key.get_secret_value() for key in settings.security.token_keys] == [TOKEN_KEY], container.owner
            assert_known(container.environment)
    assert endpoints.audit.refused() == []


def assert_known(names: Mapping[str, str]) -> None:
    for name in names:
        found: Any = Settings
        for part in name.removeprefix(PREFIX).lower().split("__"):
            if part == "aws_secret":  # names the source of the others
                continue
            assert part in found.model_fields, f"{name} is no setting"
            found = found.model_fields[part].annotation
