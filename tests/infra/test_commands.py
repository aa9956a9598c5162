"""Does the image understand what the pods ask of it? Every command line of every graph, by the service's parser."""

from collections.abc import Iterator
from typing import Any

from service.__main__ import parser
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
