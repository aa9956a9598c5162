"""Is every row of docs/specification.md met somewhere and shown by something that exists, or waiting for named work?"""

import re
import tomllib

import pytest

from tests.infra.record import ROOT

PAGE = ROOT / "docs/specification.md"
PARTS = {part["name"] for part in tomllib.loads((ROOT / "tests/parts.toml").read_text())["part"]}
HEADINGS = {
    heading.lower().replace(" ", "-")
    for heading in re.findall(r"^### (.+)$", (ROOT / "docs/roadmap.md").read_text(), re.M)
}


def rows() -> list[tuple[str, str, str]]:
    lines = [line.strip("| ").split(" | ") for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    return [(line[0], line[1], line[2]) for line in lines if line != ["asked", "where", "shown by"]]


def missing(shown: str) -> list[str]:
    """What a cell refers to that does not exist; it must refer to something."""
    wrong = [
        f"no heading {name} in docs/roadmap.md" for name in set(re.findall(r"roadmap\.md#([\w-]+)", shown)) - HEADINGS
    ]
    parts = set(re.findall(r"part `([\w-]+)`", shown))
    wrong += [f"no part {name} in tests/parts.toml" for name in parts - PARTS]
    references = [one for one in re.findall(r"`([^`]+)`", shown) if one not in parts]
    for reference in references:
        path, _, test = reference.partition("::")
        file = ROOT / path
        if not file.exists():
            wrong.append(f"no file {path}")
        elif test and not re.search(rf"def {test}\b", file.read_text()):
            wrong.append(f"no {test} in {path}")
    if not references and not parts and "roadmap.md#" not in shown:
        wrong.append("neither a test nor later work")
    return wrong


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0])
def test_a_row_is_met_and_shown_or_waits_for_named_work(row: tuple[str, str, str]) -> None:
    _, where, shown = row
    assert "`" in where, "says nowhere"
    assert missing(where) + missing(shown) == []


def test_all_sixteen_components_are_there() -> None:
    titles = re.findall(r"^## (\d+)\. ", PAGE.read_text(), re.M)
    assert titles == [str(number) for number in range(1, 17)]


@pytest.mark.parametrize(
    "cell", ["", "by and by", "`tests/no/such.py::test_it`", "`tests/house/test_house.py::test_no_such`", "part `none`"]
)
def test_what_does_not_exist_is_found(cell: str) -> None:
    assert missing(cell)
