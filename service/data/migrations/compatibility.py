"""Does a revision break the release that still runs while it is applied? Expand first, contract a release later.

Old and new pods serve side by side during a roll-out, and a rollback meets the new schema: a revision may add what the
old code does not know, and may take away only what an earlier revision's release stopped using. Such a revision names
that earlier one in `contracts_after`.
"""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

VERSIONS = Path(__file__).parent / "versions"
BREAKING = {
    "drop_column": "old code still reads and writes the column",
    "drop_table": "old code still uses the table",
    "rename_table": "old code knows the old name",
    "create_unique_constraint": "old code may write what the constraint refuses",
    "create_check_constraint": "old code may write what the constraint refuses",
    "create_foreign_key": "old code may write what the constraint refuses",
    "execute": "its effect cannot be seen: declare after which revision it is safe",
}


def breaking(source: str) -> list[str]:
    """What in `upgrade()` and the functions beside it would break the release before; empty when nothing does."""
    tree = ast.parse(source)
    bodies = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name != "downgrade"]
    calls = [node for body in bodies for node in ast.walk(body) if isinstance(node, ast.Call)]
    return [f"line {call.lineno}: {reason}" for call in calls for reason in _reasons(call)]


def _reasons(call: ast.Call) -> Iterator[str]:
    if not isinstance(call.func, ast.Attribute):
        return
    name = call.func.attr
    keywords: Mapping[str | None, ast.expr] = {keyword.arg: keyword.value for keyword in call.keywords}
    if name in BREAKING:
        yield f"{name}: {BREAKING[name]}"
    elif name == "create_index" and _is(keywords.get("unique"), value=True):
        yield "create_index(unique=True): old code may write what the index refuses"
    elif name == "alter_column":
        if "new_column_name" in keywords:
            yield "alter_column: old code knows the old name"
        if "type_" in keywords:
            yield "alter_column: old code may write what the new type refuses"
        if _is(keywords.get("nullable"), value=False):
            yield "alter_column: old code may write NULL"
    elif name == "add_column" and isinstance(column := call.args[-1], ast.Call):
        given = {keyword.arg: keyword.value for keyword in column.keywords}
        if _is(given.get("nullable"), value=False) and "server_default" not in given:
            yield "add_column: old code does not fill a column without NULL and default"


def _is(node: ast.expr | None, *, value: bool) -> bool:
    return isinstance(node, ast.Constant) and node.value is value


def problems(sources: Mapping[str, str]) -> list[str]:
    """Breaking steps of revisions (name -> source) that do not name an earlier revision in `contracts_after`."""
    assigned = {name: dict(_assignments(source)) for name, source in sources.items()}
    revisions = {values["revision"]: values for values in assigned.values()}
    found = []
    for name, source in sources.items():
        after = assigned[name].get("contracts_after")
        if after is not None and after not in _ancestors(assigned[name], revisions):
            found.append(f"{name}: contracts_after names {after!r}, which is not before it")
        elif after is None:
            found += [f"{name}: {problem}" for problem in breaking(source)]
    return found


def _assignments(source: str) -> Iterator[tuple[str, str | None]]:
    for node in ast.parse(source).body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str() | None as value)):
                yield name, value


def _ancestors(values: Mapping[str, str | None], revisions: Mapping[str | None, Mapping[str, str | None]]) -> set[str]:
    found: set[str] = set()
    while (parent := values.get("down_revision")) is not None:
        found.add(parent)
        values = revisions.get(parent, {})
    return found


def committed() -> dict[str, str]:
    """The revisions of this tree."""
    return {path.name: path.read_text() for path in sorted(VERSIONS.glob("*.py"))}
