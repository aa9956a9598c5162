"""Does an environment live through the official Kubernetes provider, on a real API server of its own?"""

import re
from pathlib import Path

import psutil
import pytest

from .environment import Environment


def alive(process: psutil.Process) -> bool:
    """A process that has ended may stay in the table until its parent, the system's first process, looks at it."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.parametrize("name", ["dev", "staging", "production"])
def test_an_environment_deploys_settles_and_leaves_nothing(name: str, tmp_path: Path) -> None:
    environment = Environment(name, tmp_path, kubernetes="real")
    if name == "production":  # its protection has a test of its own
        environment.configure("place", "protected", value=False)
    environment.works("up", "--yes", "--skip-preview")
    [cluster] = environment.clusters()
    processes = [psutil.Process(int(number)) for number in re.findall(r"=(\d+)", cluster)]
    assert "running" in cluster and len(processes) >= 5, cluster
    environment.works("preview", "--expect-no-changes")
    environment.works("refresh", "--yes", "--expect-no-changes")
    environment.works("preview", "--expect-no-changes")
    environment.works("destroy", "--yes", "--skip-preview")
    assert environment.world() == []
    assert environment.clusters() == []
    assert not [process for process in processes if alive(process)]
