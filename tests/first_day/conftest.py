"""Committed graphs, and clouds to create them in once more."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from rehearsal.aws import schema
from rehearsal.aws.delegation import ZONE, Registrar
from rehearsal.aws.library import Library
from tests.first_day.replay import Replay, Row
from tests.infra.record import PROJECT, ROOT


@pytest.fixture(scope="session")
def library() -> Library:
    schema.ensure()
    return Library.open()


@pytest.fixture
def account(library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Replay]:
    """A used account in which its own project is created again; its zone's name servers are told, as a person does."""
    monkeypatch.setenv("REHEARSAL_WORLD", str(tmp_path / "world"))

    def of(environment: str) -> Replay:
        made = Replay(library, graph(f"bootstrap-{environment}"))
        refused = list(made.everything())
        assert not refused, "\n".join(refused)
        for zone in made.cloud.rows(ZONE):
            Registrar(made.cloud.file.parent).tell(zone.outputs["name"], zone.outputs["nameServers"])
        return made

    return of


@pytest.fixture
def replay(
    library: Library, account: Callable[[str], Replay], monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], Replay]:
    """An environment's estate, yet to be created in its account, by somebody who stands where the settings say."""

    def of(environment: str) -> Replay:
        account(environment)
        stack = yaml.safe_load((ROOT / f"stacks/Pulumi.{environment}.yaml").read_text())
        monkeypatch.setenv("REHEARSAL_RUNNER", stack["config"][f"{PROJECT}:place"]["runner"])
        return Replay(library, graph(environment))

    return of


def graph(name: str) -> list[Row]:
    """A committed graph."""
    rows: list[Row] = json.loads((ROOT / f"tests/golden/{name}.json").read_text())
    return rows
