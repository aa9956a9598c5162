"""The graphs of the three environments: as they are deployed, and as the program registers a variant of them."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from tests.infra.graph import Graph

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
RECORDER = Path(__file__).with_name("record.py")
ENVIRONMENTS = ("dev", "staging", "production")


@pytest.fixture(scope="session")
def record() -> Callable[..., Graph]:
    """Run the program for an environment, with parts of its configuration replaced."""

    @cache
    def run(environment: str, *changes: str) -> Graph:
        # The SDK is megabytes of source: without its cached bytecode a run costs seconds more.
        env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        command = [sys.executable, str(RECORDER), environment, *changes]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
        assert done.returncode == 0, done.stderr
        return Graph(environment, json.loads(done.stdout))

    return run


@pytest.fixture(scope="session")
def graphs() -> dict[str, Graph]:
    """As the real engine deploys them; `make golden` renews them and the part `golden` proves that they are fresh."""
    return {
        environment: Graph(environment, json.loads((GOLDEN / f"{environment}.json").read_text()))
        for environment in ENVIRONMENTS
    }


@pytest.fixture(params=ENVIRONMENTS)
def graph(request: pytest.FixtureRequest, graphs: dict[str, Graph]) -> Graph:
    found: Graph = graphs[request.param]
    return found
