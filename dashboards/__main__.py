"""What can be done with dashboards and alerts from a shell? `python -m dashboards --help`."""

import argparse
import sys
import time
from pathlib import Path

import httpx

from dashboards import expressions, generated
from dashboards.catalogue import problems
from dashboards.drawing import page
from dashboards.drawing.ask import Source
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
    draw = commands.add_parser("draw", help="draw the boards as SVG with what a Prometheus answers, without Grafana")
    draw.add_argument("folder", type=Path, help="where to write <uid>.svg")
    draw.add_argument("--prometheus", default="http://127.0.0.1:9090", metavar="URL", help="(default: %(default)s)")
    draw.add_argument("--minutes", type=float, default=60, help="until now (default: %(default)s)")
    draw.add_argument("--rate", default="2m", help="range of rates, four scrapes or more (default: %(default)s)")
    options = parser.parse_args(arguments)
    if options.command == "draw":
        return _draw(options)
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


def _draw(options: argparse.Namespace) -> int:
    now = time.time()
    source = Source(options.prometheus, now - options.minutes * 60, now, options.rate)
    try:
        for path in page.write(options.folder, source):
            print(path)
    except (httpx.TransportError, ValueError, OSError) as error:
        print(f"{options.prometheus}: {error}", file=sys.stderr)
        return 1
    return 0


def _report(lines: list[str], remedy: str = "") -> int:
    for line in lines:
        print(line)
    if lines and remedy:
        print(remedy, file=sys.stderr)
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
