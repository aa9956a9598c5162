"""Are the committed facts well formed, about properties that exist, each with its source?"""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from rehearsal.aws import generate
from rehearsal.aws.constraints import compile_constraints, compile_pattern
from rehearsal.aws.facts import DATA, Facts
from rehearsal.aws.formats import FORMATS
from rehearsal.aws.naming import overrides
from rehearsal.aws.sameness import SPELLINGS
from rehearsal.aws.schema import Schemas
from rehearsal.aws.transitions import REPLACING, SILENT


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    return [json.loads(line) for line in (DATA / "facts.jsonl").read_text().splitlines()]


def known(schemas: Schemas, token: str, path: str) -> bool:
    resource = schemas.get(token)
    fields = resource.inputs if resource else {}
    for name in path.removesuffix("[]").split("."):
        if name not in fields:
            return False
        kind = fields[name].type
        while kind.element is not None:
            kind = kind.element
        fields = schemas.fields(kind.cls) if kind.cls else {}
    return True


def test_every_row_follows_the_schema(rows: list[dict[str, Any]]) -> None:
    validator = jsonschema.Draft202012Validator(json.loads((DATA / "facts.schema.json").read_text()))
    wrong = [f"{row['token']}: {error.message}" for row in rows for error in validator.iter_errors(row)]
    assert not wrong
    assert [row["token"] for row in rows] == sorted({row["token"] for row in rows})


@pytest.mark.parametrize("name", ["corrections", "naming", "sameness"])
def test_what_is_kept_by_hand_follows_its_schema(name: str) -> None:
    schema, data = (json.loads((DATA / f"{name}{kind}.json").read_text()) for kind in (".schema", ""))
    validator = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
    assert not [f"{list(error.path)}: {error.message}" for error in validator.iter_errors(data)]


def test_every_fact_is_about_a_property_of_the_installed_sdk(rows: list[dict[str, Any]], schemas: Schemas) -> None:
    missing = []
    for row in rows:
        paths = {path for table in generate.BY_PATH for path in row.get(table, {})}
        paths |= {
            path for table in ("replace_on", "computed", "unverified", "ignore_case") for path in row.get(table, ())
        }
        paths |= {path for table in generate.GROUPS for group in row.get(table, ()) for path in group}
        missing += [f"{row['token']} {path}" for path in sorted(paths) if not known(schemas, row["token"], path)]
    assert not missing, "run `python -m rehearsal.aws.generate` again"


def test_every_fact_has_a_source(rows: list[dict[str, Any]]) -> None:
    facts = Facts()
    for row in rows:
        rules = facts.get(row["token"])
        for table in generate.BY_PATH:
            assert all(rules.source(f"{table}.{path}") for path in row.get(table, {})), row["token"]


def test_every_pattern_and_format_compiles(rows: list[dict[str, Any]]) -> None:
    facts = Facts()
    for row in rows:
        for table in ("patterns", "not_patterns"):
            assert all(compile_pattern(one) for patterns in row.get(table, {}).values() for one in patterns)
        assert set(row.get("formats", {}).values()) <= FORMATS.keys()
        for at_up in (False, True):
            compile_constraints(facts.get(row["token"]), at_up=at_up)


def test_the_other_tables_name_properties_that_exist(schemas: Schemas) -> None:
    same = json.loads((DATA / "sameness.json").read_text())["types"]
    corrections = json.loads((DATA / "corrections.json").read_text())
    for token, row in same.items():
        assert all(known(schemas, token, path) for path in (*row.get("ordered", ()), *row.get("spellings", ()))), token
        assert set(row.get("spellings", {}).values()) <= SPELLINGS.keys()
    for token, row in corrections["types"].items():
        assert all(known(schemas, token, path) for path in row.get("kinds", {})), token
        assert set(row.get("kinds", {}).values()) <= corrections["kinds"].keys()
    for table in (REPLACING, SILENT):
        assert all(known(schemas, token, path) for token, paths in table.items() for path in paths)
    table = overrides()
    for token, naming in table.types.items():
        assert schemas.get(token) is not None
        assert naming is None or known(schemas, token, naming.property), token
    assert all(schemas.get(token) is not None for token in table.delete_before_replace)
    assert all(known(schemas, token, path) for token, path in table.managed_by_pulumi.items())


def test_the_generator_keeps_what_wins_and_drops_what_the_sdk_lacks(tmp_path: Path, schemas: Schemas) -> None:
    token = "aws:sqs/queue:Queue"
    provider = {"source": "queue.go", "terraform": "aws_sqs_queue", "replace_on": ["name"]}
    files = {
        "aws_resources.json": {
            token: {
                "replace_on": ["fifoQueue"],
                "ranges": {"delaySeconds": [0, 900]},
                "evidence": {"ranges": "settled"},
            }
        },
        "terraform_facts.json": {
            token: {**provider, "ranges": {"delaySeconds": [0, 1], "gone": [0, 1]}, "enums": {"name": ["a"]}}
        },
        "schema_map.json": {},
    }
    for name, content in files.items():
        (tmp_path / name).write_text(json.dumps(content))
    dropped: Any = generate.Counter()
    row = next(one for one in generate.rows(tmp_path, schemas, dropped) if one["token"] == token)
    assert row["replace_on"] == ["fifoQueue"]
    assert row["ranges"] == {"delaySeconds": [0, 900]}
    assert row["enums"] == {"name": ["a"]}
    assert row["sources"]["enums.name"] != "settled" and "queue.go" in json.dumps(row["sources"])
    assert dropped == {"ranges": 1}
