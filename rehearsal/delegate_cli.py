"""How does a person tell the registrar, or whoever serves the zone above, which name servers a zone has?"""

import argparse
import sys
from contextlib import closing

from rehearsal import world
from rehearsal.aws.delegation import Internet, Registrar, plain
from rehearsal.errors import RehearsalError
from rehearsal.world import World


def main(argv: list[str]) -> int:
    """`python -m rehearsal delegate`: exit code 0. Raises RehearsalError for a zone that is not there or not unique."""
    parser = argparse.ArgumentParser(prog="python -m rehearsal delegate", description=__doc__)
    parser.add_argument("zone", nargs="?", help="its name; without one, what is delegated and what is not")
    parser.add_argument("servers", nargs="*", help="name servers; by default those of the zone of this name")
    parser.add_argument("--withdraw", action="store_true", help="nothing leads to the zone any more")
    options = parser.parse_args(argv)
    with closing(World(world.folder())) as cloud:
        internet, registrar = Internet.of(cloud), Registrar(world.folder())
        if options.zone is None:
            for zone in internet.zones():
                line = internet.undelegated(zone) or f"zone {plain(zone.outputs['name'])} ({zone.id}) is delegated"
                sys.stdout.write(f"{line}\n")
            return 0
        servers = [] if options.withdraw else options.servers or _servers(internet, options.zone)
        registrar.tell(options.zone, servers)
    sys.stdout.write(f"{options.zone}: {', '.join(servers) if servers else 'nothing leads to it any more'}\n")
    return 0


def _servers(internet: Internet, name: str) -> list[str]:
    """The name servers of the only zone of this name."""
    found = [zone for zone in internet.zones() if plain(zone.outputs.get("name")) == plain(name)]
    if len(found) != 1:
        there = ", ".join(zone.id for zone in found) or "none"
        raise RehearsalError(f"zone {name}: one public zone of this name is needed, there is {there}: name its servers")
    return list(found[0].outputs["nameServers"])
