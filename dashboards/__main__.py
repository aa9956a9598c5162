"""What can be done with dashboards and alerts from a shell? `python -m dashboards --help`."""

import argparse
import sys

from dashboards import expressions, generated
from dashboards.catalogue import problems
from dashboards.metrics import ROOT


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 when it worked, 1 when a check failed."""
    parser = argparse.ArgumentParser(prog="python -m dashboards", description="What is watched, generated from Python.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    generate = commands.add_parser("generate", help="write dashboards/generated and docs/runbooks")
    generate.add_argument(
        "--check", action="store_true", help="write nothing; print differences, fail if there are any"
    )
    check = commands.add_parser("check", help="what is wrong with expressions in PromQL")
    check.add_argument("expression", nargs="*", help="(default: every one that is generated)")
    options = parser.parse_args(arguments)
    if options.command == "check":
        asked = [(text, text) for text in options.expression] or expressions.everything()
        return _report([f"{origin}: {problem}" for origin, text in asked for problem in problems(text)])
    if options.check:
        lines = [line for place in generated.PLACES.items() for line in generated.differences(*place)]
        return _report(lines, "what is generated is not up to date: run make dashboards")
    for place in generated.PLACES.items():
        for path in generated.write(*place):
            print(path.relative_to(ROOT))
    return 0


def _report(lines: list[str], remedy: str = "") -> int:
    for line in lines:
        print(line)
    if lines and remedy:
        print(remedy, file=sys.stderr)
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
