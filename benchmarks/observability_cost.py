"""What do metrics and logs cost? CPU of the same requests with them, without log lines, and without both.

Inside one process, real MariaDB and Redis, the three taking turns; the HTTP server is left out, which makes the share
look larger than it is. Log lines go to a file, as in `make serve`; in the cluster they go to standard output, a pipe.
"""

import argparse
import asyncio
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import uvloop

from service.app import create
from service.data.database import Database
from service.http import edge
from service.http.server import collect_less
from service.telemetry.metrics import Metrics

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests/service"), str(ROOT / "benchmarks")]

from servers import running  # type: ignore[import-not-found]  # noqa: E402
from service_http import environment, mixed, seed  # type: ignore[import-not-found]  # noqa: E402

AT_ONCE = 16  # requests under way, as under load


def only_metrics(self: edge.Edge, scope: Any, status: int, seconds: float) -> None:
    state = scope["state"]
    route = state.get("route") or getattr(scope.get("route"), "path", None) or "unmatched"
    self.runtime.metrics.request(scope["method"], route, status, seconds)


@contextmanager
def variant(name: str) -> Iterator[None]:
    """The service as it is, without its log line, or without log line and metrics."""
    nothing: Any = lambda *_, **__: None  # noqa: E731
    with mock.patch.object(edge.Edge, "_account", edge.Edge._account) as _:
        if name == "without logs":
            edge.Edge._account = only_metrics  # type: ignore[method-assign]
            yield
        elif name == "without both":
            edge.Edge._account = nothing  # type: ignore[method-assign]
            with (
                mock.patch.object(Database, "_measure", nothing),
                mock.patch.object(Metrics, "count", nothing),
                mock.patch.object(Metrics, "gauge", nothing),
            ):
                yield
        else:
            yield


async def cost(app: Any, rows: list[tuple[str, str]], number: int, seed_: int) -> float:
    """Milliseconds of CPU of one request: 60 % lists, 30 % single reads, 10 % creations."""
    each = number // AT_ONCE
    started = time.process_time()
    await asyncio.gather(*(mixed(app, rows, each, random.Random(seed_ * AT_ONCE + n)) for n in range(AT_ONCE)))  # noqa: S311
    return (time.process_time() - started) / (each * AT_ONCE) * 1000


async def measure(rows: list[tuple[str, str]], rounds: int, number: int) -> dict[str, float]:
    """The least disturbed round of each."""
    names = ("with both", "without logs", "without both")
    best = dict.fromkeys(names, float("inf"))
    apps = {}
    for name in names:
        with variant(name):
            apps[name] = create()
            await cost(apps[name], rows, number // 4, 99)
    collect_less()
    for turn in range(rounds):
        for name in names[turn % 3 :] + names[: turn % 3]:
            with variant(name):
                best[name] = min(best[name], await cost(apps[name], rows, number, turn))
    for app in apps.values():
        await app.state.runtime.close()
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="of each (default: %(default)s)")
    parser.add_argument("--requests", type=int, default=3000, help="per round (default: %(default)s)")
    options = parser.parse_args()
    print("==> private MariaDB and Redis, 200 users with 50 courses each", flush=True)
    with running() as (database, cache), tempfile.TemporaryDirectory() as folder:
        with database.connect() as connection, connection.cursor() as cursor:
            cursor.execute("CREATE DATABASE bench")
        url = f"{database.admit()}/bench"
        rows, _ = seed(url)
        os.environ.update(environment(url, cache.url(), Path(folder)))
        best = uvloop.run(measure(rows, options.rounds, options.requests))
    for name, ms in best.items():
        print(f"  {name:14s} {ms:.3f} ms of CPU per request", flush=True)
    full, quiet, least = best.values()
    print(
        f"==> logs {(full - quiet) / full:.1%}, metrics {(quiet - least) / full:.1%}, "
        f"both {(full - least) / full:.1%} of CPU (wanted: below 10 %)"
    )


if __name__ == "__main__":
    main()
