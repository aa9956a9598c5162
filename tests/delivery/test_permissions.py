"""Does whoever deploys get what the graphs take, and no more? The committed permissions, their facts and scopes."""

import json
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
import yaml

from delivery.engine import DeliveryError
from delivery.permissions import command, document, needed

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENTS = ("dev", "staging", "production")
KNOWN, OURS = needed.facts(), document.scopes()
SOURCES = ("cfn", "sar", "guide", "provider")


def graph(environment: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((ROOT / f"tests/golden/{environment}.json").read_text())
    return found


def actions(needs: needed.Needed) -> set[str]:
    return {*needs.read, *needs.write}


def test_what_is_committed_is_what_the_graphs_take() -> None:
    assert command.renew(ROOT, ENVIRONMENTS, check=True) == [], "python -m delivery permissions"


def test_a_type_of_which_nothing_is_known_is_refused_with_the_place_to_say_it() -> None:
    row = {"type": "aws:new/thing:Thing", "inputs": {}, "protect": False}
    with pytest.raises(DeliveryError, match=r"aws:new/thing:Thing takes: add a row .*corrections.yaml"):
        needed.of([row], KNOWN)


def test_an_action_that_aws_does_not_have_is_refused() -> None:
    with pytest.raises(DeliveryError, match="sqs:CreateQueues is not in"):
        KNOWN.reads("sqs:CreateQueues")


def test_a_service_without_a_scope_is_refused() -> None:
    few = needed.Needed(frozenset(), frozenset({"sqs:CreateQueue"}), {})
    with pytest.raises(DeliveryError, match="sqs:CreateQueue needs resources: add sqs to"):
        document.statements(few, KNOWN, {})


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_nothing_is_unbound_that_aws_can_bind_and_no_action_is_a_pattern(environment: str) -> None:
    found = json.loads((ROOT / command.RESULTS / f"{environment}.json").read_text())
    for statement in [*found["read"], *found["write"]]:
        assert not any("*" in action for action in statement["actions"])
        unbound = {action for action in statement["actions"] if not KNOWN.bound(action)}
        assert (statement["resources"] == ["*"]) is (unbound == set(statement["actions"])), statement["sid"]
        assert unbound in (set(), set(statement["actions"]))


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_reading_gives_no_contents_and_changes_nothing(environment: str) -> None:
    found = json.loads((ROOT / command.RESULTS / f"{environment}.json").read_text())
    read = {action for statement in found["read"] for action in statement["actions"]}
    assert not read & {"secretsmanager:GetSecretValue", "s3:GetObject", "kms:Decrypt", "sqs:ReceiveMessage"}
    verbs = ("Get", "List", "Describe", "View", "BatchGet")
    assert {action for action in read if not action.partition(":")[2].startswith(verbs)} == set()


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_what_would_give_more_permissions_is_set_apart(environment: str) -> None:
    found = json.loads((ROOT / command.RESULTS / f"{environment}.json").read_text())
    assert {"iam:CreateRole", "iam:PassRole", "iam:PutRolePolicy", "kms:CreateGrant"} <= set(found["guarded"])
    plain = {action for statement in found["write"] for action in statement["actions"]}
    assert not any(action.startswith(document.GUARDED) for action in plain)


def test_what_production_protects_cannot_be_deleted_by_who_deploys_it() -> None:
    production, dev = (needed.of(graph(name), KNOWN) for name in ("production", "dev"))
    lasting = {"rds:DeleteDBInstance", "s3:DeleteBucket", "kms:ScheduleKeyDeletion", "secretsmanager:DeleteSecret",
               "elasticache:DeleteReplicationGroup", "backup:DeleteBackupVault", "eks:DeleteCluster"}  # fmt: skip
    assert not lasting & actions(production) and lasting <= actions(dev)
    assert {action for withheld in production.withheld.values() for action in withheld} >= lasting
    assert dev.withheld == {}
    rows = graph("production")
    (database,) = (row for row in rows if row["type"] == "aws:rds/instance:Instance")
    database["protect"] = False
    assert "rds:DeleteDBInstance" in actions(needed.of(rows, KNOWN))


def test_a_property_takes_its_actions_only_when_it_is_set() -> None:
    rows = graph("dev")
    emptied = {"s3:DeleteObject", "s3:DeleteObjectVersion", "s3:ListBucketVersions"}
    assert emptied <= actions(needed.of(rows, KNOWN))
    for row in rows:
        row["inputs"].pop("forceDestroy", None)
    assert not emptied & actions(needed.of(rows, KNOWN))
    assert not emptied & actions(needed.of(graph("production"), KNOWN))


def texts(value: Any) -> Iterator[str]:
    """Every text in a value, at any depth; what documents written as text say is theirs."""
    if isinstance(value, str):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from texts(inner)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_arn_of_ours_lies_within_the_scope_of_its_service(environment: str) -> None:
    (provider,) = (row for row in graph(environment) if row["type"] == "pulumi:providers:aws")
    (account,) = json.loads(provider["inputs"]["allowedAccountIds"])
    place = {"prefix": f"tecnocursos-{environment}", "project": "tecnocursos", "environment": environment,
             "region": "us-east-1", "recovery": "us-west-2", "account": account}  # fmt: skip
    ours = re.compile(rf"arn:aws:[a-z0-9-]+:[a-z0-9-]*:{place['account']}:[^*]+|arn:aws:s3:::tecnocursos-[^*/]+")
    found = {text for row in graph(environment) for text in texts(row["inputs"]) if ours.fullmatch(text)}
    assert len(found) > 15
    scopes = {service: [one.format(**place) for one in patterns] for service, patterns in OURS.items()}
    outside = {
        arn
        for arn in found
        if (service := arn.split(":")[2]) in scopes and not any(fnmatchcase(arn, one) for one in scopes[service])
    }
    assert outside == set()


def test_what_the_program_looks_up_is_permitted() -> None:
    calls = set()
    for room in ("infra", "stacks"):
        for file in (ROOT / room).rglob("*.py"):
            calls |= set(re.findall(r"aws\.[\w.]*get_\w+(?=\()", file.read_text()))
    assert {call.removesuffix("_output") for call in calls} <= set(KNOWN.functions)


def test_every_correction_corrects_and_says_where_it_was_seen() -> None:
    table = json.loads((needed.HERE / "actions.json").read_text())
    for row in yaml.safe_load((needed.HERE / "corrections.yaml").read_text()):
        assert row["from"].startswith(SOURCES), row["type"]
        known = table.get(row["type"], {"take": [], "delete": []})
        every = {
            *known["take"],
            *known["delete"],
            *(one for part in known.get("properties", {}).values() for one in part),
        }
        assert set(row.get("drop", ())) <= every, f"{row['type']}: drops what is not there"
        assert not set(row.get("take", ())) & {*known["take"]}, f"{row['type']}: adds what is there"


def test_the_policy_pack_knows_the_same_actions_as_unbound() -> None:
    unbound = json.loads((ROOT / "policies/rules/unbound_actions.json").read_text())
    for action, row in KNOWN.reference.items():
        service, _, name = action.partition(":")
        if service in unbound:  # the table of types knows services that nothing here uses
            assert (name in unbound[service]) is not bool(row["on"]), action
    assert set(OURS) <= set(unbound)
