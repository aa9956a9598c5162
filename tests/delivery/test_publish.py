"""Does a report say what was rehearsed: in which account, from where, and what was checked by its schema only?"""

import os

import pytest

from delivery.engine import Target
from delivery.publish import checked_less, rehearsed
from tests.infra.record import ROOT

KIND = "kubernetes:apps/v1:Deployment"


@pytest.mark.parametrize(("mode", "listed"), [("schema", True), ("real", False)])
def test_kinds_are_listed_with_what_only_a_real_api_server_refuses(mode: str, listed: bool) -> None:
    target = Target(ROOT, "tecnocursos", "dev", rehearsal=True)
    shallow, notes = checked_less([KIND], target, os.environ | {"KUBERNETES": mode})
    assert notes == []
    assert [token for token, _ in shallow] == [KIND] * listed
    for _, reason in shallow:
        assert "a selector that does not match its template's labels" in reason


@pytest.mark.parametrize(
    ("account", "said"), [("used", "a used account, with what AWS makes by itself"), ("empty", "an empty account")]
)
def test_a_report_says_which_account_it_was_and_where_the_deployment_ran(account: str, said: str) -> None:
    env = {"REHEARSAL_ACCOUNT": account, "REHEARSAL_RUNNER": "203.0.113.10"}
    [note] = rehearsed(Target(ROOT, "tecnocursos", "dev", rehearsal=True), env)
    assert said in note and "203.0.113.10" in note
    assert rehearsed(Target(ROOT, "tecnocursos", "dev", rehearsal=False), env) == []
