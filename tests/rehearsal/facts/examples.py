"""Which resources do the example programs in the SDK's own documentation declare? Read without running them."""

import ast
import json
import re
import textwrap
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from rehearsal.aws import sdk
from rehearsal.aws.check import check, refused_at_up
from rehearsal.aws.context import Context
from rehearsal.aws.diff import diff
from rehearsal.aws.library import Library
from rehearsal.aws.schema import Property, Schemas, Type
from rehearsal.values import UNKNOWN, Values

_BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)


@dataclass(frozen=True)
class Example:
    """One declaration: where it is documented, its class as the program writes it, and its keyword arguments."""

    documented: str
    cls: str
    name: str
    arguments: dict[str, Any]


def extract(workers: int = 2) -> list[Example]:
    """Every declaration of an AWS resource in the documentation of a resource class."""
    folder = sdk.folder()
    paths = [path for path in sorted(folder.rglob("*.py")) if not path.name.startswith(("_", "get_", "outputs"))]
    with ProcessPoolExecutor(workers) as pool:
        return [example for found in pool.map(_of_file, paths, chunksize=50) for example in found]


def _of_file(path: Path) -> list[Example]:
    found: dict[str, Example] = {}
    for written in _BLOCK.findall(path.read_text()):
        block = ast.literal_eval(f'"""{written}"""') if "\\" in written else written
        for example in _of_program(f"{path.parent.name}/{path.stem}", block):
            # The constructor is documented twice, once for each of its overloads.
            found[ascii((example.cls, example.name, example.arguments))] = example
    return list(found.values())


def _of_program(documented: str, block: str) -> Iterator[Example]:
    try:
        tree = ast.parse(textwrap.dedent(block))
    except SyntaxError:  # a handful are cut short in the documentation
        return
    known: dict[str, Any] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            known[node.targets[0].id] = _value(node.value, known)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        cls = ast.unparse(node.func)
        name = _value(node.args[0], known)
        if cls.startswith("aws.") and cls.rpartition(".")[2][:1].isupper():
            arguments = {one.arg: _value(one.value, known) for one in node.keywords if one.arg not in (None, "opts")}
            yield Example(documented, cls, name if isinstance(name, str) else "example", arguments)


def _value(node: ast.expr, known: dict[str, Any]) -> Any:  # noqa: PLR0911 - one line for each kind of node
    match node:
        case ast.Constant():
            return node.value
        case ast.Name():
            return known.get(node.id, UNKNOWN)
        case ast.List() | ast.Tuple():
            return [_value(one, known) for one in node.elts]
        case ast.Dict() if None not in node.keys:
            keys = [_value(key, known) for key in node.keys if key is not None]
            return {str(key): _value(value, known) for key, value in zip(keys, node.values, strict=True)}
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
            return -number
        case ast.Call(func=ast.Attribute(value=ast.Name(id="json"), attr="dumps")):
            inner = _value(node.args[0], known)
            return UNKNOWN if _unknown(inner) else json.dumps(inner)
        case ast.Call() if ast.unparse(node.func).startswith("aws.") and not node.args:
            if ast.unparse(node.func).endswith("Args"):
                return {one.arg: _value(one.value, known) for one in node.keywords if one.arg}
    return UNKNOWN


def _unknown(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_unknown(one) for one in value.values())
    if isinstance(value, list):
        return any(_unknown(one) for one in value)
    return value is UNKNOWN


def token_of(schemas: Schemas) -> dict[str, str]:
    """Token by class as a program writes it, in small letters without underscores: `aws.ec2.vpc`."""
    classes = {}
    for token in schemas.tokens():
        module, _, name = token.partition(":")[2].partition("/")
        classes[f"aws.{module}.{name.rpartition(':')[2]}".lower()] = token
    return classes


def wire(schemas: Schemas, fields: Any, arguments: dict[str, Any]) -> dict[str, Any]:
    """Arguments under their wire names, as the SDK would send them."""
    names: dict[str, Property] = {name.lower(): known for name, known in fields.items()}
    sent = {}
    for name, value in arguments.items():
        known = names.get(name.replace("_", "").lower())
        if value is not None:
            sent[known.name if known else name] = _typed(schemas, known.type, value) if known else value
    return sent


