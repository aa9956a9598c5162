"""Does a load test work from end to end, against the real service with a real database and cache?"""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from loadtests import execution

ROOT = Path(__file__).resolve().parents[2]


def load(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "loadtests", "run", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def smoke(tmp_path_factory: pytest.TempPathFactory) -> tuple["subprocess.CompletedProcess[str]", Path]:
    folder = tmp_path_factory.mktemp("load")
    patience = ("--threshold", "p95_ms=30000", "--threshold", "achieved=0.5")  # how fast is not the question here
    return load("--profile", "smoke", "--output", str(folder), *patience), folder


def test_the_smoke_profile_holds(smoke: tuple["subprocess.CompletedProcess[str]", Path]) -> None:
    done, folder = smoke
    assert done.returncode == 0, done.stdout + done.stderr
    assert "CPU per request: api" in done.stdout
    figures: dict[str, Any] = json.loads((folder / "smoke.json").read_text())
    assert figures["summary"]["errors"] == {}
    assert figures["summary"]["limited"] == 0
    assert set(figures["cpu_ms_per_request"]) == {"api", "database", "cache", "generator", "watching"}
    kinds = {kind["name"] for kind in figures["summary"]["kinds"]}
    assert {"GET /projects", "POST /projects", "POST /projects/{id}/scenes", "POST /projects/{id}/videos"} <= kinds


def test_the_report_shows_both_sides_and_needs_nothing_else(
    smoke: tuple["subprocess.CompletedProcess[str]", Path],
) -> None:
    _, folder = smoke
    page = (folder / "smoke.html").read_text()
    assert not re.findall(r"(?:src|href)=|url\(|@import|<script", page)
    assert page.count("<polyline") >= 8
    for words in ("P95 by the service", "Both sides", "Errors by kind", "answers 429", "ms per request", "holds"):
        assert words in page
    client, service = re.findall(r"<td>answers 2xx</td><td>([\d,]+)</td><td>([\d,]+)</td>", page)[0]
    assert abs(int(client.replace(",", "")) - int(service.replace(",", ""))) <= 20  # probes, and requests under way


def test_a_broken_threshold_a_running_target_and_registered_people(target: execution.Target, tmp_path: Path) -> None:
    pages = [f"--metrics={page}" for page in target.metrics]
    done = load(
        *("--target", target.url, *pages, "--seconds", "2", "--rate", "30", "--output", str(tmp_path)),
        *("--threshold", "p95_ms=0.001", "--threshold", "achieved=0.1"),
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert re.search(r"BROKEN P95: [\d.]+ ms \(wanted < 0.001 ms\)", done.stdout)
    assert "holds  errors: 0.00 %" in done.stdout
    assert "erasing the accounts" in done.stdout
    assert "verdict broken" in (tmp_path / "smoke.html").read_text()


def test_ctrl_c_ends_it_and_leaves_nothing_behind() -> None:
    command = [sys.executable, "-m", "loadtests", "run", "--profile", "smoke", "--seconds", "60"]
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, cwd=ROOT, stdout=pipe, stderr=pipe, text=True, start_new_session=True)
    assert process.stdout is not None and process.stderr is not None
    family: list[psutil.Process] = []
    for line in process.stdout:
        if "right" in line:
            family = psutil.Process(process.pid).children(recursive=True)
            os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to everything in the foreground
            break
    _, words = process.communicate(timeout=60)
    assert process.returncode == 130
    assert words == "interrupted: everything that was started has ended\n"
    assert len(family) >= 6  # the generator, the holder, its servers and API processes
    assert not [child for child in family if child.is_running()]
