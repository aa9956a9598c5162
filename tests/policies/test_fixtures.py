"""Are the hand-made resources what a provider would take? Else the rules would be tested on what cannot exist."""

from typing import Any

import graphs
import pytest

from rehearsal.aws import schema
from rehearsal.aws.check import check
from rehearsal.aws.context import Context
from rehearsal.aws.library import Library
from rehearsal.kubernetes.kinds import failures


@pytest.fixture(scope="module")
def library() -> Library:
    schema.ensure()
    return Library.open()


@pytest.mark.parametrize("row", graphs.compliant(), ids=lambda row: row["urn"].rpartition("::")[2])
def test_a_provider_accepts_the_fixture(row: dict[str, Any], library: Library) -> None:
    if row["type"].startswith("kubernetes:"):
        assert failures(row["inputs"], None) == []
    elif row["type"].startswith("aws:"):
        context = Context("us-east-1", "123456789012")
        checked = check(
            library, row["type"], row["inputs"], olds={}, name="fixture", random_seed=b"\0" * 32, context=context
        )
        assert checked.failures == ()
