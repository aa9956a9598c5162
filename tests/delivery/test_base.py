"""Is another commit's program taken as it was, with today's tools, and is a failure told in one line?"""

import os
import subprocess
from pathlib import Path

import pytest

from delivery import base, engine


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    for name, text in {
        "Pulumi.yaml": "name: demo\n",
        "infra/a.py": "OLD",
        "delivery/x.py": "",
        "rehearsal/y.py": "",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    who = [f"GIT_{role}_{part}" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")]
    for line in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "one"]):
        subprocess.run(["git", *line], cwd=tmp_path, check=True, env=os.environ | dict.fromkeys(who, "t@t"))
    (tmp_path / "infra/a.py").write_text("NEW")
    return tmp_path


def test_the_tree_is_the_commits_and_the_tools_are_not(repository: Path, tmp_path: Path) -> None:
    folder = tmp_path / "build/program"
    folder.mkdir(parents=True)
    base.extract(repository, "HEAD", folder)
    assert (folder / "infra/a.py").read_text() == "OLD"
    assert not (folder / "delivery").exists() and not (folder / "rehearsal").exists()
    assert (folder / ".venv").readlink() == repository / ".venv"


def test_a_commit_that_does_not_exist_is_refused(repository: Path, tmp_path: Path) -> None:
    with pytest.raises(engine.DeliveryError, match="nowhere"):
        base.extract(repository, "nowhere", tmp_path)


def test_the_reason_is_the_first_and_last_line_of_the_last_error() -> None:
    printed = "x\n  error: update failed\n\n  error: Program failed:\n    Traceback\n    KeyError: 'a'\n\nResources:\n"
    assert base.reason(printed) == "Program failed: KeyError: 'a'"
    assert base.reason("error: plain\n\nDuration: 1s") == "plain"
    assert base.reason("") == "no error was printed"


def test_only_the_rehearsal_deploys_another_commit(tmp_path: Path) -> None:
    with pytest.raises(engine.DeliveryError, match="BASE"):
        base.stage(engine.Target(tmp_path, "demo", "dev", rehearsal=False), "main")
