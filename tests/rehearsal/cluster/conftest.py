"""One control plane for the whole session, stopped and forgotten at its end."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from rehearsal.cluster import binaries, control_plane
from rehearsal.cluster.api import Api

NAME = "trial"
ZONES = ("us-east-1a", "us-east-1b", "us-east-1c")


@dataclass
class Trial:
    """The session's cluster."""

    root: Path
    programs: binaries.Binaries

    @property
    def folder(self) -> Path:
        return control_plane.folder_of(self.root, NAME)

    def start(self) -> control_plane.Cluster:
        return control_plane.start(self.root, self.programs, NAME, region="us-east-1", zones=ZONES)

    @property
    def api(self) -> Api:
        cluster = control_plane.load(self.folder)
        assert cluster
        return control_plane.api(self.folder, cluster)


@pytest.fixture(scope="session")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    world = tmp_path_factory.mktemp("real") / "world"
    before = os.environ.get("REHEARSAL_WORLD")
    os.environ["REHEARSAL_WORLD"] = str(world)
    made = Trial(world.parent / "clusters", binaries.control_plane())
    made.start()
    yield made
    control_plane.stop(made.root, NAME, forget=True)
    assert not made.folder.exists()
    if before is None:
        del os.environ["REHEARSAL_WORLD"]
    else:
        os.environ["REHEARSAL_WORLD"] = before
