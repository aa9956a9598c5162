"""May every process do what it does, and does it do what it may? Real processes, judged by their pods' roles."""

import re
from typing import Any

import pytest

from tests.permissions.day import Day, live
from tests.permissions.pods import containers
from tests.permissions.uses import IDLE, USES, seen


@pytest.fixture(scope="module")
def day(rows: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> Day:
    return live(rows, tmp_path_factory.mktemp("day"))


def test_every_process_did_its_work(day: Day) -> None:
    refused = [one.decision.reason for one in day.region.audit.refused()]
    assert not day.trouble, "\n".join([day.trouble, *refused])
    assert day.codes == {"bootstrap-database": 0, "migrate": 0, "worker": 0, "sweep": 0}


def test_nothing_that_a_process_asked_for_was_refused(day: Day) -> None:
    assert [one.decision.reason for one in day.region.audit.refused()] == []


def test_no_role_may_do_what_its_process_never_does(day: Day) -> None:
    """But for what stands in idle.yaml with its reason."""
    account = day.region.account
    names = {account.pods[one.namespace, one.service_account]: one.service_account
             for one in containers(day.region.rows) if one.of_service}  # fmt: skip
    unused = day.region.audit.unused({arn: account.roles[arn] for arn in names})
    idle = {f"{names[one.role]}: {one.action}" for one in unused}
    expected = {f"{service_account}: {action}" for service_account, actions in IDLE.items() for action in actions}
    assert idle - expected == set(), "nothing used them: take them away, or say in idle.yaml why they are right"
    assert expected - idle == set(), "they are used now: take them out of idle.yaml"


def test_the_table_of_uses_is_what_happened(day: Day) -> None:
    """The proofs without processes lean on it."""
    (proxy,) = set(re.findall(r"(?<=dbuser:)prx-\w+", str(day.region.rows)))
    for one in containers(day.region.rows):
        if one.of_service:
            assert seen(day.region.audit.answers, one, day.region.account, proxy) == sorted(USES[one.command])


def test_nobody_asked_for_an_address_that_the_graph_does_not_have(day: Day) -> None:
    assert day.strangers == ""


def test_the_stand_ins_judge(day: Day) -> None:
    """A day on which nothing is judged would prove nothing."""
    asked = {one.action for one in day.region.audit.answers if one.decision.allowed}
    assert {"rds-db:connect", "elasticache:Connect", "kms:Decrypt", "kms:GenerateDataKey", "s3:ListBucket"} <= asked
