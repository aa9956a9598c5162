"""Is every fault caught when it is put back, and by its name?"""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.first_day import page, tree

TABLE = yaml.safe_load(Path(__file__).with_name("faults.yaml").read_text())
FAULTS = [
    pytest.param(fault, id=f"{'exhaustive-' if fault.get('exhaustive') else ''}{fault['id']}")
    for fault in TABLE["faults"]
]


def test_every_fault_has_a_name_and_a_kind() -> None:
    ids = [fault["id"] for fault in TABLE["faults"]]
    assert len(ids) == len(set(ids))
    assert {fault["kind"] for fault in TABLE["faults"]} <= set(TABLE["kinds"])


def test_the_page_has_the_table() -> None:
    assert page.BEGIN in page.PAGE.read_text() and page.renewed() == page.PAGE.read_text(), "renew it"


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_that_is_put_back_is_caught(fault: dict[str, Any], tmp_path: Path) -> None:
    tree.copy(tmp_path)
    tree.put_back(tmp_path, fault["put_back"])
    done = tree.run(tmp_path, fault["caught_by"])
    said = done.stdout + done.stderr
    assert done.returncode == 1, f"{fault['caught_by']} has nothing to say of it (exit code {done.returncode}): {said}"
    assert re.search(fault["because"], said), f"{fault['caught_by']} fails of something else: {said[-3000:]}"


RULES = {fault["caught_by"] for fault in TABLE["faults"] if fault["caught_by"].startswith("rule:")}


@pytest.mark.parametrize("caught_by", sorted(RULES))  # the project's own tests run in parts of their own
def test_what_catches_a_fault_is_silent_without_it(caught_by: str, tmp_path: Path) -> None:
    tree.copy(tmp_path)
    assert tree.run(tmp_path, caught_by).returncode == 0
