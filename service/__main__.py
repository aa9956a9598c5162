"""What can be done with the service from a shell? `python -m service --help`."""

import argparse
import asyncio
import gc
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import orjson
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError

from service.render import command as command_line
from service.settings import PREFIX, Settings, explain

LONGEST_LINE = 1000  # characters; Kubernetes keeps the last 2048 of a pod that failed
DEMO_EMAIL, DEMO_PASSWORD = "demo@example.com", "demo-demo-demo"


def parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    parser = argparse.ArgumentParser(prog="python -m service", description="The TecnoCursos service.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(run: Callable[[argparse.Namespace], int | None], text: str) -> argparse.ArgumentParser:
        made = commands.add_parser(run.__name__[1:].replace("_", "-"), help=text)
        made.set_defaults(run=run)
        return made

    api = add(_api, "serve the API, as configured by the environment")
    serve = add(_serve, "serve it here with embedded defaults and a demo account")
    for command in (api, serve):
        command.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
        command.add_argument("--port", type=int, default=8000, help="(default: %(default)s)")
        command.add_argument("--metrics-port", type=int, default=9000, help="port of /metrics (default: %(default)s)")
    api.add_argument("--share-port", action="store_true", help="several processes listen on one port (SO_REUSEPORT)")
    worker = add(_worker, "render the videos that are asked for")
    worker.add_argument("--host", default="127.0.0.1", help="address of /metrics (default: %(default)s)")
    worker.add_argument("--metrics-port", type=int, help="port of /metrics (default: none)")
    course = add(_course, "work with courses as Markdown files")
    rendering = course.add_subparsers(dest="verb", required=True, metavar="VERB").add_parser(
        "render", help="render an outline into a video, with the configured providers"
    )
    command_line.arguments(rendering)
    add(_migrate, "bring the database's schema up to date")
    bootstrap = add(_bootstrap_database, "create the service's database and users")
    bootstrap.add_argument("--master-user", default="admin", help="(default: %(default)s)")
    master = bootstrap.add_mutually_exclusive_group(required=True)
    master.add_argument("--master-password-file", type=Path, help="file with the password, or RDS's JSON secret")
    master.add_argument("--master-secret", metavar="ARN", help="RDS's secret in AWS Secrets Manager")
    bootstrap.add_argument(
        "--migrator", help="a user of this name may change the schema; without one the service's own user may"
    )
    add(_sweep, "forget what has expired: tokens, keys, audit trail, silent workers")
    granting = add(_grant_admin, "make somebody an administrator; they log in again")
    granting.add_argument("email", help="of an account that exists")
    sample = add(_sample, "fill a database of dev with accounts; prints their tokens (JSON)")
    sample.add_argument("--accounts", type=int, default=50, help="(default: %(default)s)")
    add(_settings, "list settings: name, kind, default, meaning")
    add(_openapi, "print the OpenAPI document")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 when it worked, 1 when it failed, 2 when it was not understood or cannot begin.

    Whatever it lacks (settings, secrets, database, cache, a port) is told in one line on standard error: that line
    becomes a pod's termination message.
    """
    options = parser().parse_args(arguments)
    try:
        return int(options.run(options) or 0)
    except ValidationError as error:
        lacks = f"settings refused: {explain(error)} (see python -m service settings)"
    except DBAPIError as error:
        code = error.orig.args[0] if error.orig is not None and error.orig.args else ""
        lacks = f"the database refused or does not answer: {type(error.orig).__name__} {code}"
    except Exception as error:  # of a library, or a defect: then it helps to know where it was raised
        last = traceback.extract_tb(error.__traceback__)[-1]
        where = "" if isinstance(error, ValueError | OSError) else f" ({last.filename}:{last.lineno})"
        lacks = f"{type(error).__name__}: {error}{where}"
    print(" ".join(lacks.split())[:LONGEST_LINE], file=sys.stderr)
    return 2


def _api(options: argparse.Namespace) -> None:
    gc.disable()  # until `serve` has everything: what is being imported is no garbage, and looking costs 0.1 s
    sys.modules["rich"] = None  # type: ignore[assignment]  # structlog would load it for consoles nobody watches: 0.15 s
    from service.app import create  # noqa: PLC0415
    from service.http.server import serve  # noqa: PLC0415

    serve(create(Settings()), options.host, options.port, options.metrics_port, share_port=options.share_port)


def _worker(options: argparse.Namespace) -> None:
    from service.worker.parts import Parts  # noqa: PLC0415
    from service.worker.process import work  # noqa: PLC0415

    work(Parts(Settings()), options.host, options.metrics_port)


def _course(options: argparse.Namespace) -> int:
    from service.ai.base import Unmetered  # noqa: PLC0415
    from service.ai.registry import build  # noqa: PLC0415

    providers = build(Settings().ai, Unmetered())
    try:
        return command_line.run(options, providers.narrators, providers.write)
    finally:
        providers.close()


def _serve(options: argparse.Namespace) -> None:
    if os.environ.get(f"{PREFIX}ENVIRONMENT", "dev") != "dev":
        raise ValueError("serve has a demo account and is for dev only: use api")
    started = time.monotonic()
    Path(".service").mkdir(exist_ok=True)
    os.environ.setdefault(f"{PREFIX}LOGS__SINK", "file")
    from service.app import create  # noqa: PLC0415
    from service.data.migrations.run import upgrade  # noqa: PLC0415
    from service.http.server import serve  # noqa: PLC0415
    from service.worker.process import beside  # noqa: PLC0415

    settings = Settings()
    upgrade(settings)
    app = create(settings)
    asyncio.run(_demo_account(settings))
    url = f"http://{options.host}:{options.port}"
    print(f"TecnoCursos on {url} (ready in {time.monotonic() - started:.1f} s), documentation on {url}/docs")
    print(f"Demo account: {DEMO_EMAIL} / {DEMO_PASSWORD}; logs: {settings.logs.file}; Ctrl-C stops. Try:\n")
    login = f'{{"email":"{DEMO_EMAIL}","password":"{DEMO_PASSWORD}"}}'
    json = "-H content-type:application/json"
    print(f"  TOKEN=$(curl -s {url}/api/v1/sessions {json} -d '{login}' | sed 's/.*access_token\":\"//;s/\".*//')")
    print(f'  curl {url}/api/v1/projects -H "authorization: Bearer $TOKEN" {json} -d \'{{"title":"Olá"}}\'')
    print(f'  curl {url}/api/v1/projects -H "authorization: Bearer $TOKEN"\n', flush=True)
    for number in (signal.SIGTERM, signal.SIGINT):
        # uvicorn sends itself again the signal that stopped it: the video at hand must outlive that, but no second one.
        signal.signal(number, lambda number, _: signal.signal(number, signal.SIG_DFL))
    with beside(settings, app.state.runtime.metrics):
        serve(app, options.host, options.port, options.metrics_port)


async def _demo_account(settings: Settings) -> None:
    from sqlmodel import col, select  # noqa: PLC0415

    from service.runtime import Runtime  # noqa: PLC0415
    from service.telemetry.metrics import Metrics  # noqa: PLC0415
    from service.users.models import User  # noqa: PLC0415

    runtime = Runtime(settings, Metrics())
    async with runtime.database.transaction() as session:
        if (await session.exec(select(User).where(col(User.email) == DEMO_EMAIL))).first() is None:
            digest = await runtime.passwords.hash(DEMO_PASSWORD)
            session.add(User(email=DEMO_EMAIL, name="Demo", password_hash=digest))
    await runtime.close()


def _migrate(_: argparse.Namespace) -> None:
    from service.data.migrations.run import upgrade  # noqa: PLC0415

    started = time.monotonic()
    upgrade(Settings())
    print(f"the schema is up to date ({time.monotonic() - started:.1f} s)")


def _bootstrap_database(options: argparse.Namespace) -> None:
    from service.data.bootstrap import run  # noqa: PLC0415
    from service.data.credentials import secret_of  # noqa: PLC0415

    settings = Settings()
    if options.master_secret:
        content = secret_of(options.master_secret, settings.region)
    else:
        content = options.master_password_file.read_text().strip()
    secret = orjson.loads(content) if content.startswith("{") else {"password": content}
    run(settings, secret.get("username", options.master_user), secret["password"], options.migrator)
    print("database and users are there")


def _sweep(_: argparse.Namespace) -> None:
    from service import sweep  # noqa: PLC0415

    for what, number in asyncio.run(sweep.everything(Settings())).items():
        print(f"{what}: {number}")


def _grant_admin(options: argparse.Namespace) -> None:
    from service.runtime import Runtime  # noqa: PLC0415
    from service.users.service import grant_administration  # noqa: PLC0415

    async def grant() -> None:
        runtime = Runtime(Settings())
        await grant_administration(runtime, options.email)
        await runtime.close()

    asyncio.run(grant())
    print("granted: they are an administrator when they log in again")


def _sample(options: argparse.Namespace) -> None:
    from service.data.sample import fill  # noqa: PLC0415

    sys.stdout.buffer.write(orjson.dumps(fill(Settings(), options.accounts)) + b"\n")


def _settings(_: argparse.Namespace) -> None:
    from service.settings_reference import rows  # noqa: PLC0415

    for name, kind, default, meaning in rows(Settings):
        print(f"{name:52s} {kind:12s} {default:30s} {meaning}")


def _openapi(_: argparse.Namespace) -> None:
    from service.app import create  # noqa: PLC0415

    sys.stdout.buffer.write(orjson.dumps(create(Settings()).openapi(), option=orjson.OPT_INDENT_2) + b"\n")


if __name__ == "__main__":
    sys.exit(main())
