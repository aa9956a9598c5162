"""Does a first deployment that came too early go on when it is repeated? On a real API server, from nothing.

docs/how-to/estate.md: the first deployment ends at a task whose pod cannot run; the cause is removed; it is run again.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import STEADY, Stack, begun, image

TASKS = {"bootstrap-1", "migrate-aaaaaaaaaaaa"}


@pytest.fixture
def unborn(tmp_path: Path) -> Iterator[Stack]:
    """Nothing is deployed, and a task that cannot run is given up soon."""
    with begun(tmp_path) as stack:
        stack.config["workload"]["task_seconds"] = 10
        yield stack


def failed(stack: Stack) -> str:
    """The image of the bootstrap, which failed for good."""
    job = stack.get("batch/v1 jobs", "bootstrap-1")
    assert "Failed" in [row["type"] for row in job["status"]["conditions"]]
    called: str = job["spec"]["template"]["spec"]["containers"][0]["image"]
    return called


def converged(stack: Stack) -> None:
    """The tasks ran, with the image of the release, and nothing is left to do."""
    assert set(stack.jobs()) == TASKS
    for name in TASKS:
        job = stack.get("batch/v1 jobs", name)
        assert job["status"]["succeeded"] == 1
        assert job["spec"]["template"]["spec"]["containers"][0]["image"] == image("a")
    assert stack.ready("blue") == 3
    stack.pulumi("preview", "--expect-no-changes")


def test_a_deployment_whose_image_was_not_pushed_goes_on_when_it_is(unborn: Stack) -> None:
    digest = image("a").partition("@")[2]
    unborn.rehearsal("cluster", "images", "--missing", digest)
    unborn.up(release=STEADY, code=1)
    assert failed(unborn) == image("a")
    unborn.rehearsal("cluster", "images", "--pushed", digest)
    unborn.up()
    converged(unborn)


def test_a_task_that_failed_runs_with_the_image_that_the_release_has_by_then(unborn: Stack) -> None:
    unborn.up(release=STEADY | {"images": {"blue": image("0")}}, code=1)
    assert failed(unborn) == image("0")
    unborn.up(release=STEADY)
    converged(unborn)
