"""The graphs of the three environments, as the program registers them."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

RECORDER = Path(__file__).with_name("record.py")
Graph = list[dict[str, Any]]


@pytest.fixture(scope="session")
def record() -> Callable[..., Graph]:
    """Run the program for an environment, with parts of its configuration replaced."""

    def run(environment: str, *changes: str) -> Graph:
        done = subprocess.run(
            [sys.executable, str(RECORDER), environment, *changes], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        graph: Graph = json.loads(done.stdout)
        return graph

    return run


@pytest.fixture(scope="session")
def graphs(record: Callable[..., Graph]) -> dict[str, Graph]:
    return {environment: record(environment) for environment in ("dev", "staging", "production")}
