"""Whom does a failed update ask why objects do not come up, and when does it ask nobody?"""

from dataclasses import replace
from pathlib import Path

import pytest
import stream

from delivery import publish
from delivery.engine import Target
from delivery.model import Outcome, Reason

REAL = {"KUBERNETES": "real"}
# Stands where the rehearsal's command stands: tells what it was asked, or fails.
STAND_IN = """
import json, sys
if "broken" in sys.argv:
    sys.exit("there is no such cluster")
message = "asked " + " ".join(sys.argv[1:]) + ", token=Zm9vYmFyYmF6cXV4"
print(json.dumps([{"cluster": "c", "namespace": "n", "about": "Job/j", "kind": "image", "message": message}]))
"""


@pytest.fixture
def target(tmp_path: Path) -> Target:
    (tmp_path / "rehearsal").mkdir()
    (tmp_path / "rehearsal/__main__.py").write_text(STAND_IN)
    return Target(tmp_path, "demo", "dev", rehearsal=True)


def failed(cluster: str) -> Outcome:
    made = stream.state(publish.CLUSTER, "cluster", inputs={"name": cluster})
    log = stream.lines(stream.planned("same", publish.CLUSTER, "cluster", new=made), stream.ending(preview=False))
    return stream.show(log, operation="up", code=255)


def test_the_environments_own_clusters_are_asked_and_secrets_stay_masked(target: Target) -> None:
    reasons, notes = publish.held_up(target, failed("tecnocursos-dev"), REAL)
    said = "asked cluster reasons --json tecnocursos-dev, token=[masked]"
    assert (reasons, notes) == ((Reason("Job/j", "image", said),), [])


def test_no_answer_is_a_note_for_the_reader(target: Target) -> None:
    reasons, notes = publish.held_up(target, failed("broken"), REAL)
    assert reasons == ()
    assert "gave no answer" in notes[0]


@pytest.mark.parametrize("change", [{"operation": "preview"}, {"code": 0}, {"interrupted": True}])
def test_nobody_is_asked_when_nothing_was_left_hanging(target: Target, change: dict[str, object]) -> None:
    shown = failed("tecnocursos-dev")
    assert publish.held_up(target, replace(shown, run=replace(shown.run, **change)), REAL) == ((), [])


def test_nobody_is_asked_where_there_is_no_api_server_of_ours(target: Target) -> None:
    shown = failed("tecnocursos-dev")
    assert publish.held_up(target, shown, {"KUBERNETES": "schema"}) == ((), [])
    assert publish.held_up(replace(target, rehearsal=False), shown, REAL) == ((), [])
