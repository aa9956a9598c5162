"""What does a request cost, against a plain implementation, under a login flood, and where does the rest go?

Real MariaDB and Redis, two worker processes, 32 connections, 60 % lists, 30 % single reads, 10 % creations, all on this
machine. CPU per request is the figure that neighbours disturb least; requests per second are compared within one run.
"""

import argparse
import asyncio
import cProfile
import os
import pstats
import random
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy
import uvloop
from fastapi import FastAPI

from service.app import create
from service.data.columns import new
from service.data.migrations.run import upgrade
from service.http.server import collect_less
from service.projects.models import Project
from service.security.passwords import Passwords
from service.security.permissions import Role
from service.security.tokens import Tokens
from service.settings import Settings
from service.telemetry.metrics import Metrics
from service.users.models import User

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests/service"), str(ROOT / "benchmarks")]

from servers import MariaDB, Redis, free_port, running  # type: ignore[import-not-found]  # noqa: E402
from service_load import Load, Next, Outcome, request  # type: ignore[import-not-found]  # noqa: E402

TICKS = os.sysconf("SC_CLK_TCK")
KEY = "benchmark-key-benchmark-key-0123456789"
USERS, PROJECTS, CONNECTIONS = 200, 50, 32
PASSWORD = "benchmark password"  # noqa: S105
PREFIX = "TECNOCURSOS_"


def cpu(*processes: int) -> float:
    """Seconds of CPU that processes have used."""
    total = 0
    for process in processes:
        fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def family(process: int) -> list[int]:
    """A process and its descendants."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return [process, *(pid for child in children for pid in family(int(child)))]


def environment(database: str, cache: str, folder: Path) -> dict[str, str]:
    """The service as it runs in production, with limits out of the way."""
    return {
        f"{PREFIX}DATABASE__URL": database,
        f"{PREFIX}DATABASE__POOL_SIZE": "20",
        f"{PREFIX}CACHE__URL": cache,
        f"{PREFIX}SECURITY__TOKEN_KEYS": f'["{KEY}"]',
        f"{PREFIX}SECURITY__RATE_FACTOR": "1000000",
        f"{PREFIX}SECURITY__TIGHTEN_ABOVE": "100000",
        f"{PREFIX}MEDIA__FOLDER": str(folder / "media"),
        f"{PREFIX}LOGS__SINK": "file",
        f"{PREFIX}LOGS__FILE": str(folder / "log"),
        f"{PREFIX}DRAIN_SECONDS": "0",
    }


def seed(database: str) -> tuple[list[tuple[str, str]], str]:
    """Users with courses; (token, a course of theirs) for each, and the email of one who can log in."""

    settings = Settings(database={"url": database}, security={"token_keys": [KEY]})  # type: ignore[arg-type]
    upgrade(settings)
    digest = asyncio.run(Passwords(1, Metrics()).hash(PASSWORD))
    tokens, people, courses, rows = Tokens(settings), [], [], []
    for number in range(USERS):
        user = User(email=f"user{number}@example.com", name="User", password_hash=digest)
        people.append(user.model_dump())
        made = [Project(owner_id=user.id, title=f"Course {n}", description="About " * 10) for n in range(PROJECTS)]
        courses += [project.model_dump() for project in made]
        rows.append((tokens.issue(user.id, Role.CREATOR, new())[0], made[0].id))
    engine = sqlalchemy.create_engine(database.replace("asyncmy", "pymysql"))
    with engine.begin() as connection:
        connection.execute(sqlalchemy.insert(User), people)
        connection.execute(sqlalchemy.insert(Project), courses)
    engine.dispose()
    return rows, "user0@example.com"


def mix(rows: list[tuple[str, str]]) -> Next:
    """60 % lists, 30 % single reads, 10 % creations by random users."""
    body = b'{"title":"New course","description":"A short description"}'
    lists = [("list", request("GET", "/api/v1/projects", token)) for token, _ in rows]
    reads = [("read", request("GET", f"/api/v1/projects/{course}", token)) for token, course in rows]
    creations = [("create", request("POST", "/api/v1/projects", token, body)) for token, _ in rows]

    def choose(dice: random.Random) -> tuple[str, bytes]:
        number, kind = int(dice.random() * len(rows)), dice.random()
        return lists[number] if kind < 0.6 else reads[number] if kind < 0.9 else creations[number]

    return choose


@contextmanager
def served(command: list[str], env: dict[str, str], port: int, copies: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Processes that answer on the port."""
    started = [
        subprocess.Popen(command, env=os.environ | env, cwd=ROOT, stdout=subprocess.DEVNULL) for _ in range(copies)
    ]
    try:
        for _ in range(copies):
            wait(port)
        yield started
    finally:
        for process in started:
            process.send_signal(signal.SIGINT)
        for process in started:
            process.wait(30)


