"""How is the committed facts file made? `python -m rehearsal.aws.generate FOLDER`, again whenever the SDK moves.

FOLDER holds `aws_resources.json` (settled row by row), `terraform_facts.json` (read from the provider's source) and
`schema_map.json` (which API member each property is); they win in this order, the API's own model comes last.
Facts about properties that the installed SDK does not have are left out and counted.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rehearsal.aws import models
from rehearsal.aws.facts import DATA
from rehearsal.aws.gather import BY_PATH, GROUPS, LISTS, Row, plain
from rehearsal.aws.schema import Property, Schemas, ensure, open_schemas

LONG_TEXT = 1024
"""The models allow texts far longer than the services do: such a limit says nothing."""
LONGEST_ENUM = 60
"""Longer ones (instance types, AWS Config resource types) grow every week."""


def settled(row: Row, facts: dict[str, Any]) -> None:
    """The rows of `aws_resources.json`: each fact has its own evidence."""
    evidence: dict[str, str] = facts["evidence"]

    def seen(table: str, path: str) -> str:
        return evidence.get(f"{table}.{path}") or evidence.get(table) or "terraform-provider-aws v5.43"

    for path in facts["replace_on"]:
        row.add("replace_on", path, seen("replace_on", path))
    for path in facts.get("optional_computed", []):
        row.add("computed", path, seen("optional_computed", path))
    for table in ("ignore_case", "refused_at_up"):
        for path in facts.get(table, []):
            row.add(table, path, seen(table, path))
    for path, words in facts.get("replace_when", {}).items():
        if path == "region":  # true of every type, so a rule and no fact
            continue
        row.put("replace_sometimes", path, words, seen("replace_sometimes", path))
    for table in BY_PATH:
        for path, value in facts.get(table, {}).items():
            row.put(
                table, path, [value] if table == "patterns" and isinstance(value, str) else value, seen(table, path)
            )
    for table in GROUPS:
        for paths in facts.get(table, []):
            row.group(table, paths, seen(table, "+".join(paths)))


def corrected(row: Row, facts: dict[str, Any], kinds: dict[str, Any]) -> None:
    """The rows of `corrections.json`, which win over all others; a null takes a wrong fact away.

    `kinds` are named validators that many properties share; `checked` are facts that the provider does check although
    a source says that only AWS does.
    """
    for path, kind in facts.get("kinds", {}).items():
        for table, value in kinds[kind].items():
            if table != "source":
                row.put(table, path, value, kinds[kind]["source"])
    source = facts.get("source", "")
    for table in (*BY_PATH, "replace_sometimes"):
        for path, value in facts.get(table, {}).items():
            row.put(table, path, value, source)
    for table in LISTS:
        for path in facts.get(table, []):
            row.add(table, path, source)
    for table in GROUPS:
        for paths in facts.get(table, []):
            row.group(table, paths, source)
    row.wrong.update(tuple(paths) for paths in facts.get("wrong_groups", ()))
    row.code = facts.get("code", "")
    row.checked.update(facts.get("checked", ()))


def provider_source(row: Row, facts: dict[str, Any], settled_row: bool) -> None:
    """The rows of `terraform_facts.json`, all read from one file of the provider's source."""
    source = f"terraform-provider-aws v5.43 {facts['source']}"
    if not settled_row:
        for path in facts["replace_on"]:
            row.add("replace_on", path, source)
    for path in facts.get("replace_sometimes", []):
        if path not in row.facts.get("replace_on", []):
            row.put("replace_sometimes", path, "replaces in some transitions", source)
    for path, values in facts.get("enums_ignore_case", {}).items():
        row.put("enums", path, values, source)
        row.add("ignore_case", path, source)
    for table in BY_PATH:
        for path, value in facts.get(table, {}).items():
            row.put(table, path, value, source)
    for table in GROUPS:
        for paths in facts.get(table, []):
            row.group(table, paths, source)


def service_model(row: Row, mapped: dict[str, Any], read: bool, newer: set[str]) -> None:
    """What the API's own model says about properties on which the other sources are silent.

    Where the provider's source was `read` and does not check a property, AWS refuses at `up` (the row's `up`, with the
    service's error code); for types and inputs `newer` than that source, the provider is taken to check like the API.
    """
    if mapped.get("boto_from") != "terraform source":
        return
    service, operation = mapped["boto"]
    later: dict[str, Any] = {
        "source": f"botocore {service} {operation}",
        "code": row.code or models.refusal_code(service, operation),
    }
    for path, seen in mapped["properties"].items():
        property, spelled = row.property(plain(path)), plain(path)
        if property is None or "boto" not in seen or "converted" in seen or row.knows(spelled):
            continue
        if spelled == "region":  # every type's own; where the API has such a member, it means another one
            continue
        shape = models.member(service, operation, seen["boto"])
        for table, value in _constraints(property, shape or {}, spelled).items():
            if read and spelled.split(".")[0] not in newer:
                later.setdefault(table, {})[row.spelled(table, spelled)] = value
            else:
                row.put(table, spelled, value, later["source"])
    row.facts["up"] = later


