"""Is every difference between staging and production one that somebody meant?"""

from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.infra.graph import Graph, Row

ROWS = yaml.safe_load(Path(__file__).with_name("parity.yaml").read_text())["rows"]
EXPLAINED = [difference for row in ROWS for difference in row["differences"]]


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every value with its path."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield from leaves(part, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from leaves(part, f"{path}[{index}]")
    else:
        yield path, str(value)


def neutral(graph: Graph, row: Row) -> dict[str, str]:
    """The inputs without the environment's name, account and network."""
    (network,) = graph.of_type("Vpc")
    high = ".".join(network["inputs"]["cidrBlock"].split(".")[:2]) + "."
    return {
        path: value.replace(graph.environment, "ENVIRONMENT")
        .replace(graph.account, "ACCOUNT")
        .replace(high, "NETWORK.")
        for path, value in leaves(row["inputs"])
    }


def rows(graph: Graph) -> dict[str, Row]:
    return {
        f"{row['type'].rsplit(':', 1)[-1]} {row['name']}": row
        for row in graph.rows
        if row["type"] != "pulumi:pulumi:Stack"
    }


def differences(staging: Graph, production: Graph) -> Iterator[tuple[str, str | None]]:
    """Resources that one of them has, and inputs that differ: pairs of resource and path."""
    left, right = rows(staging), rows(production)
    for resource in left.keys() ^ right.keys():
        yield resource, None
    for resource in left.keys() & right.keys():
        one, other = neutral(staging, left[resource]), neutral(production, right[resource])
        for path in one.keys() | other.keys():
            if one.get(path) != other.get(path):
                yield resource, path


def explains(row: dict[str, str], difference: tuple[str, str | None]) -> bool:
    resource, path = difference
    if not fnmatchcase(resource, row["resource"]):
        return False
    return path is None if "path" not in row else path is not None and fnmatchcase(path, row["path"])


@pytest.fixture(scope="module")
def found(record: Callable[..., Graph]) -> list[tuple[str, str | None]]:
    """As the program registers them: there, ids are named after their resources and equal in both."""
    return list(differences(record("staging"), record("production")))


def test_every_difference_is_explained(found: list[tuple[str, str | None]]) -> None:
    assert found
    unexplained = sorted(
        f"{resource}: {path or 'only one of them has it'}"
        for resource, path in found
        if not any(explains(row, (resource, path)) for row in EXPLAINED)
    )
    assert not unexplained, "explain in parity.yaml why they differ, or make them equal"


def test_every_explanation_is_still_needed(found: list[tuple[str, str | None]]) -> None:
    assert [row for row in EXPLAINED if not any(explains(row, difference) for difference in found)] == []


def test_every_explanation_says_why() -> None:
    assert all(len(row["because"]) > 20 and row["differences"] for row in ROWS)
