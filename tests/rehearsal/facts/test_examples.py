"""Does Check take the example programs of the SDK's own documentation? What it refuses is listed with the reason."""

from collections import Counter

import pytest

from rehearsal.aws.library import Library
from tests.rehearsal.facts.examples import CAUSES, Refusals, extract, listed, replay

MOST_FALSE = 0.002
"""The share of examples that may be refused wrongly."""


@pytest.fixture(scope="module")
def refusals(library: Library) -> Refusals:
    return replay(library, extract())


def test_every_refusal_is_listed_with_its_cause(refusals: Refusals) -> None:
    """A new one is either a mistake in the facts or one more in the documentation: judge it, then list it."""
    known = listed()
    assert {row.key: row.failures for row in refusals.rows} == {row.key: row.failures for row in known}
    assert {row.cause for row in known} <= CAUSES.keys()
    assert all(row.why for row in known if row.cause == "wrong value"), "say who refuses the value, and where"


def test_hardly_any_refusal_is_false(refusals: Refusals, capsys: pytest.CaptureFixture[str]) -> None:
    assert refusals.replayed > 4800
    causes = Counter(row.cause for row in listed())
    false = causes.pop("false", 0)
    with capsys.disabled():
        wrong = ", ".join(f"{count} {cause}" for cause, count in causes.items())
        print(f"\n{refusals.replayed} documented examples: {false} refused wrongly; rightly: {wrong}")
    assert false / refusals.replayed <= MOST_FALSE


def test_aws_would_take_them_too(refusals: Refusals) -> None:
    """What only AWS refuses at `up`: an account id of ten digits in the documentation."""
    assert refusals.at_up == ["aws:redshift/partner:Partner example: accountId"]


def test_checked_inputs_check_clean_and_differ_in_nothing(refusals: Refusals) -> None:
    assert not refusals.restless