def _constraints(property: Property, shape: dict[str, Any], path: str) -> dict[str, Any]:
    """Enum, range and length of a shape, where the property is of the same kind; patterns refuse too much."""
    kind = property.type.element if property.type.kind == "list" and property.type.element else property.type
    low, high = shape.get("min"), shape.get("max")
    if kind.kind == "string" and shape.get("type") == "string":
        if "enum" in shape:
            return {"enums": shape["enum"]} if len(shape["enum"]) <= LONGEST_ENUM else {}
        limits = (low or 0) > 1 or (high or LONG_TEXT) < LONG_TEXT
        if limits and property.type.kind == "string" and not path.endswith("Prefix"):
            return {"lengths": [low, high]}
    if kind.kind in {"int", "float"} and shape.get("type") in {"integer", "long", "float", "double"} and (low or high):
        return {"ranges": [low, high]}
    return {}


def newer_values(row: Row, mapped: dict[str, Any], literal: set[str]) -> None:
    """Enums that the provider takes from the AWS SDK grow with it: add what the API's model has today."""
    if mapped.get("boto_from") != "terraform source":
        return
    service, operation = mapped["boto"]
    for path, seen in mapped["properties"].items():
        spelled = row.spelled("enums", plain(path))
        values = row.facts.get("enums", {}).get(spelled)
        if values is None or "boto" not in seen or plain(path) in literal:
            continue
        today = (models.member(service, operation, seen["boto"]) or {}).get("enum", [])
        if set(today) & set(values):
            row.facts["enums"][spelled] = [*values, *(value for value in today if value not in values)]


def cloudformation(row: Row, mapped: dict[str, Any], newer: set[str]) -> None:
    """Inputs newer than the provider's source replace where CloudFormation can only create them: unverified."""
    fixed = models.create_only(mapped.get("cfn", ""))
    for path, seen in mapped["properties"].items():
        spelled, pointer = plain(path), seen.get("cfn")
        if pointer in fixed and spelled.split(".")[0] in newer and row.property(spelled) is not None:
            source = f"cloudformation {mapped['cfn']} {pointer}"
            row.add("replace_on", spelled, source)
            row.add("unverified", spelled, source)


def rows(folder: Path, schemas: Schemas, dropped: Counter[str]) -> Iterator[dict[str, Any]]:
    """One row for each type of the SDK about which something is known."""
    estate = json.loads((folder / "aws_resources.json").read_text())
    provider = json.loads((folder / "terraform_facts.json").read_text())
    corrections = json.loads((DATA / "corrections.json").read_text())
    mapping = json.loads((folder / "schema_map.json").read_text())
    for token in schemas.tokens():
        resource = schemas.get(token)
        if resource is None:
            continue
        row = Row(schemas, resource, dropped)
        facts, mapped = provider.get(token, {}), mapping.get(token, {"properties": {}})
        newer = set(facts.get("not_in_source", ())) if facts else set(resource.inputs)
        corrected(row, corrections["types"].get(token, {}), corrections["kinds"])
        if token in estate:
            settled(row, estate[token])
        if facts:
            provider_source(row, facts, token in estate)
        if not facts and token not in estate:
            row.facts["level"] = "schema"
        row.settle_defaults()
        newer_values(row, mapped, {plain(path) for path in facts.get("enums_literal", ())})
        service_model(row, mapped, bool(facts), newer)
        cloudformation(row, mapped, newer)
        if row.facts.keys() - {"up", "level"} or row.facts.get("up", {}).keys() - {"source", "code"}:
            yield row.compact(token)


def progress(line: str) -> None:
    """Tell the person at the terminal."""
    sys.stderr.write(f"{line}\n")


def main() -> int:
    """Write the facts file and say what was left out."""
    parser = argparse.ArgumentParser(prog="python -m rehearsal.aws.generate", description=__doc__)
    parser.add_argument("folder", type=Path, help="folder with the three source files")
    parser.add_argument("--output", type=Path, default=DATA / "facts.jsonl")
    options = parser.parse_args()
    ensure(progress)
    dropped: Counter[str] = Counter()
    lines = [json.dumps(row, separators=(",", ":")) for row in rows(options.folder, open_schemas(), dropped)]
    options.output.write_text("\n".join(lines) + "\n")
    progress(f"{options.output}: {len(lines)} types, {options.output.stat().st_size / 1e6:.2f} MB")
    progress("left out: " + (", ".join(f"{n} {table}" for table, n in dropped.items()) or "none"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
