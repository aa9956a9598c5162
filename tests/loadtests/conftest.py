"""One service for all tests that need a running one; and property tests without a deadline, for the machine is busy."""

from collections.abc import Iterator

import pytest
from hypothesis import settings

from loadtests import execution

settings.register_profile("load", deadline=None)
settings.load_profile("load")


@pytest.fixture(scope="session")
def target() -> Iterator[execution.Target]:
    """Two API processes on one port, with a database and a cache; limits on, but not tightened under load."""
    with execution.own_service(2, 12, ["TECNOCURSOS_SECURITY__TIGHTEN_ABOVE=100000"], lambda _: None) as started:
        yield started
