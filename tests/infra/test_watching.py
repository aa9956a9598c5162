"""Is what dashboards/ generates what the estate deploys?"""

import json
import re

import pytest
import yaml

from infra.operations import watching
from tests.infra.graph import Graph
from tests.infra.record import ROOT

GENERATED = ROOT / "dashboards/generated"
MOST = 1_048_576  # bytes that a ConfigMap holds; Kubernetes, "ConfigMaps"


def test_every_rule_file_is_a_rule_group_of_the_workspace(graph: Graph) -> None:
    groups = {row["inputs"]["name"]: row for row in graph.of_type("amp/ruleGroupNamespace")}
    assert set(groups) == {path.stem for path in (GENERATED / "rules").glob("*.yaml")}
    for row in groups.values():
        assert graph.names_behind(row, "workspaceId") == {"metrics"}


def test_alerts_reach_the_two_topics(graph: Graph) -> None:
    (row,) = graph.of_type("amp/alertManagerDefinition")
    assert graph.names_behind(row, "definition") == {"notifications-page", "notifications-ticket"}
    config = yaml.safe_load(yaml.safe_load(row["inputs"]["definition"])["alertmanager_config"])
    topics = {one["topic_arn"] for receiver in config["receivers"] for one in receiver.get("sns_configs", ())}
    assert topics == {
        f"arn:aws:sns:us-east-1:{graph.account}:tecnocursos-{graph.environment}-{t}" for t in ("page", "ticket")
    }


@pytest.mark.parametrize("job", ["cadvisor", "kube-state-metrics"])
def test_exactly_what_is_looked_at_is_scraped(job: str) -> None:
    jobs = {
        one["job_name"]: one
        for one in yaml.safe_load((ROOT / "infra/operations/scrape.yaml").read_text())["scrape_configs"]
    }
    (keep,) = jobs[job]["metric_relabel_configs"]
    metrics = yaml.safe_load((ROOT / "dashboards/sources.yaml").read_text())["metrics"]
    names = [metric["name"] for metric in metrics if metric["exporter"] == job]
    assert [name for name in names if not re.fullmatch(keep["regex"], name)] == []
    assert not re.fullmatch(keep["regex"], "container_tasks_state") and not re.fullmatch(keep["regex"], "kube_pod_info")


def test_no_placeholder_is_left(graph: Graph) -> None:
    assert not re.findall(r"@[A-Z_]+@", json.dumps(graph.rows))


def test_the_dashboards_fit_into_a_config_map() -> None:
    boards = watching.load(GENERATED).boards
    assert boards
    assert sum(map(len, boards.values())) < MOST
