"""Does docs/how-to/release.md tell the truth? Every block of it, in its order, on the whole environment."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from rehearsal.paths import ROOT

PAGE = ROOT / "docs/how-to/release.md"
BLOCK = re.compile(r"^```(yaml|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
OWN = {"build", "stacks", ".git", ".rehearsal", ".venv"}  # what a run writes or the test changes


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Path]:
    """This checkout with stack files and a rehearsal of its own, dev deployed."""
    folder, env = tmp_path / "checkout", os.environ | {"REHEARSAL_DIR": str(tmp_path / "rehearsal")}
    (folder / ".venv").mkdir(parents=True)
    for file in (*ROOT.iterdir(), *(ROOT / ".venv").iterdir()):
        if file.name not in OWN:
            (folder / file.relative_to(ROOT)).symlink_to(file)
    for stamp in (folder / ".venv").glob(".[a-z]*"):  # make would install this checkout over the other one
        stamp.unlink()
        stamp.touch()
    shutil.copytree(ROOT / "stacks", folder / "stacks")
    # Where the page begins is where it ends: blue alone. Its failure is not waited for longer than necessary.
    (alone,) = [text for _, text in blocks() if "candidate: null" in text]
    configure(folder, yaml.safe_load(alone) | {"tecnocursos:workload": {"rollout_seconds": 30, "task_seconds": 30}})
    try:
        done = run(folder, "make up ENV=dev")
        assert done.returncode == 0, done.stdout
        yield folder
    finally:
        stop = [sys.executable, "-m", "rehearsal", "cluster", "stop", "--forget"]
        subprocess.run(
            stop, cwd=ROOT, env=env | {"REHEARSAL_WORLD": str(tmp_path / "rehearsal/real/world")}, check=True
        )


def blocks() -> list[tuple[str, str]]:
    """Kind and text of every block of the page."""
    return BLOCK.findall(PAGE.read_text())


def configure(folder: Path, change: dict[str, dict[str, Any]]) -> None:
    """Write the fields of a block into dev's stack file, beside those that it does not name."""
    file = folder / "stacks/Pulumi.dev.yaml"
    known = yaml.safe_load(file.read_text())
    for section, fields in change.items():
        known["config"][section] |= fields
    file.write_text(yaml.safe_dump(known))


def run(folder: Path, command: str) -> subprocess.CompletedProcess[str]:
    env = os.environ | {"REHEARSAL_DIR": str(folder.parent / "rehearsal"), "KUBERNETES": "real", "CLOUD": "rehearsal"}
    env |= {"FLAGS": "--skip-preview"}
    return subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def test_every_block_of_the_page_does_what_it_says(checkout: Path) -> None:
    assert [kind for kind, _ in blocks()] == ["yaml", "console"] * 6
    for kind, text in blocks():
        if kind == "yaml":
            configure(checkout, yaml.safe_load(text))
            continue
        command, *expected = text.splitlines()
        done = run(checkout, command.removeprefix("$ "))
        for line in expected:
            assert line in done.stdout, done.stdout
        failed = any("failed:" in line for line in expected)
        assert (done.returncode != 0) == failed, done.stdout
        if failed:
            page = (checkout / "build/dev/report.html").read_text()
            assert "<b>image</b>: Failed to pull image" in page
