"""Is everything watched that can break, and does every alarm reach somebody?"""

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from infra.operations import alarm_table
from infra.operations.alarm_table import Alarm
from infra.operations.alarms import expand
from tests.infra.graph import Graph

TABLE = alarm_table.load().alarms
ROW: dict[str, Any] = {
    "meaning": "something is wrong",
    "namespace": "AWS/SQS",
    "metric": "Age",
    "dimensions": {"QueueName": "queue"},
    "statistic": "Maximum",
    "above": 1,
    "period_seconds": 60,
    "minutes": 5,
    "severity": "page",
}


def test_every_row_makes_alarms_in_production(graphs: dict[str, Graph]) -> None:
    names = {row["name"].removeprefix("alarms-") for row in graphs["production"].of_type("MetricAlarm")}
    for row in TABLE:
        assert any(name == row or name.startswith(f"{row}-") for name in names), row


def test_every_alarm_reaches_the_topic_of_its_severity(graph: Graph) -> None:
    for row in graph.of_type("MetricAlarm"):
        severity = row["inputs"]["alarmDescription"].split(":")[0]
        assert graph.names_behind(row, "alarmActions") == {f"notifications-{severity}"}
        assert graph.names_behind(row, "okActions") == {f"notifications-{severity}"}
        assert len(row["inputs"]["dimensions"]) > 0


def test_somebody_is_paged_in_production(graphs: dict[str, Graph]) -> None:
    for topic in ("page", "ticket"):
        assert [
            row
            for row in graphs["production"].of_type("sns/topicSubscription")
            if graphs["production"].names_behind(row, "topic") == {f"notifications-{topic}"}
        ]


def test_a_row_watches_every_target_of_its_key() -> None:
    alarm = Alarm.model_validate({**ROW, "dimensions": {"Node": "node", "Region": "=Global"}})
    made = dict(expand("cpu", alarm, {"node": {"001": "cache-001", "002": "cache-002"}}))
    assert made == {
        "cpu-001": {"Node": "cache-001", "Region": "Global"},
        "cpu-002": {"Node": "cache-002", "Region": "Global"},
    }


def test_a_row_without_targets_makes_none() -> None:
    assert list(expand("lag", Alarm.model_validate({**ROW, "dimensions": {"Node": "replica"}}), {"replica": {}})) == []


def test_a_target_that_nobody_knows_is_named() -> None:
    with pytest.raises(ValueError, match=r"alarms.yaml: age watches 'queue', which is not among the targets"):
        list(expand("age", Alarm.model_validate(ROW), {}))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"below": 1}, "exactly one of above and below"),
        ({"above": None}, "exactly one of above and below"),
        ({"period_seconds": 300, "minutes": 7}, "a whole number of periods of 300 seconds"),
        ({"severity": "shout"}, "severity"),
        ({"namespace": "SQS"}, "namespace"),
        ({"typo": 1}, "typo"),
    ],
)
def test_a_row_that_is_not_sound_is_refused(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    file = tmp_path / "alarms.yaml"
    file.write_text(yaml.safe_dump({"alarms": {"age": {**ROW, **change}}}))
    with pytest.raises(ValidationError, match=message):
        alarm_table.load(file)


def test_the_storage_alarm_speaks_when_rds_does_not_help_itself(graph: Graph) -> None:
    """RDS adds storage at ten percent of what there is, which only grows: an alarm above that would stay for ever."""
    database = graph.named("database", "rds/instance")["inputs"]
    threshold = graph.named("alarms-database-storage", "MetricAlarm")["inputs"]["threshold"]
    assert 0 < threshold < 0.1 * database["allocatedStorage"] * 2**30
    assert database["maxAllocatedStorage"] > database["allocatedStorage"]
