"""`python -m rehearsal image`: make or load the images that pods of `KUBERNETES=live` run."""

import argparse
import sys
from pathlib import Path

from rehearsal.live.pods.image import Registry
from rehearsal.paths import Paths


def main(argv: list[str]) -> int:
    """Prints `repository@sha256:...`. Raises RehearsalError when a recipe or layout cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m rehearsal image", description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True)
    building = actions.add_parser("build", help="from the recipe image.toml in a folder of a checkout")
    building.add_argument("folder", type=Path)
    loading = actions.add_parser("load", help="from an OCI layout with one image")
    loading.add_argument("repository")
    loading.add_argument("layout", type=Path)
    standing = actions.add_parser(
        "stand-in", help="let a small server answer probes for an image that cannot be had here"
    )
    standing.add_argument("reference", help="repository@sha256:...")
    standing.add_argument("name", help="what it is, for the report")
    standing.add_argument("--port", type=int, required=True, help="where it answers every question with 200")
    options = parser.parse_args(argv)
    registry = Registry(Paths.current().live / "images")
    if options.action == "build":
        sys.stdout.write(registry.build(options.folder.resolve()) + "\n")
    elif options.action == "load":
        sys.stdout.write(registry.load(options.repository, options.layout) + "\n")
    else:
        registry.stand_in(options.reference, options.name, options.port)
    return 0
