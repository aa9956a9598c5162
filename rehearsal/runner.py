"""Where does the deployer stand: at an address of the internet, or inside a network? An API server asks.

REHEARSAL_RUNNER says it, else `python -m rehearsal runner ADDRESS`, which keeps it beside the worlds.
"""

import argparse
import ipaddress
import os
import sys
from contextlib import closing
from pathlib import Path

from rehearsal import world
from rehearsal.aws.api_server import Runner, refusal
from rehearsal.errors import RehearsalError
from rehearsal.files import replace_text
from rehearsal.world import World

_CLUSTER = "aws:eks/cluster:Cluster"


def file(worlds: Path) -> Path:
    """Where a person's choice is kept."""
    return worlds / "runner"


def current() -> Runner | None:
    """The deployer's place; None where nobody said it. Raises RehearsalError when that is no address."""
    named = os.environ.get("REHEARSAL_RUNNER")
    kept = file(world.folder())
    if named:
        return parse(named, "REHEARSAL_RUNNER")
    return parse(kept.read_text().strip(), str(kept)) if kept.exists() else None


def parse(text: str, source: str) -> Runner:
    """A place as people write it: an address, or a range of which the first host is meant.

    Raises RehearsalError that names the source.
    """
    try:
        place = ipaddress.ip_interface(text)
    except ValueError:
        says = f"{source} is {text!r}: an address is needed, such as 203.0.113.10, or the subnet of a network"
        raise RehearsalError(says) from None
    network = place.network
    is_range = "/" in text and place.ip == network.network_address and network.num_addresses > 1
    return Runner(place.ip + 1 if is_range else place.ip)


def main(argv: list[str]) -> int:
    """`python -m rehearsal runner`: exit code 0; 1 when a cluster of the world does not answer it."""
    parser = argparse.ArgumentParser(prog="python -m rehearsal runner", description=__doc__)
    parser.add_argument("address", nargs="?", help="stand here from now on")
    options = parser.parse_args(argv)
    if options.address:
        parse(options.address, "ADDRESS")
        replace_text(file(world.folder()), f"{options.address}\n")
    runner = current()
    if runner is None:
        sys.stdout.write("nobody said where the runner stands: every API server answers it\n")
        return 0
    sys.stdout.write(f"the runner stands at {runner}\n")
    silent = False
    with closing(World(world.folder())) as cloud:
        for cluster in cloud.rows(_CLUSTER):
            reason = refusal(cluster, runner, cloud)
            silent |= reason is not None
            sys.stdout.write(f"cluster {cluster.id}: {reason or 'answers it'}\n")
    return int(silent)
