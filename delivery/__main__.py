"""Which delivery command was asked for? `python -m delivery run|...`."""

import argparse
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from delivery import engine, publish
from delivery.model import Run
from delivery.verdict import verdict


def run(options: argparse.Namespace) -> int:
    """Run the engine and write the report, also after a failure or an interruption; the engine's exit code."""
    target = engine.find(options.env, Path.cwd(), os.environ.get("CLOUD", "rehearsal"))
    env = engine.variables(target)
    flags = engine.prepare(target, env)
    started = datetime.now(UTC)
    code, seconds = engine.run(target, options.operation, env, [*flags, *options.extra])
    facts = Run(options.operation, target.project, target.environment, code, target.rehearsal, started, seconds)
    shown = publish.report_page(target, facts, env)
    said = verdict(shown)
    print(f"{said.headline}. {said.reason}\nreport: {target.report.relative_to(target.root)}")
    return code


def parse(arguments: list[str]) -> argparse.Namespace:
    """The command line; what follows `--` goes to the engine unread."""
    extra: list[str] = []
    if "--" in arguments:
        at = arguments.index("--")
        arguments, extra = arguments[:at], arguments[at + 1 :]
    parser = argparse.ArgumentParser(prog="python -m delivery", description="Run the engine; show what it did.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    runner = commands.add_parser("run", help="run the engine for one environment and write build/ENV/report.html")
    runner.add_argument("operation", choices=engine.OPERATIONS)
    runner.add_argument("--env", required=True, help="environment: stacks/Pulumi.ENV.yaml")
    runner.set_defaults(command=run)
    options = parser.parse_args(arguments)
    options.extra = extra
    return options


def main() -> int:
    """Exit code of the command; 2 with one line when it could not start."""
    options = parse(sys.argv[1:])
    try:
        return int(options.command(options))
    except engine.DeliveryError as error:
        print(f"delivery: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
