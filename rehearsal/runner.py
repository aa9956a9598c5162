"""Where does the deployer stand: at an address of the internet, or inside a network? An API server asks.

REHEARSAL_RUNNER says it, else `python -m rehearsal runner ADDRESS`, which keeps it beside the worlds; without a word it
is some address of the internet.
"""

import argparse
import ipaddress
import os
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from rehearsal import world
from rehearsal.aws.api_server import Runner, refusal
from rehearsal.errors import RehearsalError
from rehearsal.files import replace_text
from rehearsal.world import World

SOMEWHERE = "203.0.113.10"
"""An address of the range that documentation uses for the internet (RFC 5737)."""
_CLUSTER = "aws:eks/cluster:Cluster"


def file(worlds: Path) -> Path:
    """Where a person's choice is kept."""
    return worlds / "runner"


def chosen(ambient: Mapping[str, str], worlds: Path) -> str | None:
    """The place as a person wrote it; None where nobody did."""
    kept = file(worlds)
    return ambient.get("REHEARSAL_RUNNER") or (kept.read_text().strip() if kept.exists() else None)


def current() -> Runner:
    """The deployer's place. Raises RehearsalError when what a person wrote is no address."""
    return parse(chosen(os.environ, world.folder()) or SOMEWHERE, "REHEARSAL_RUNNER")


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
    sys.stdout.write(f"the runner stands at {runner}\n")
    silent = False
    with closing(World(world.folder())) as cloud:
        for cluster in cloud.rows(_CLUSTER):
            reason = refusal(cluster, runner, cloud)
            silent |= reason is not None
            sys.stdout.write(f"cluster {cluster.id}: {reason or 'answers it'}\n")
    return int(silent)
