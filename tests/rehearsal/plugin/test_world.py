"""Is the world safe to share, and can a person look into it and change it?"""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehearsal import world_cli
from rehearsal.errors import RehearsalError
from rehearsal.values import spell
from rehearsal.world import Row, World, changed

VPC = "aws:ec2/vpc:Vpc"
KEY = "aws:kms/key:Key"
SUBNET = "aws:ec2/subnet:Subnet"
steps = st.lists(st.text(min_size=1, max_size=5) | st.integers(0, 99), min_size=1, max_size=4)


def row(id: str = "vpc-1", account: str = "demo/dev", **outputs: Any) -> Row:
    urn = f"urn:pulumi:dev::demo::{VPC}::{id}"
    return Row(VPC, "us-east-1", id, urn, {"a": 1}, {"a": 1} | outputs, account=account)


def test_a_failed_change_leaves_nothing_behind(tmp_path: Path) -> None:
    world = World(tmp_path, "demo/dev")
    with pytest.raises(RuntimeError), world.changing():
        world.put(row())
        raise RuntimeError
    assert world.rows() == []


def test_objects_are_found_by_type_value_and_urn(tmp_path: Path) -> None:
    world = World(tmp_path, "demo/dev")
    one, two = row("vpc-1", cidrBlock="10.0.0.0/16"), row("vpc-2", cidrBlock="10.1.0.0/16")
    world.put(one)
    world.put(two)
    assert world.rows(VPC, cidrBlock="10.1.0.0/16") == [two]
    assert world.rows(SUBNET) == [] and world.find(VPC, "eu-west-1", "vpc-1") is None
    assert world.of_urn(one.urn) == [one]
    assert [world.birth(one.urn), world.birth(one.urn), world.birth(two.urn)] == [1, 2, 1]
    assert world.rows()[0].stack == "demo/dev"
    world.reset(world.rows())
    assert world.rows() == [] and world.birth(one.urn) == 1


def test_an_account_is_one_for_all_projects_and_no_other_accounts(tmp_path: Path) -> None:
    first, same, other = World(tmp_path, "111111111111"), World(tmp_path, "111111111111"), World(tmp_path, "2" * 12)
    first.put(row("vpc-1", account=""))
    other.put(row("vpc-1", account="", cidrBlock="10.0.0.0/16"))
    assert same.rows() == [row("vpc-1", account="111111111111")]
    assert [found.account for found in World(tmp_path).called("vpc-1")] == ["111111111111", "222222222222"]
    same.remove(same.rows()[0])
    assert first.rows() == [] and len(other.rows()) == 1


def test_worlds_of_the_layout_before_are_not_overlooked(tmp_path: Path) -> None:
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "dev.sqlite").touch()
    with pytest.raises(RehearsalError, match="another version"):
        World(tmp_path)


def test_a_world_may_be_opened_for_the_first_time_by_many_at_once(tmp_path: Path) -> None:
    def work(at: int) -> None:
        world = World(tmp_path, "demo/dev")
        with world.changing():
            world.put(row(f"vpc-{at}"))
        world.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(40)))
    assert len(World(tmp_path, "demo/dev").rows()) == 40


def test_a_world_of_another_layout_is_not_misread(tmp_path: Path) -> None:
    world = World(tmp_path, "demo/dev")
    world.close()
    other = sqlite3.connect(world.file)
    other.execute("PRAGMA user_version = 99")
    other.close()
    with pytest.raises(RehearsalError, match="another version"):
        World(tmp_path, "demo/dev")


def test_processes_at_once_lose_no_write(start: Callable[..., Any]) -> None:
    plugins = [start(region=region) for region in ("us-east-1", "us-west-2", "eu-west-1")]

    def work(at: int) -> str:
        plugin = plugins[at % 3]
        id, outputs = plugin.create(KEY, {}, name=f"n{at}")
        plugin.update(KEY, id, outputs, {"tags": {"n": str(at)}}, name=f"n{at}")
        return str(id)

    with ThreadPoolExecutor(12) as pool:
        ids = list(pool.map(work, range(90)))
    assert len(set(ids)) == 90
    for at, id in enumerate(ids):
        assert plugins[at % 3].read(KEY, id)[2].values["tags"] == {"n": str(at)}


@given(steps)
def test_a_path_is_read_as_it_is_written(path: list[str | int]) -> None:
    assert world_cli.parse(spell(tuple(path))) == tuple(path)


def test_a_change_behind_the_engine_is_drift_of_what_the_program_set() -> None:
    before = row(arn="arn:x", tagsAll={"x": "y"})
    tagged = changed(before, ("tags", "Name"), "b")
    assert tagged.inputs == {"a": 1, "tags": {"Name": "b"}}
    assert tagged.outputs["tagsAll"] == {"x": "y", "Name": "b"}
    assert changed(before, ("arn",), "arn:z").inputs == before.inputs
    with pytest.raises(RehearsalError, match="no item 3"):
        changed(before, ("list", 3), 1)


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., subprocess.CompletedProcess[str]]:
    monkeypatch.setenv("REHEARSAL_WORLD", str(tmp_path))
    secret = Row(VPC, "us-east-1", "vpc-2", f"urn:pulumi:dev::demo::{VPC}::b", {}, {"p": "hush"}, frozenset({("p",)}))
    world = World(tmp_path, "demo/dev")
    world.put(row("vpc-1", cidrBlock="10.0.0.0/16"))
    world.put(secret)
    world.close()

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        words = [sys.executable, "-m", "rehearsal", "world", *arguments]
        return subprocess.run(words, capture_output=True, text=True, check=False)

    return run


def test_the_command_lists_shows_sets_removes_and_resets(command: Any) -> None:
    assert "demo/dev: 2 objects" in command("list").stdout
    assert [json.loads(line)["id"] for line in command("list", "VPC", "--json").stdout.splitlines()] == [
        "vpc-1",
        "vpc-2",
    ]
    assert command("set", "vpc-1", "tags.Name", "x").returncode == 0
    assert json.loads(command("show", "vpc-1").stdout)["outputs"]["tags"] == {"Name": "x"}
    hidden = command("show", "b").stdout
    assert "hush" not in hidden and json.loads(hidden)["outputs"]["p"] == "[secret]"
    assert command("remove", "vpc-1").returncode == 0
    missing = command("show", "vpc-1")
    assert missing.returncode == 1 and "world list" in missing.stderr and "Traceback" not in missing.stderr
    assert "1 objects deleted" in command("reset").stdout
    assert "0 objects" in command("--stack", "dev", "list").stdout
