"""Is a checkpoint right after its pending operations were settled, whatever they were and whatever the world holds?"""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehearsal.engine.salt import restore, stack_files
from rehearsal.engine.settle import resolve
from rehearsal.engine.stack import configuration
from rehearsal.errors import RehearsalError
from rehearsal.paths import ROOT, Paths

NAMES = st.sampled_from(["a", "b", "c", "d"])
IDS = st.sampled_from([f"id-{number}" for number in range(6)])
KINDS = st.sampled_from(["creating", "updating", "deleting", "reading", "importing"])


def resource(name: str, identity: str | None = None, **more: Any) -> dict[str, Any]:
    found = {"urn": f"urn:pulumi:dev::p::t::{name}", "custom": True, "type": "t", "inputs": {"name": name}, **more}
    return found | ({"id": identity} if identity else {})


@st.composite
def checkpoints(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, list[str]]]:
    """A checkpoint with live resources of different names, and what the world holds under each name."""
    live = draw(st.dictionaries(NAMES, IDS, max_size=4))
    pending = draw(st.dictionaries(NAMES, KINDS, max_size=4))
    world = draw(st.dictionaries(NAMES, st.lists(IDS, max_size=2, unique=True)))
    document = {
        "resources": [resource(name, identity, outputs={"x": 1}) for name, identity in live.items()],
        "pending_operations": [
            {"resource": resource(name, live.get(name) if kind != "creating" else None), "type": kind}
            for name, kind in pending.items()
        ],
    }
    return document, {resource(name)["urn"]: ids for name, ids in world.items()}


@given(checkpoints())
def test_every_pending_creation_ends_as_a_resource_or_not_at_all(
    case: tuple[dict[str, Any], dict[str, list[str]]],
) -> None:
    document, world = case
    before = copy.deepcopy(document)
    settled = resolve(document, world)

    kept = {operation["resource"]["urn"] for operation in document["pending_operations"]}
    assert all(operation["type"] in {"updating", "deleting"} for operation in document["pending_operations"])
    assert kept == set(settled.adopted) | set(settled.checked)
    assert set(settled.adopted).isdisjoint(settled.forgotten)
    known = {row["urn"]: row["id"] for row in before["resources"]}
    for urn in settled.adopted:
        (current,) = [row for row in document["resources"] if row["urn"] == urn and not row.get("delete")]
        assert current["id"] in world[urn] and current["id"] != known.get(urn)
        assert [row["id"] for row in document["resources"] if row["urn"] == urn and row.get("delete")] == [
            known[urn] for _ in range(urn in known)
        ]
    for urn in settled.forgotten:
        assert [row for row in document["resources"] if row["urn"] == urn] == [
            row for row in before["resources"] if row["urn"] == urn
        ]
    assert [row for row in document["resources"] if row["urn"] not in settled.adopted] == [
        row for row in before["resources"] if row["urn"] not in settled.adopted
    ]


@given(checkpoints())
def test_settling_again_changes_nothing(case: tuple[dict[str, Any], dict[str, list[str]]]) -> None:
    document, world = case
    resolve(document, world)
    once = copy.deepcopy(document)
    again = resolve(document, world)
    assert document == once
    assert not again.adopted and not again.forgotten


def test_a_replacement_that_was_created_sends_its_predecessor_to_deletion() -> None:
    document = {
        "resources": [resource("a", "old", pendingReplacement=True)],
        "pending_operations": [{"resource": resource("a"), "type": "creating"}],
    }
    resolve(document, {resource("a")["urn"]: ["old", "new"]})
    old, new = document["resources"]
    assert (old["id"], old["delete"], "pendingReplacement" in old) == ("old", True, False)
    assert (new["id"], new.get("delete")) == ("new", None)


STACK_FILE = """# sizes of the development environment
config:
  demo:zones:   [a, b]   # two are enough

  demo:name: "x"
"""


def project(folder: Path, settings: dict[str, Any], stack_file: Path) -> None:
    (folder / "Pulumi.yaml").write_text(json.dumps({"name": "demo", "runtime": "python", **settings}))
    stack_file.parent.mkdir(exist_ok=True)
    stack_file.write_text(STACK_FILE)


def test_a_salt_leaves_with_its_shell_and_the_spaces_come_back(tmp_path: Path) -> None:
    stack_file = tmp_path / "stacks" / "Pulumi.dev.yaml"
    project(tmp_path, {"stackConfigDir": "stacks"}, stack_file)
    before = stack_files(stack_file.parent)
    stack_file.write_text('config:\n  demo:zones: [a, b]\n  demo:name: "x"\nencryptionsalt: v1:abc\n')
    restore(before)
    assert stack_file.read_text() == STACK_FILE


def test_what_the_person_changed_stays_when_the_salt_leaves(tmp_path: Path) -> None:
    stack_file = tmp_path / "Pulumi.dev.yaml"
    project(tmp_path, {}, stack_file)
    before = stack_files(tmp_path)
    stack_file.write_text("config:\n  demo:zones: [a]\nencryptionsalt: v1:abc\n")
    restore(before)
    assert stack_file.read_text() == "config:\n  demo:zones: [a]\n"


def test_a_salt_that_was_there_before_stays(tmp_path: Path) -> None:
    stack_file = tmp_path / "Pulumi.dev.yaml"
    project(tmp_path, {}, stack_file)
    stack_file.write_text("encryptionsalt: v1:mine\n")
    restore(stack_files(tmp_path))
    assert stack_file.read_text() == "encryptionsalt: v1:mine\n"


def test_a_copy_carries_everything_but_the_secrets_provider(tmp_path: Path) -> None:
    source = tmp_path / "Pulumi.dev.yaml"
    source.write_text(f"secretsprovider: awskms://alias/x\nencryptedkey: abc\n{STACK_FILE}encryptionsalt: v1:abc\n")
    assert configuration(Paths("schema", tmp_path), "demo", "dev", source).read_text() == STACK_FILE


@pytest.mark.parametrize("value", ["{secure: AAAB}", "[{secure: AAAB}]", "{a: {b: {secure: AAAB}}}"])
def test_an_encrypted_value_is_refused_by_file_and_key(tmp_path: Path, value: str) -> None:
    source = tmp_path / "Pulumi.dev.yaml"
    source.write_text(f"config:\n  demo:secure: plain\n  demo:word: {value}\n")
    with pytest.raises(RehearsalError, match=r"Pulumi.dev.yaml: demo:word is encrypted") as refused:
        configuration(Paths("schema", tmp_path), "demo", "dev", source)
    assert "AAAB" not in str(refused.value)


@pytest.mark.parametrize("text", [None, "config: [", "config:\n\t- x"])
def test_a_configuration_that_cannot_be_read_is_one_line(tmp_path: Path, text: str | None) -> None:
    source = tmp_path / "Pulumi.dev.yaml"
    if text is not None:
        source.write_text(text)
    with pytest.raises(RehearsalError) as refused:
        configuration(Paths("schema", tmp_path), "demo", "dev", source)
    assert str(source) in str(refused.value) and "\n" not in str(refused.value)


def test_no_tracked_stack_file_carries_a_salt_or_a_secret() -> None:
    files = list(ROOT.joinpath("stacks").glob("Pulumi.*.yaml"))
    assert files
    for file in files:
        for word in ("encryptionsalt", "encryptedkey", "secure:"):
            assert word not in file.read_text(), f"{file.name} has {word}"
