"""How is a course rendered without the rest of the service? `python -m service.render FILE.md`, embedded voice only."""

import argparse
import sys

from service.render.command import arguments, run
from service.render.espeak import Espeak


def main() -> int:
    """The exit code of `run`."""
    parser = argparse.ArgumentParser(prog="python -m service.render", description=__doc__)
    arguments(parser)
    return run(parser.parse_args(), [Espeak()])


if __name__ == "__main__":
    sys.exit(main())
