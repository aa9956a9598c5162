"""How much does the service carry? `python -m loadtests --help`."""

import argparse
import contextlib
import signal
import sys
from pathlib import Path

from loadtests import command, plans


def main(arguments: list[str] | None = None) -> int:
    """Run one command: 0 when every threshold holds, 1 when one is broken, 2 when it was refused, 130 after Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m loadtests", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="load a service and judge it; without a target: one of its own")
    run.add_argument("--profile", default="smoke", help=f"{', '.join(plans.names())} (default: %(default)s)")
    run.add_argument("--target", default="", help="URL of a service that runs already, on loopback or in targets.yaml")
    run.add_argument("--metrics", action="append", default=[], metavar="URL", help="its /metrics pages")
    run.add_argument("--accounts-file", type=Path, help="people, from `python -m service sample`")
    run.add_argument("--rate", type=float, help="arrivals per second instead of the profile's")
    run.add_argument("--seconds", type=float, help="instead of the profile's")
    run.add_argument("--model", choices=("open", "closed"), help="closed: a user asks again after an answer")
    run.add_argument("--threshold", action="append", default=[], metavar="NAME=VALUE", help="instead of the profile's")
    run.add_argument("--processes", type=int, default=2, help="of the API it starts itself (default: %(default)s)")
    run.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of that API")
    run.add_argument("--output", type=Path, default=Path("build/load"), help="folder of reports (default: %(default)s)")
    run.add_argument("--record", action="store_true", help="write what a request cost to measured.yaml")
    page = commands.add_parser("capacity", help="write docs/capacity.md from what was measured")
    page.add_argument("--check", action="store_true", help="only compare; 1 when it is outdated")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a cancelled workflow tidies up as after Ctrl-C
    with contextlib.suppress(KeyboardInterrupt):
        return command.run(options) if options.command == "run" else command.capacity(options)
    print("interrupted: everything that was started has ended", file=sys.stderr)
    return 130


if __name__ == "__main__":
    sys.exit(main())
