"""Are the workflows valid, safe by a tool's strictest judgement, and no more than calls of what a person runs too?"""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))


def load(path: Path) -> dict[Any, Any]:
    loaded: dict[Any, Any] = yaml.safe_load(path.read_text())
    return loaded


def steps(path: Path) -> list[dict[str, Any]]:
    return [step for job in load(path)["jobs"].values() for step in job["steps"]]


def run(*line: str) -> None:
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_zizmor_has_nothing_to_say_at_its_strictest() -> None:
    run("zizmor", "--offline", "--no-progress", "--persona", "auditor", ".github")


def test_they_are_valid_by_schema_and_every_job_ends() -> None:
    files = [str(path) for path in WORKFLOWS]
    run("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *files)
    run("check-jsonschema", "--builtin-schema", "custom.github-workflows-require-timeout", *files)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_nothing_is_allowed_unless_a_job_says_so(path: Path) -> None:
    assert load(path)["permissions"] == {}
    assert "pull_request_target" not in path.read_text()


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_actions_are_pinned_by_commit_with_their_release_beside(path: Path) -> None:
    pinned = re.compile(r"uses: [\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")
    lines = [line for line in path.read_text().splitlines() if "uses:" in line]
    assert lines and all(pinned.search(line) for line in lines), lines


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_run_step_is_one_make_target_that_exists(path: Path) -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*)(?= |:)", (ROOT / "Makefile").read_text(), re.MULTILINE))
    targets |= {"preview", "refresh", "destroy"}
    for step in steps(path):
        if "run" in step:
            found = re.fullmatch(r"make ([a-z-]+)", step["run"].strip())
            assert found and found[1] in targets, step["run"]


def test_what_may_write_or_assume_a_role_never_runs_for_a_fork() -> None:
    ours = "github.event.pull_request.head.repo.full_name == github.repository"
    strong = [
        job
        for path in WORKFLOWS
        for job in load(path)["jobs"].values()
        if "write" in job.get("permissions", {}).values()
    ]
    assert strong
    assert all(ours in job["if"] for job in strong)


def test_every_environment_is_rehearsed_and_compared() -> None:
    known = {path.name.split(".")[1] for path in (ROOT / "stacks").glob("Pulumi.*.yaml")}
    jobs = [load(ROOT / f".github/workflows/{name}.yml")["jobs"]["rehearse"] for name in ("ci", "preview")]
    assert all(set(job["strategy"]["matrix"]["environment"]) == known for job in jobs)


def test_owners_are_teams_of_the_placeholder_organisation_and_their_paths_exist() -> None:
    for line in (ROOT / ".github/CODEOWNERS").read_text().splitlines():
        if line and not line.startswith("#"):
            path, *owners = line.split()
            assert path == "*" or (ROOT / path.strip("/")).exists(), path
            assert owners and all(re.fullmatch(r"@example-org/[a-z-]+", owner) for owner in owners)


def test_load_can_be_called_and_offers_every_profile_by_hand() -> None:
    triggers = load(ROOT / ".github/workflows/load.yml")[True]  # YAML reads the word `on` as true
    profiles = yaml.safe_load((ROOT / "loadtests/profiles.yaml").read_text())
    assert set(triggers["workflow_dispatch"]["inputs"]["profile"]["options"]) == set(profiles)
    assert set(triggers["workflow_call"]["inputs"]) == set(triggers["workflow_dispatch"]["inputs"])
