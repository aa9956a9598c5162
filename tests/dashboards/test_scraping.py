"""Does the scraper collect what rules and boards ask for, and keep it?"""

import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from dashboards.catalogue import selectors
from dashboards.expressions import everything
from dashboards.metrics import SOURCES, known

ROOT = Path(__file__).resolve().parents[2]
JOBS: dict[str, Any] = {
    job["job_name"]: job
    for job in yaml.safe_load((ROOT / "infra/operations/scrape.yaml").read_text())["scrape_configs"]
}
DEPLOYMENT = "kubernetes:apps/v1:Deployment"
NOT_BY_THE_SCRAPER = {"prometheus", "rules"}  # written by Prometheus itself, and by rules


def asked() -> Iterator[tuple[str, str]]:
    """Exporter and metric of every selector."""
    for _, expression in everything():
        for selector in selectors(expression):
            yield known()[selector.name or ""].exporter, selector.name or ""


def test_every_exporter_is_scraped() -> None:
    exporters = yaml.safe_load(SOURCES.read_text())["exporters"]
    assert exporters.keys() - NOT_BY_THE_SCRAPER == JOBS.keys()
    for name in JOBS:
        assert exporters[name]["labels"]["job"] == [name]


@pytest.mark.parametrize(("exporter", "metric"), sorted({*asked()}))
def test_what_is_asked_for_is_kept(exporter: str, metric: str) -> None:
    for rule in JOBS.get(exporter, {}).get("metric_relabel_configs", []):
        if rule["action"] == "keep" and rule["source_labels"] == ["__name__"]:
            assert re.fullmatch(rule["regex"], metric)


def test_the_labels_that_scraping_adds_are_those_of_the_catalogue() -> None:
    added = {rule["target_label"] for rule in JOBS["service"]["relabel_configs"] if "target_label" in rule}
    listed = yaml.safe_load(SOURCES.read_text())["exporters"]["service"]["labels"].keys()
    assert {label for label in added if not label.startswith("__")} | {"job", "instance"} == listed


def test_pods_that_ask_to_be_scraped_serve_their_metrics_there() -> None:
    """An annotation promises a port; the arguments must open it, on every address of the pod."""
    for environment in ("dev", "staging", "production"):
        graph = json.loads((ROOT / f"tests/golden/{environment}.json").read_text())
        asking = []
        for row in graph:
            template = row["inputs"].get("spec", {}).get("template", {}) if row["type"] == DEPLOYMENT else {}
            annotations = template.get("metadata", {}).get("annotations", {})
            if annotations.get("prometheus.io/scrape") == "true":
                arguments = template["spec"]["containers"][0]["args"]
                asking.append(arguments[0])
                options = dict(itertools.pairwise(arguments))
                default = {"api": "9000"}.get(arguments[0])
                assert options.get("--metrics-port", default) == annotations["prometheus.io/port"]
                assert options["--host"] == "0.0.0.0"  # noqa: S104
        assert set(asking) == {"api", "worker"}
