"""Does a used account take every environment, and each part of it after no more than what it says it needs?"""

import json
from collections.abc import Callable
from typing import Any

import pytest

from rehearsal.aws.delegation import Internet
from tests.first_day.replay import Replay
from tests.infra.record import ROOT

ENVIRONMENTS = ("dev", "staging", "production")
EARLY = {
    "aws:acm/certificateValidation:CertificateValidation",
    "aws:cloudfront/distribution:Distribution",
    "aws:ec2/natGateway:NatGateway",
    "aws:eks/podIdentityAssociation:PodIdentityAssociation",
    "aws:lb/listener:Listener",
    "kubernetes:batch/v1:Job",
}
"""Types that AWS or a cluster refuses, or that fail for good, when what they use is not there yet."""


def early() -> list[Any]:
    """The resources of these types, whatever the order in which the engine happens to create the rest."""
    rows = [
        (name, row)
        for name in ENVIRONMENTS
        for row in json.loads((ROOT / f"tests/golden/{name}.json").read_text())
        if row["type"] in EARLY
    ]
    return [
        pytest.param(name, row["urn"], id=f"{name}-{row['type'].split(':')[2]}-{row['name']}") for name, row in rows
    ]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_nothing_of_an_environment_is_refused(replay: Callable[[str], Replay], environment: str) -> None:
    refused = list(replay(environment).everything())
    assert not refused, "\n".join(refused)


@pytest.mark.parametrize(("environment", "urn"), early())
def test_what_runs_at_once_comes_after_what_it_uses(
    replay: Callable[[str], Replay], environment: str, urn: str
) -> None:
    refused = list(replay(environment).create(urn))
    assert not refused, "\n".join(refused)


@pytest.mark.parametrize("order", [ENVIRONMENTS, ENVIRONMENTS[::-1]], ids=["dev first", "production first"])
def test_environments_share_the_names_above_them(account: Callable[[str], Replay], order: tuple[str, ...]) -> None:
    accounts = [account(environment) for environment in order]
    internet = Internet.of(accounts[0].cloud)
    reasons = [internet.undelegated(zone) for zone in internet.zones()]
    assert reasons == [None] * len(ENVIRONMENTS), "\n".join(filter(None, reasons))