def _typed(schemas: Schemas, kind: Type, value: Any) -> Any:
    if kind.kind == "object" and isinstance(value, dict):
        return wire(schemas, schemas.fields(kind.cls or ""), value)
    if kind.kind == "list" and isinstance(value, list) and kind.element:
        return [_typed(schemas, kind.element, one) for one in value]
    return value


LISTED = Path(__file__).with_name("refused_examples.json")
CAUSES = {
    "incomplete": "the documentation leaves out what the SDK or the provider needs",
    "misspelt": "the documentation uses a name that the SDK does not have",
    "wrong value": "the documentation shows a value that the provider refuses",
    "false": "the provider would take it: a mistake in the facts",
}
_INCOMPLETE = re.compile(r"required, but|must be set|(exactly )?one of .* must be set|needs ")


@dataclass(frozen=True)
class Row:
    """One refused example."""

    key: str
    failures: dict[str, str]
    cause: str
    why: str = ""


@dataclass(frozen=True)
class Refusals:
    """What became of all examples."""

    replayed: int
    rows: list[Row]
    at_up: list[str]
    restless: list[str]


def replay(library: Library, examples: list[Example]) -> Refusals:
    """Ask Check about each example, and AWS's own limits about those that it takes."""
    tokens, context = token_of(library.schemas), Context("us-east-1")
    rows: dict[str, Row] = {}
    at_up, restless, replayed = [], [], 0
    for example in examples:
        token = tokens.get(example.cls.lower().replace("_", ""))
        resource = library.schemas.get(token) if token else None
        if token is None or resource is None:
            continue
        replayed += 1
        inputs = wire(library.schemas, resource.inputs, example.arguments)
        answer = check(library, token, inputs, olds={}, name=example.name, random_seed=b"seed", context=context)
        failures = {failure.property: failure.reason for failure in answer.failures}
        if failures:
            key = f"{example.documented}: {token} {example.name}"
            key = next(one for one in (key, *(f"{key} ({n})" for n in range(2, 99))) if one not in rows)
            rows[key] = Row(key, failures, _cause(failures))
        else:
            if not _rests(library, token, example.name, answer.inputs, context):
                restless.append(f"{token} {example.name}")
            later = refused_at_up(library, token, answer.inputs)
            at_up += [f"{token} {example.name}: {one.property}" for one in later]
    return Refusals(replayed, list(rows.values()), at_up, restless)


def _rests(library: Library, token: str, name: str, inputs: Values, context: Context) -> bool:
    """Whether checked inputs check clean, stay as they are, and differ in nothing (but in what is not known yet)."""
    again = check(library, token, inputs, olds=inputs, name=name, random_seed=b"other", context=context)
    known = _known(inputs)
    same = diff(library, token, old_inputs=known, old_outputs=known, news=_known(again.inputs), context=context)
    return again.inputs == inputs and not again.failures and not same.changes


def _known(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _known(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_known(one) for one in value]
    return "known by now" if value is UNKNOWN else value


def _cause(failures: dict[str, str]) -> str:
    if any(reason.startswith("no such property") for reason in failures.values()):
        return "misspelt"
    return "incomplete" if any(_INCOMPLETE.match(reason) for reason in failures.values()) else "false"


def listed() -> list[Row]:
    """The committed list."""
    return [Row(**row) for row in json.loads(LISTED.read_text())]


def main() -> None:
    """Renew the list: causes that a person found out are kept, new rows are to be judged."""
    known = {row.key: row for row in listed()} if LISTED.exists() else {}
    refusals = replay(Library.open(), extract())
    rows = [
        replace(row, cause=known[row.key].cause, why=known[row.key].why) if row.key in known else row
        for row in refusals.rows
    ]
    LISTED.write_text("[\n" + ",\n".join(json.dumps(asdict(row)) for row in rows) + "\n]\n")
    causes = Counter(row.cause for row in rows)
    print(
        f"{refusals.replayed} examples, {len(rows)} refused: "
        + ", ".join(f"{n} {cause}" for cause, n in causes.items())
    )


if __name__ == "__main__":
    main()
