"""Does `make up` deploy this repository's environments offline, keep the checkout clean and survive a killed engine?"""

import json
import os
import signal
import subprocess
from collections.abc import Iterator

import psutil
import pytest

from rehearsal.paths import ROOT

from .conftest import Rehearsal, in_loopback_only


@pytest.fixture
def checkout(rehearsal: Rehearsal) -> Iterator[dict[str, str]]:
    """The environment for make, with a rehearsal of its own; what the run left in the checkout fails the test."""
    status = ["git", "status", "--porcelain"]
    before = subprocess.check_output(status, cwd=ROOT)
    yield os.environ | {"REHEARSAL_DIR": str(rehearsal.base), "KUBERNETES": "schema", "CLOUD": "rehearsal"}
    assert subprocess.check_output(status, cwd=ROOT) == before


def make(*arguments: str) -> list[str]:
    return ["make", "--no-print-directory", *arguments]


def run(command: list[str], env: dict[str, str]) -> str:
    done = subprocess.run(command, cwd=ROOT, env=env, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("environment", ["dev", "staging", "production"])
def test_an_environment_comes_and_goes_without_a_network(
    checkout: dict[str, str], rehearsal: Rehearsal, environment: str
) -> None:
    assert "packets without a route: 0" in run(in_loopback_only(*make("up", f"ENV={environment}")), checkout)
    assert "No changes" in run(make("preview", f"ENV={environment}", "FLAGS=--expect-no-changes"), checkout)
    listed = ("world", "--project", "tecnocursos", "--stack", environment, "list", "--json")
    deployed = rehearsal.command(*listed).stdout
    destroy = make("destroy", f"ENV={environment}")
    if environment == "production":
        done = subprocess.run(destroy, cwd=ROOT, env=checkout, check=False, capture_output=True, text=True)
        assert done.returncode != 0 and "protected" in done.stdout
        assert rehearsal.command(*listed).stdout == deployed
    else:
        run(destroy, checkout)
        assert rehearsal.command(*listed).stdout == ""


def test_make_up_after_a_killed_engine_converges(checkout: dict[str, str], rehearsal: Rehearsal) -> None:
    process = subprocess.Popen(make("up"), cwd=ROOT, env=checkout, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    created = 0
    for line in process.stdout:
        created += " created (" in line
        if created == 50:
            break
    (lock,) = rehearsal.paths.locks("tecnocursos", "dev").glob("*.json")
    engine = psutil.Process(json.loads(lock.read_text())["pid"])
    engine.send_signal(signal.SIGKILL)
    process.stdout.read()
    assert process.wait() != 0
    run(make("up"), checkout)
    assert "No changes" in run(make("preview", "FLAGS=--expect-no-changes"), checkout)
    checkpoint = json.loads(rehearsal.paths.checkpoint("tecnocursos", "dev").read_text())["checkpoint"]["latest"]
    assert "pending_operations" not in checkpoint
