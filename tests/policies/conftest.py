"""How do the policy tests reach the pack? As a process on its wire protocol, and its modules as plain functions."""

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "policies"), str(Path(__file__).parent)]

from wire import Pack  # noqa: E402


@pytest.fixture(scope="session")
def start_pack() -> Iterator[Callable[..., Pack]]:
    """Starts packs; every one of them ends with the session."""
    started: list[Pack] = []

    def start(folder: Path = ROOT / "policies") -> Pack:
        started.append(Pack(folder))
        return started[-1]

    yield start
    for pack in started:
        pack.stop()


@pytest.fixture(scope="session")
def pack(start_pack: Callable[..., Pack]) -> Pack:
    """The repository's own pack, configured by nothing but defaults, in a preview."""
    running = start_pack()
    running.configure_stack(preview=True)
    return running


@pytest.fixture
def copied_pack(tmp_path: Path) -> Path:
    """A pack of one's own to change."""
    return shutil.copytree(
        ROOT / "policies", tmp_path / "policies", ignore=shutil.ignore_patterns("__pycache__", ".mypy*")
    )
