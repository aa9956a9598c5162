"""The graphs of the environments."""

import json
from pathlib import Path
from typing import Any

import pytest

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
ENVIRONMENTS = ("dev", "staging", "production")


@pytest.fixture(scope="session", params=ENVIRONMENTS)
def rows(request: pytest.FixtureRequest) -> list[dict[str, Any]]:
    """The graph of an environment."""
    found: list[dict[str, Any]] = json.loads((GOLDEN / f"{request.param}.json").read_text())
    return found
