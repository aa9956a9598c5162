"""What can somebody do who has taken over a role? Attacks on every account's roles, each beside what is allowed."""

import pytest

from rehearsal.aws.authorization.account import Account, read
from tests.bootstrap.escalation import ways
from tests.permissions.pods import ENVIRONMENTS, graphs


@pytest.fixture(scope="module", params=ENVIRONMENTS)
def account(request: pytest.FixtureRequest) -> Account:
    return read(graphs(request.param))


def test_no_pod_can_become_anybody_else_or_more_than_it_is(account: Account) -> None:
    pods = set(account.pods.values())
    assert len(pods) > 4
    for role in pods:
        assert list(ways(account, account.roles[role])) == []
