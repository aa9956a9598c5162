"""The graphs of the environments."""

from typing import Any

import pytest

from tests.permissions.pods import ENVIRONMENTS, graphs


@pytest.fixture(scope="session", params=ENVIRONMENTS)
def rows(request: pytest.FixtureRequest) -> list[dict[str, Any]]:
    """The graphs of an environment's account: its own and that of the estate in it."""
    return graphs(request.param)
