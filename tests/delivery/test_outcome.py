"""Does the picture of a run say what the events say: operations, progress, findings, outputs, verdict?"""

import stream

from delivery.model import Op, Status
from delivery.verdict import Level, Verdict, verdict


def test_a_replacement_is_one_change_and_losing_data_comes_first() -> None:
    shown = stream.show(
        stream.lines(
            stream.stack(),
            stream.planned("create", stream.SUBNET, "new"),
            stream.planned("delete", stream.SUBNET, "old"),
            stream.replaced(stream.DATABASE, "main", "storageEncrypted"),
            stream.ending(create=1, delete=1, replace=1),
        )
    )
    assert [(change.name, change.op) for change in shown.changes] == [
        ("main", Op.REPLACE),
        ("old", Op.DELETE),
        ("new", Op.CREATE),
    ]
    forced = [(one.path, one.replaces) for one in shown.changes[0].properties]
    assert forced == [("storageEncrypted", True)]
    said = verdict(shown)
    assert said.level is Level.DANGER
    assert said.headline == "1 to delete, 1 to replace, 1 to create"
    assert "main (replace)" in said.reason


def test_what_the_program_protects_counts_as_data_whatever_its_type() -> None:
    guarded = stream.state(stream.SUBNET, "guarded", protect=True)
    shown = stream.show(stream.lines(stream.planned("delete", stream.SUBNET, "guarded", old=guarded)))
    assert [change.name for change in shown.losses] == ["guarded"]


def test_an_interrupted_update_tells_finished_from_unfinished() -> None:
    begun = stream.planned("create", stream.SUBNET, "begun")[:1]
    failed = stream.step("resOpFailedEvent", "create", stream.BUCKET, "refused")
    log = stream.lines(stream.planned("create", stream.SUBNET, "done"), begun, failed, stream.ending(preview=False))
    shown = stream.show([*log, log[0][:40]], operation="up", code=130)
    assert {change.name: change.status for change in shown.changes} == {
        "done": Status.DONE,
        "begun": Status.UNFINISHED,
        "refused": Status.FAILED,
    }
    assert shown.damaged == 1
    assert verdict(shown).headline == "Deployment was interrupted"
    assert verdict(shown).reason.startswith("1 resource had changed.")


def test_changes_belong_to_the_outermost_component() -> None:
    component = stream.urn("tecnocursos:infra:Media", "media")
    inner = stream.urn("tecnocursos:infra:PrivateBucket", "bucket")
    bucket = stream.state(stream.BUCKET, "objects", parent=inner)
    shown = stream.show(
        stream.lines(
            stream.stack(),
            stream.planned("create", "tecnocursos:infra:Media", "media"),
            stream.planned(
                "create",
                "tecnocursos:infra:PrivateBucket",
                "bucket",
                new=stream.state("tecnocursos:infra:PrivateBucket", "bucket", parent=component),
            ),
            stream.planned("create", stream.BUCKET, "objects", new=bucket),
            stream.planned("create", stream.SUBNET, "alone"),
        )
    )
    assert {change.name: change.component for change in shown.changes} == {
        "media": "media",
        "bucket": "media",
        "objects": "media",
        "alone": "",
    }


def test_outputs_never_show_a_secret() -> None:
    shown = stream.show(
        stream.lines(
            stream.stack(
                url="https://x.example",
                masked=stream.SECRET,
                adminPassword="plainly visible",
                later=[stream.UNKNOWN],
                zones=["a"],
            )
        )
    )
    assert shown.outputs == {
        "adminPassword": "(not shown: its name says secret)",
        "later": "(known after deployment)",
        "masked": "(secret)",
        "url": "https://x.example",
        "zones": "(list)",
    }


def test_findings_are_told_apart_and_a_mandatory_one_decides_the_verdict() -> None:
    about = stream.urn(stream.BUCKET, "media")
    shown = stream.show(
        stream.lines(
            stream.finding("bucket-private", about, "acl must not be public. Remove it."),
            stream.finding("bucket-logged", about, "EXEMPT until 2027-01-01 (0007, platform): reason", "advisory"),
            stream.finding("bucket-key", about, "UNDECIDED: kmsKeyId is not known yet", "advisory"),
            stream.ending(result="failed"),
        ),
        code=255,
    )
    assert [(one.rule, one.kind) for one in shown.findings] == [
        ("bucket-private", "violation"),
        ("bucket-logged", "exemption"),
        ("bucket-key", "undecided"),
    ]
    assert verdict(shown).headline == "Blocked by policy: 1 finding of 1 mandatory rule"


def test_a_traceback_is_headed_by_its_last_line_and_quoted_values_are_masked() -> None:
    frames = 'Traceback (most recent call last):\n  File "stacks/__main__.py", line 5\n'
    text = frames + "ValueError: password: hunter2 is short"
    shown = stream.show(stream.lines(stream.failure("", text), stream.ending(result="failed")), code=255)
    assert shown.errors[0].headline == "ValueError: password: [masked] is short"
    assert "hunter2" not in shown.errors[0].text
    assert verdict(shown).headline == "Preview failed: 1 error"


def test_that_something_failed_is_left_out_where_something_says_what() -> None:
    echo, told = stream.failure("", "preview failed"), stream.failure("", "cannot be used:\n  cidr: too long")
    assert [one.headline for one in stream.show(stream.lines(echo)).errors] == ["preview failed"]
    assert [one.headline for one in stream.show(stream.lines(echo, told)).errors] == ["cannot be used: cidr: too long"]
    blocking = stream.finding("r", stream.urn(stream.BUCKET, "media"), "no.")
    assert stream.show(stream.lines(echo, blocking)).errors == ()


def test_a_run_that_broke_off_is_no_whole_picture_but_a_blocked_preview_is() -> None:
    broken = stream.lines(stream.failure("", "boom"), stream.ending(result="failed"))
    blocked = stream.lines(
        stream.finding("r", stream.urn(stream.BUCKET, "media"), "no."), stream.ending(result="failed")
    )
    assert not stream.show(broken, code=255).complete
    assert stream.show(blocked, code=255).complete


def test_unexpected_changes_fail_a_convergence_check() -> None:
    shown = stream.show(stream.lines(stream.planned("update", stream.SUBNET, "a"), stream.ending(update=1)), code=7)
    assert verdict(shown) == Verdict(Level.FAILED, "Not converged: 1 to update", "No change was expected.")
