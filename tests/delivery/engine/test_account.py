"""Does an account come to be ready from nothing, wherever it is interrupted, with its state in its own bucket?"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from delivery import account, engine

ROOT = Path(__file__).resolve().parents[3]
SHARED = ("bootstrap", "infra", "policies", "stacks", "Pulumi.yaml", ".venv")


class Account:
    """One account in a rehearsal cloud of its own, and a checkout that writes nowhere else."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        checkout = folder / "checkout"
        if not checkout.exists():
            checkout.mkdir(parents=True)
            for name in SHARED:
                (checkout / name).symlink_to(ROOT / name)
        ambient = os.environ | {"REHEARSAL_DIR": str(folder / "rehearsal"), "KUBERNETES": "schema"}
        subprocess.run([sys.executable, "-m", "rehearsal", "setup", "--quiet"], cwd=ROOT, env=ambient, check=True)
        self.target = engine.find("dev", checkout, "rehearsal", account.ROOM)
        self.env = engine.variables(self.target, ambient) | {"REHEARSAL_DIR": str(folder / "rehearsal")}
        self.local = folder / "rehearsal" / "first-state" / "dev"
        engine.configure_policies(self.target, self.env)

    def bootstrap(self, *flags: str) -> int:
        log = self.folder / "log"
        with log.open("w") as said:
            code = account.bootstrap(self.target, self.env, ["--skip-preview", *flags], said).code
        assert code == 0, log.read_text()
        return code

    def bucket(self) -> set[str]:
        """The URNs that the state in the bucket knows."""
        line = ["pulumi", "stack", "export", "--stack", "dev"]
        done = subprocess.run(line, cwd=self.target.program, env=self.env, capture_output=True, text=True, check=False)
        rows = json.loads(done.stdout)["deployment"].get("resources", []) if done.returncode == 0 else []
        return {row["urn"] for row in rows}

    def goes_on(self) -> None:
        """The next run changes nothing that is there, and then the state is in the bucket and nowhere else."""
        self.bootstrap("--expect-no-changes")
        assert any(urn.endswith("aws:s3/bucket:Bucket::state") for urn in self.bucket())
        assert not self.local.exists()


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Account:
    """Deployed for the first time, and interrupted before its state moved."""
    made = Account(tmp_path_factory.mktemp("account"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(account, "move", interrupt)
        with pytest.raises(InterruptedError):
            made.bootstrap()
    assert made.local.exists() and made.bucket() == set()
    return made


def interrupt(*_: Any, **__: Any) -> None:
    raise InterruptedError


def after(calls: int, real: Callable[..., str]) -> Callable[..., str]:
    """The function, ended by an interruption after so many calls."""
    left = iter(range(calls))

    def output(*arguments: Any) -> str:
        if next(left, None) is None:
            raise InterruptedError
        return real(*arguments)

    return output


@pytest.mark.parametrize("calls", [4, 6], ids=["before the state is read", "after it has arrived"])
def test_interrupted_between_two_steps_it_goes_on(
    deployed: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, calls: int
) -> None:
    shutil.copytree(deployed.folder, tmp_path / "copy", symlinks=True)
    copy = Account(tmp_path / "copy")
    with monkeypatch.context() as patch:
        patch.setattr(engine, "output", after(calls, engine.output))
        with pytest.raises(InterruptedError):
            copy.bootstrap()
    assert copy.local.exists()
    copy.goes_on()


def test_interrupted_before_the_local_copy_is_gone_it_goes_on(
    deployed: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(deployed.folder, tmp_path / "copy", symlinks=True)
    copy = Account(tmp_path / "copy")
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", interrupt)
        with pytest.raises(InterruptedError):
            copy.bootstrap()
    assert copy.local.exists() and copy.bucket()
    copy.goes_on()
    copy.goes_on()  # also from the bucket


def test_a_state_that_somebody_else_moved_on_is_not_overwritten(deployed: Account, tmp_path: Path) -> None:
    shutil.copytree(deployed.folder, tmp_path / "copy", symlinks=True)
    copy = Account(tmp_path / "copy")
    kept = tmp_path / "kept"
    shutil.copytree(copy.local, kept)
    copy.bootstrap()
    shutil.copytree(kept, copy.local)
    checkpoint = copy.local / ".pulumi/stacks/tecnocursos-account/dev.json"
    state = json.loads(checkpoint.read_text())
    latest = state["checkpoint"]["latest"]
    latest["resources"] = [row for row in latest["resources"] if not row["urn"].endswith("::state-lock")]
    checkpoint.write_text(json.dumps(state))
    with pytest.raises(engine.DeliveryError, match="somebody else deployed in between"):
        account.move(copy.target, account._local(copy.env, copy.local), copy.env)


def test_a_bucket_without_a_state_is_not_deployed_over(deployed: Account, tmp_path: Path) -> None:
    shutil.copytree(deployed.folder, tmp_path / "copy", symlinks=True)
    copy = Account(tmp_path / "copy")
    shutil.rmtree(copy.local)
    with pytest.raises(engine.DeliveryError, match="holds no state of tecnocursos-account"):
        copy.bootstrap()
