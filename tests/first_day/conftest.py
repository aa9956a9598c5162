"""Committed graphs, and clouds to create them in once more."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from rehearsal.aws import schema
from rehearsal.aws.library import Library
from tests.first_day.replay import Replay
from tests.infra.record import PROJECT, ROOT


@pytest.fixture(scope="session")
def library() -> Library:
    schema.ensure()
    return Library.open()


@pytest.fixture
def replay(library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Replay]:
    """A used account in which an environment's graph can be created again."""
    monkeypatch.setenv("REHEARSAL_WORLD", str(tmp_path / "world"))

    def of(environment: str) -> Replay:
        stack = yaml.safe_load((ROOT / f"stacks/Pulumi.{environment}.yaml").read_text())
        monkeypatch.setenv("REHEARSAL_RUNNER", stack["config"][f"{PROJECT}:place"]["runner"])
        return Replay(library, json.loads((ROOT / f"tests/golden/{environment}.json").read_text()))

    return of
