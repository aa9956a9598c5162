"""How does a person look into the emulated cloud, change it behind the engine's back, or empty it?"""

import argparse
import itertools
import json
import re
import sys
from collections.abc import Iterator
from contextlib import closing

from rehearsal import world
from rehearsal.errors import RehearsalError
from rehearsal.values import Path, Value, Values
from rehearsal.world import Row, World

_STEP = re.compile(r'\.?(?:([^.\[\]"]+)|\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\])')


def main(argv: list[str]) -> int:
    """`python -m rehearsal world`: exit code 0. Raises RehearsalError for what is not there or not unique."""
    parser = argparse.ArgumentParser(prog="python -m rehearsal world", description=__doc__)
    parser.add_argument("--project", help="only what this project created")
    parser.add_argument("--stack", help="only what stacks of this name created")
    commands = parser.add_subparsers(dest="command", required=True)
    listing = commands.add_parser("list", help="the objects that exist")
    listing.add_argument("type", nargs="?", default="", help="a part of the type, such as vpc")
    listing.add_argument("--json", action="store_true", help="one JSON object a line")
    for name, purpose in (
        ("show", "one object with all its properties (secrets left out)"),
        ("set", "change a property, as somebody at the console would: `refresh` then finds drift"),
        ("remove", "delete an object, as somebody at the console would"),
    ):
        command = commands.add_parser(name, help=purpose)
        command.add_argument("object", help="its id, its ARN, its URN or its name in the program")
        if name == "set":
            command.add_argument("property", help="a path, such as tags.Name or ingress[0].fromPort")
            command.add_argument("value", help="JSON, or text that is none")
    commands.add_parser("reset", help="delete everything, without a trace")
    options = parser.parse_args(argv)
    with closing(World(world.folder())) as cloud:
        for line in _lines(cloud, options):
            sys.stdout.write(f"{line}\n")
    return 0


def _lines(cloud: World, options: argparse.Namespace) -> Iterator[str]:
    rows = [row for row in cloud.rows() if _is_of(row, options.project, options.stack)]
    if options.command == "list":
        yield from _listed(rows, options.type, as_json=options.json)
    elif options.command == "reset":
        cloud.reset(rows)
        yield f"{len(rows)} objects deleted"
    else:
        row = _find(rows, options.object)
        if options.command == "show":
            yield json.dumps(_shown(row), indent=2, sort_keys=True)
        elif options.command == "remove":
            cloud.remove(row)
            yield f"{row.id}: removed; `make refresh` finds it gone"
        else:
            with cloud.changing():
                cloud.put(world.changed(row, parse(options.property), _value(options.value)))
            yield f"{row.id}: {options.property} changed; `make refresh` finds it"


def _is_of(row: Row, project: str | None, stack: str | None) -> bool:
    of_project, _, of_stack = row.stack.partition("/")
    return project in {None, of_project} and stack in {None, of_stack}


def _listed(rows: list[Row], part: str, *, as_json: bool) -> Iterator[str]:
    found = sorted((row for row in rows if part.lower() in row.token.lower()), key=lambda row: row.stack)
    if not as_json and not found:
        yield "0 objects"
    for stack, members in itertools.groupby(found, lambda row: row.stack):
        those = list(members)
        if not as_json:
            yield f"{stack}: {len(those)} objects"
        for row in those:
            fields = {"world": stack, "type": row.token, "region": row.region, "id": row.id, "urn": row.urn}
            yield json.dumps(fields) if as_json else f"  {row.token:56s} {row.region:12s} {row.id}"


def _find(rows: list[Row], text: str) -> Row:
    found = [row for row in rows if text in {row.id, row.urn, row.outputs.get("arn"), row.urn.rpartition("::")[2]}]
    if not found:
        raise RehearsalError(f"nothing in the world is called {text!r}: see `python -m rehearsal world list`")
    if len(found) > 1:
        urns = ", ".join(row.urn for row in found)
        raise RehearsalError(f"{text!r} is the name of {len(found)} objects, give one of these or --stack: {urns}")
    return found[0]


def _shown(row: Row) -> Values:
    return {
        "type": row.token,
        "id": row.id,
        "urn": row.urn,
        "inputs": _masked(row.inputs, row.secrets),
        "outputs": _masked(row.outputs, row.secrets),
    }


def _masked(value: Value, secrets: frozenset[Path], path: Path = ()) -> Value:
    if path in secrets:
        return "[secret]"
    if isinstance(value, dict):
        return {key: _masked(item, secrets, (*path, key)) for key, item in value.items()}
    if isinstance(value, list):
        return [_masked(item, secrets, (*path, at)) for at, item in enumerate(value)]
    return value


def parse(text: str) -> Path:
    """A property path as people write it. Raises RehearsalError when it is none."""
    steps: list[str | int] = []
    at = 0
    while at < len(text):
        match = _STEP.match(text, at)
        if match is None:
            raise RehearsalError(f'{text!r} is no property path: write tags.Name, ingress[0].fromPort or tags["a.b"]')
        name, index, quoted = match.groups()
        steps.append(int(index) if index else name if name else re.sub(r"\\(.)", r"\1", quoted))
        at = match.end()
    return tuple(steps)


def _value(text: str) -> Value:
    try:
        return json.loads(text)
    except ValueError:
        return text