def wait(port: int) -> None:
    """Until the port answers."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/livez", timeout=5).close()
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.02)
    raise TimeoutError(f"nothing answers on port {port}")


def run(port: int, choose: Next, seconds: float, connections: int = CONNECTIONS) -> Outcome:
    return uvloop.run(Load(lambda: ("127.0.0.1", port), choose, connections).run(seconds))


def measure(
    name: str, port: int, processes: list[int], *, database: MariaDB, cache: Redis, choose: Next, seconds: float
) -> dict[str, float]:
    """One round; prints a line and returns its figures."""
    run(port, choose, 1.0)
    others = (database.child.pid, cache.child.pid)
    before = cpu(*processes), cpu(others[0]), cpu(others[1]), cpu(os.getpid())
    outcome = run(port, choose, seconds)
    after = cpu(*processes), cpu(others[0]), cpu(others[1]), cpu(os.getpid())
    app, db, redis, client = ((b - a) / outcome.answered * 1000 for a, b in zip(before, after, strict=True))
    bad = outcome.answered - outcome.statuses["200"] - outcome.statuses["201"] + sum(outcome.failures.values())
    figures = {"rps": outcome.answered / outcome.seconds, "cpu": app, "p95": outcome.percentile(0.95)}
    print(
        f"  {name:10s} {figures['rps']:6.0f} requests/s   P50 {outcome.percentile(0.5):.1f}   P95 {figures['p95']:.1f}"
        f"   P99 {outcome.percentile(0.99):.1f} ms   CPU per request {app:.3f} ms "
        f"(database {db:.3f}, cache {redis:.3f}, client {client:.3f})   failed {bad}",
        flush=True,
    )
    return figures


def logins(email: str) -> Next:
    body = f'{{"email":"{email}","password":"{PASSWORD}"}}'.encode()
    return lambda _: ("login", request("POST", "/api/v1/sessions", body=body))


def flood(port: int, choose: Next, email: str, seconds: float) -> None:
    """The mix alone and beside 16 connections that do nothing but log in."""

    async def both() -> tuple[Outcome, Outcome]:
        here = lambda: ("127.0.0.1", port)  # noqa: E731
        return await asyncio.gather(  # type: ignore[return-value]
            Load(here, choose, 16).run(seconds), Load(here, logins(email), 16).run(seconds)
        )

    alone = run(port, choose, seconds, 16)
    beside, flooding = uvloop.run(both())
    print(
        f"  alone {alone.answered / alone.seconds:.0f} requests/s, P95 {alone.percentile(0.95):.1f} ms; "
        f"beside the flood {beside.answered / beside.seconds:.0f} requests/s, P95 {beside.percentile(0.95):.1f} ms; "
        f"logins: {flooding.statuses['201'] / flooding.seconds:.1f}/s done, {flooding.statuses['503']} sent away"
    )


async def in_process(env: dict[str, str], rows: list[tuple[str, str]], number: int) -> None:
    """CPU of the edge alone, and the profile of the mix, measured inside one process."""
    os.environ.update(env)

    app = create()
    bare = FastAPI(openapi_url=None)

    @bare.get("/api/v1/catalogue")
    async def answer() -> dict[str, str]:
        return {"status": "ok"}

    stack: Any = app.build_middleware_stack()
    layers: Any = stack
    while type(layers.app).__name__ != "Gate":
        layers = layers.app
    layers.app.app = bare  # the whole edge over the smallest endpoint
    collect_less()
    with_edge = await _cost(stack, rows[0][0], number)
    without = await _cost(bare, rows[0][0], number)
    print(f"  whole edge {with_edge - without:.3f} ms of CPU per request ({with_edge:.3f} with, {without:.3f} without)")
    full, profile = create(), cProfile.Profile()
    await mixed(full, rows, number // 4, random.Random(1))  # noqa: S311
    profile.enable()
    await mixed(full, rows, number, random.Random(1))  # noqa: S311
    profile.disable()
    by_package: Counter[str] = Counter()
    for (file, _, function), (_, _, own, _, _) in pstats.Stats(profile).stats.items():  # type: ignore[attr-defined]
        by_package[_package(file, function)] += own
    total = sum(by_package.values())
    shares = ", ".join(f"{name} {own / total:.0%}" for name, own in by_package.most_common(12))
    print(f"  profile of the mix by own time: {shares}")
    await full.state.runtime.close()
    await app.state.runtime.close()


def _package(file: str, function: str) -> str:
    if "site-packages/" in file:
        return file.split("site-packages/")[1].split("/", maxsplit=1)[0]
    if f"{ROOT}/service" in file:
        return "service"
    if file == "~":
        for word in ("asyncmy", "uvloop", "hiredis", "pydantic", "orjson", "zlib", "select", "greenlet"):
            if word in function:
                return word
        return "built in"
    return "standard library"


async def _call(app: Any, method: str, path: str, token: str, body: bytes = b"") -> None:
    headers = [(b"host", b"x"), (b"authorization", f"Bearer {token}".encode()), (b"content-type", b"application/json")]
    scope = {
        **{"type": "http", "asgi": {"version": "3.0"}, "method": method, "path": path, "raw_path": path.encode()},
        **{"query_string": b"", "root_path": "", "scheme": "http", "http_version": "1.1", "headers": headers},
        **{"server": ("x", 80), "client": ("127.0.0.1", 1), "state": {}},
    }

    async def receive() -> Any:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(_: Any) -> None:
        return None

    await app(scope, receive, send)


async def _cost(app: Any, token: str, number: int) -> float:
    """CPU milliseconds of one request, with 16 under way at any time as under load; the least disturbed of five rounds.

    One after another would measure how this machine wakes an idle core for every packet to the cache.
    """

    async def some(calls: int) -> None:
        for _ in range(calls):
            await _call(app, "GET", "/api/v1/catalogue", token)

    best = float("inf")
    for _ in range(6):
        started = time.process_time()
        await asyncio.gather(*(some(number // 80) for _ in range(16)))
        best = min(best, (time.process_time() - started) / (number // 80 * 16))
    return best * 1000


async def mixed(app: Any, rows: list[tuple[str, str]], number: int, dice: random.Random) -> None:
    """Requests one after another: 60 % lists, 30 % single reads, 10 % creations."""
    for _ in range(number):
        (token, course), kind = dice.choice(rows), dice.random()
        if kind < 0.6:
            await _call(app, "GET", "/api/v1/projects", token)
        elif kind < 0.9:
            await _call(app, "GET", f"/api/v1/projects/{course}", token)
        else:
            await _call(app, "POST", "/api/v1/projects", token, b'{"title":"New course"}')


def start_time(env: dict[str, str]) -> tuple[float, float]:
    """Seconds from the command to the first answer, and seconds of CPU among them."""
    port = free_port()
    started = time.monotonic()
    command = [*API, "--port", str(port), "--metrics-port", str(free_port())]
    with served(command, env, port, 1) as processes:
        return time.monotonic() - started, cpu(processes[0].pid)


API = [sys.executable, "-m", "service", "api", "--share-port"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=8, help="per round (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=2, help="of both, in turns (default: %(default)s)")
    options = parser.parse_args()
    print("==> private MariaDB and Redis, 200 users with 50 courses each", flush=True)
    with running() as (database, cache), tempfile.TemporaryDirectory() as name:
        url = f"{database.admit()}/bench"
        with database.connect() as connection, connection.cursor() as cursor:
            cursor.execute("CREATE DATABASE bench")
        rows, email = seed(url)
        env = environment(url, cache.url(), Path(name))
        plain_env = {"PLAIN_DATABASE": url, "PLAIN_CACHE": cache.url("admin"), "PLAIN_KEY": KEY}
        seconds, processor = min(start_time(env) for _ in range(3))
        print(f"==> start to first answer: {seconds:.2f} s, {processor:.2f} s of them CPU", flush=True)
        ours, plain = free_port(), free_port()
        api = [*API, "--port", str(ours)]
        other = [sys.executable, "-m", "uvicorn", "--app-dir", "benchmarks", "service_plain:app", "--no-access-log"]
        other += ["--workers", "2", "--port", str(plain), "--log-level", "warning"]
        print(f"==> 60 % lists, 30 % reads, 10 % creations; 2 workers, {CONNECTIONS} connections", flush=True)
        results: dict[str, list[dict[str, float]]] = {"service": [], "plain": []}
        with (
            served([*api, "--metrics-port", str(free_port())], env, ours, 1) as one,
            served([*api, "--metrics-port", str(free_port())], env, ours, 1) as two,
            served(other, plain_env, plain, 1) as theirs,
        ):
            pids = {"service": [one[0].pid, two[0].pid], "plain": family(theirs[0].pid)}
            for _ in range(options.rounds):
                for kind, port in (("service", ours), ("plain", plain)):
                    choose = mix(rows)
                    figures = measure(
                        kind, port, pids[kind], database=database, cache=cache, choose=choose, seconds=options.seconds
                    )
                    results[kind].append(figures)
            least = {kind: min(f["cpu"] for f in found) for kind, found in results.items()}
            ratios = [a["rps"] / b["rps"] for a, b in zip(results["service"], results["plain"], strict=True)]
            print(
                f"==> at least {min(ratios):.1f} times the requests per second in every round, "
                f"{least['plain'] / least['service']:.1f} times less CPU ({least['service']:.2f} ms against "
                f"{least['plain']:.2f} ms per request)"
            )
            print("==> a login flood", flush=True)
            flood(ours, mix(rows), email, options.seconds)
        print("==> in one process", flush=True)
        uvloop.run(in_process(env, rows, 5000))


if __name__ == "__main__":
    main()
