"""Does the backup plan keep its promises, and is everything that holds data in it?"""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from infra.operations import backup_plan
from tests.infra.graph import Graph

PLAN = backup_plan.load()
# What the product promises: recovery point and time in minutes, retention in days.
PROMISED = {
    "point-in-time": (15, 15, 30),
    "database": (360, 15, 30),
    "media": (24 * 60, 60, 90),
    "configuration": (24 * 60, 5, 365),
}


@pytest.mark.parametrize(("name", "promise"), PROMISED.items())
def test_the_plan_says_what_is_promised(name: str, promise: tuple[int, int, int]) -> None:
    row = PLAN.rows[name]
    assert row.rpo_minutes <= promise[0]
    assert row.rto_minutes <= promise[1]
    assert row.retention_days >= promise[2]


def test_the_database_is_saved_four_times_a_day() -> None:
    assert PLAN.rows["database"].every_hours == 6
    assert PLAN.rows["database"].schedule == "cron(0 1/6 * * ? *)"
    assert PLAN.rows["media"].schedule == "cron(0 1 * * ? *)"


def test_everything_of_the_plan_is_there() -> None:
    assert set(PLAN.rows) == {*PROMISED, "cache", "cluster-objects", "code"}
    assert {name for name, row in PLAN.rows.items() if row.restore_test} == {"database", "configuration"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"every_hours": 24}, "a backup every 24 hours cannot keep rpo_minutes: 360"),
        ({"every_hours": 5}, "every_hours"),
        ({"service": None}, "service is the AWS Backup resource type"),
        ({"by": "git"}, "service is the AWS Backup resource type"),
        ({"every_hours": None}, "needs every_hours"),
        ({"typo": 1}, "typo"),
    ],
)
def test_a_row_that_contradicts_itself_is_refused(change: dict[str, object], message: str, tmp_path: Path) -> None:
    plan = yaml.safe_load(backup_plan.FILE.read_text())
    plan["rows"]["database"] |= change
    file = tmp_path / "plan.yaml"
    file.write_text(yaml.safe_dump(plan))
    with pytest.raises(ValidationError, match=message):
        backup_plan.load(file)


def test_every_resource_says_which_row_protects_it(graph: Graph) -> None:
    rows = {row["name"]: row["inputs"]["tags"]["backup"] for row in graph.rows if "backup" in _tags(row)}
    assert set(rows.values()) <= {*PLAN.rows, "none"}
    for name in PLAN.vaulted():
        assert name in rows.values(), f"{name}: nothing carries its tag"
    assert rows["database"] == "database"
    assert rows["media"] == "media"
    assert rows["cluster"] == "cluster-objects"


def test_what_holds_data_is_tagged(graph: Graph) -> None:
    kinds = ("s3/bucket", "rds/instance", "elasticache/replicationGroup", "sqs/queue", "ecr/repository", "kms/key")
    for kind in (*kinds, "secretsmanager/secret", "backup/vault"):
        for row in graph.of_type(kind):
            assert {"data-class", "backup"} <= _tags(row).keys(), row["name"]


def test_each_row_has_a_plan_that_selects_by_its_name(graph: Graph) -> None:
    plans = {rule["ruleName"]: rule for row in graph.of_type("backup/plan") for rule in row["inputs"]["rules"]}
    assert set(plans) == set(PLAN.vaulted())
    for name, row in PLAN.vaulted().items():
        assert plans[name]["schedule"] == row.schedule
        assert plans[name]["lifecycle"]["deleteAfter"] == row.retention_days
    for row in graph.of_type("backup/selection"):
        (saved,) = [one for one in graph.behind(row, "resources") if "backup" in _tags(one)]
        assert _tags(saved)["backup"] == row["inputs"]["name"]
        assert len(row["inputs"]["resources"]) == 1


