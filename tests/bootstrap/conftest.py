"""The accounts as they are deployed, and what the evaluator of IAM reads from account and estate together."""

import json
from pathlib import Path

import pytest

from rehearsal.aws.authorization import account
from rehearsal.aws.authorization.account import Account
from tests.infra.graph import Graph

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
ENVIRONMENTS = ("dev", "staging", "production")


@pytest.fixture(params=ENVIRONMENTS)
def graph(request: pytest.FixtureRequest) -> Graph:
    return Graph(request.param, json.loads((GOLDEN / f"bootstrap-{request.param}.json").read_text()))


@pytest.fixture
def judge(graph: Graph) -> Account:
    """Everything that has a say in the account."""
    return account.load([GOLDEN / f"bootstrap-{graph.environment}.json", GOLDEN / f"{graph.environment}.json"])
