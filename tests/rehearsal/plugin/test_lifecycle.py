"""Does an object live as in AWS: created, read, changed, deleted, over the wire of the real protocol?"""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from rehearsal.values import UNKNOWN
from rehearsal.world import World

VPC = "aws:ec2/vpc:Vpc"
KEY = "aws:kms/key:Key"


def test_what_exists_only_after_creation_is_unknown_in_preview(plugin: Any) -> None:
    id, outputs = plugin.create(VPC, {"cidrBlock": "10.0.0.0/16"}, preview=True)
    assert id == ""
    assert outputs.values["arn"] is UNKNOWN and outputs.values["defaultSecurityGroupId"] is UNKNOWN
    assert outputs.values["cidrBlock"] == "10.0.0.0/16" and outputs.values["region"] == "us-east-1"


def test_an_object_is_created_read_changed_and_deleted(plugin: Any) -> None:
    id, outputs = plugin.create(VPC, {"cidrBlock": "10.0.0.0/16"})
    assert re.fullmatch(r"vpc-[0-9a-f]{17}", id)
    assert outputs.values["arn"] == f"arn:aws:ec2:us-east-1:000000000000:vpc/{id}"

    found, inputs, state = plugin.read(VPC, id)
    assert (found, inputs.values, state) == (id, {"cidrBlock": "10.0.0.0/16"}, outputs)

    changed = plugin.update(VPC, id, outputs, {"cidrBlock": "10.0.0.0/16", "tags": {"a": "b"}})
    assert changed.values["tags"] == {"a": "b"} and changed.values["arn"] == outputs.values["arn"]
    assert plugin.read(VPC, id)[2] == changed

    plugin.delete(VPC, id, changed)
    plugin.delete(VPC, id, changed)
    assert plugin.read(VPC, id)[0] == ""


def test_a_secret_stays_one_through_the_world(plugin: Any) -> None:
    tags = {"plain": "a", "hidden": "hush"}
    id, outputs = plugin.create(VPC, {"cidrBlock": "10.0.0.0/16", "tags": tags}, secrets=[("tags", "hidden")])
    assert outputs.secrets == {("tags", "hidden"), ("tagsAll",)}
    assert ("tags", "hidden") in plugin.read(VPC, id)[1].secrets


def test_the_plugin_says_which_version_it_stands_in_for(plugin: Any) -> None:
    assert plugin.info().version == "7.51.1"


def test_an_object_whose_creation_was_never_reported_gives_way(start: Any, tmp_path: Path) -> None:
    plugin = start()
    known, _ = plugin.create(KEY, {}, name="known")
    world = World(tmp_path / "world", "demo/dev")
    (row,) = world.rows()
    for name in ("lost", "asked"):  # the plugin was killed before it answered
        lost = replace(row, id=f"key-{name}", urn=row.urn.replace("known", name))
        world.put(lost, reported=False)
    plugin = start()
    assert plugin.read(KEY, "key-asked", name="asked")[0] == "key-asked"
    again = [plugin.create(KEY, {}, name=name)[0] for name in ("lost", "asked", "known")]
    assert {row.id for row in world.rows()} == {known, "key-asked", *again}
