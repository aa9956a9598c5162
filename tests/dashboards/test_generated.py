"""Is what is committed what the generators make, and does it refer only to what exists?"""

import subprocess
import sys
from pathlib import Path

import pytest

from dashboards import catalogue, generated, metrics
from dashboards.expressions import everything, panels
from dashboards.rules import groups

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("place", generated.PLACES.items(), ids=lambda place: place[0].name)
def test_committed_is_what_the_generators_make(place: tuple[Path, generated.Generators]) -> None:
    assert [*generated.differences(*place)] == []


def test_check_shows_a_difference_and_fails(tmp_path: Path) -> None:
    generated.write(tmp_path)
    assert [*generated.differences(tmp_path)] == []
    (tmp_path / "rules/api.yaml").write_text("groups: []\n")
    (tmp_path / "rules/stray.yaml").write_text("groups: []\n")
    lines = [*generated.differences(tmp_path)]
    assert "--- committed/rules/api.yaml" in lines and "+++ generated/rules/stray.yaml" in lines
    assert sorted(generated.write(tmp_path)) == [tmp_path / "rules/api.yaml", tmp_path / "rules/stray.yaml"]
    assert not (tmp_path / "rules/stray.yaml").exists()
    assert generated.committed(tmp_path) == generated.files()


def test_command_line() -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "dashboards", *arguments]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert run("generate", "--check").returncode == 0
    wrong = run("check", "sum(rate(http_requests[5m]))")
    assert wrong.returncode == 1 and "http_requests: no such metric" in wrong.stdout
    assert run("check", "sum(rate(http_requests_total[5m]))").returncode == 0
    assert run("check").returncode == 0


@pytest.mark.parametrize(("origin", "expression"), [pytest.param(o, e, id=o) for o, e in everything()])
def test_expression(origin: str, expression: str) -> None:
    assert catalogue.problems(expression) == [], origin


def test_panels_are_found_at_any_depth() -> None:
    board = {
        "panels": [{"title": "a", "targets": [{"expr": "up"}], "panels": [{"title": "b", "targets": [{"expr": "x"}]}]}]
    }
    assert [*panels(board)] == [("a", "up"), ("b", "x")]


def test_recorded_series_are_those_of_the_catalogue() -> None:
    written = {
        (rule.record, rule.labels["slo"])
        for found in groups().values()
        for g in found
        for rule in g.rules
        if rule.record
    }
    listed = {
        (series.name, slo)
        for series in metrics.known().values()
        if series.name.startswith("slo:")
        for slo in series.labels["slo"] or ()
    }
    assert written == listed
