"""`python -m rehearsal secret`: give a secret its value, as a person does on AWS with put-secret-value."""

import argparse
import sys
from contextlib import closing

from rehearsal import world
from rehearsal.errors import RehearsalError
from rehearsal.live.stand_ins.secret_values import SecretValues
from rehearsal.paths import Paths
from rehearsal.world import World

_SECRET = "aws:secretsmanager/secret:Secret"  # noqa: S105 (a type)


def main(argv: list[str]) -> int:
    """The value comes on standard input, so that no shell keeps it. RehearsalError for an unknown name."""
    parser = argparse.ArgumentParser(prog="python -m rehearsal secret", description=__doc__)
    parser.add_argument("name", help="the secret's name; its value is read from standard input")
    parser.add_argument(
        "--ahead", action="store_true", help="for a secret that is yet to be made; one that has a value keeps it"
    )
    options = parser.parse_args(argv)
    folder = Paths.current().live
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    values = SecretValues(folder / "secrets.json")
    with closing(World(world.folder())) as cloud:
        rows = cloud.rows(_SECRET, name=options.name)
        known = ", ".join(row.outputs["name"] for row in cloud.rows(_SECRET)) or "none"
    value = sys.stdin.read().rstrip("\n")
    if options.ahead:
        if options.name not in values.all():
            values.put(options.name, value)
        return 0
    if not rows:
        raise RehearsalError(f"NAME: there is no secret {options.name!r}; there are: {known}")
    for row in rows:
        values.put(row.outputs["arn"], value)
    return 0