def test_a_restore_test_costs_the_same_whatever_people_store(graph: Graph) -> None:
    """A bucket is restored as a whole: never the one whose size follows from what people upload."""
    for row in graph.of_type("backup/restoreTestingSelection"):
        assert "media" not in graph.names_behind(row, "protectedResourceArns"), row["name"]


@pytest.mark.parametrize(
    ("kind", "detail"),
    [
        ("Backup Job State Change", {"state": "FAILED"}),
        ("Backup Job State Change", {"state": "EXPIRED"}),
        ("Copy Job State Change", {"state": "FAILED"}),
        ("Restore Job State Change", {"status": "FAILED"}),
        ("Restore Job State Change", {"status": "ABORTED"}),
    ],
)
def test_a_failure_is_told(graph: Graph, kind: str, detail: dict[str, str]) -> None:
    assert told(graph, {"source": "aws.backup", "detail-type": kind, "detail": detail}) == {"notifications-ticket"}
    done = dict.fromkeys(detail, "COMPLETED")
    assert told(graph, {"source": "aws.backup", "detail-type": kind, "detail": done}) == set()


def told(graph: Graph, event: dict[str, Any]) -> set[str]:
    """The topics that hear of an event, over rules whose targets' policies let EventBridge publish."""
    heard = set()
    for target in graph.of_type("cloudwatch/eventTarget"):
        (rule,) = graph.behind(target, "rule")
        if not _matches(json.loads(rule["inputs"]["eventPattern"]), event):
            continue
        for topic in graph.names_behind(target, "arn"):
            statements = json.loads(graph.named(topic, "sns/topicPolicy")["inputs"]["policy"])["Statement"]
            if any("events.amazonaws.com" in one["Principal"].get("Service", []) for one in statements):
                heard.add(topic)
    return heard


def _matches(pattern: dict[str, Any], event: dict[str, Any]) -> bool:
    """EventBridge's patterns, as far as they are used: lists of values, nesting, $or."""
    for key, wanted in pattern.items():
        if key == "$or":
            if not any(_matches(one, event) for one in wanted):
                return False
        elif isinstance(wanted, dict):
            if not _matches(wanted, event.get(key, {})):
                return False
        elif event.get(key) not in wanted:
            return False
    return True


def test_two_more_copies_on_two_services_one_in_another_region(graphs: dict[str, Graph]) -> None:
    production = graphs["production"]
    for row in production.of_type("backup/plan"):
        (rule,) = row["inputs"]["rules"]
        (copy,) = rule["copyActions"]
        assert ":us-west-2:" in copy["destinationVaultArn"]
        assert ":us-east-1:" not in copy["destinationVaultArn"]
    database = production.named("database", "rds/instance")["inputs"]
    assert database["backupRetentionPeriod"] >= PLAN.rows["point-in-time"].retention_days
    (replica,) = production.of_type("rds/instanceAutomatedBackupsReplication")
    assert replica["inputs"]["region"] == "us-west-2"
    cache = production.named("cache", "elasticache/replicationGroup")["inputs"]
    assert cache["snapshotRetentionLimit"] >= PLAN.rows["cache"].retention_days


@pytest.mark.parametrize(
    ("environment", "locks", "irreversible", "tests"),
    [("dev", 0, False, 0), ("staging", 2, False, 2), ("production", 2, True, 2)],
)
def test_locks_and_restore_tests(
    graphs: dict[str, Graph], environment: str, locks: int, irreversible: bool, tests: int
) -> None:
    found = graphs[environment].of_type("backup/vaultLockConfiguration")
    assert len(found) == locks
    assert all(("changeableForDays" in row["inputs"]) is irreversible for row in found)
    assert len(graphs[environment].of_type("backup/restoreTestingSelection")) == tests


def _tags(row: dict[str, object]) -> dict[str, str]:
    inputs = row["inputs"]
    assert isinstance(inputs, dict)
    tags: dict[str, str] = inputs.get("tags") or {}
    return tags
