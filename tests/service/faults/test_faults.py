"""What do clients see when the database dies, the cache dies, or a process is replaced, under load?

A real process of the service, a real MariaDB and Redis, eight connections that never pause. Seconds are printed.
"""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "tests/service"), str(ROOT / "benchmarks")]

import servers  # type: ignore[import-not-found]  # noqa: E402
from service_http import KEY, environment, mix, seed  # type: ignore[import-not-found]  # noqa: E402
from service_load import Load, Outcome  # type: ignore[import-not-found]  # noqa: E402

CONNECTIONS = 8
STEP = 150  # answers between the steps of a test


class Service:
    """One process of the API."""

    def __init__(self, env: dict[str, str]) -> None:
        self.port = servers.free_port()
        command = [sys.executable, "-m", "service", "api", "--port", str(self.port)]
        command += ["--metrics-port", str(servers.free_port())]
        self.child = subprocess.Popen(command, env=os.environ | env, cwd=ROOT)

    def get(self, path: str, token: str = "") -> tuple[int, dict[str, Any]]:
        """Status and JSON of an answer; 0 when there is none."""
        asked = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", headers={"authorization": token})
        try:
            with urllib.request.urlopen(asked, timeout=5) as answer:  # noqa: S310 (our own address)
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)
        except OSError:
            return 0, {}

    def ready(self) -> bool:
        return self.get("/readyz")[0] == 200


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("faults")
    with servers.running() as (database, cache):
        url = f"{database.admit()}/faults"
        with database.connect() as connection, connection.cursor() as cursor:
            cursor.execute("CREATE DATABASE faults")
        rows, _ = seed(url)
        env = environment(url, cache.url(), folder)
        env["TECNOCURSOS_DATABASE__POOL_TIMEOUT"] = "60"  # a busy test machine restarts a server slowly
        env["TECNOCURSOS_DRAIN_SECONDS"] = "3"
        assert KEY in env["TECNOCURSOS_SECURITY__TOKEN_KEYS"]
        yield database, cache, rows, env


@contextmanager
def serving(env: dict[str, str], number: int = 1) -> Iterator[list[Service]]:
    with ExitStack() as stack:
        made = [Service(env) for _ in range(number)]
        for service in made:
            stack.callback(service.child.wait, 60)
            stack.callback(service.child.kill)
        deadline = time.monotonic() + 120
        while not all(service.ready() for service in made):
            assert time.monotonic() < deadline and all(service.child.poll() is None for service in made)
            time.sleep(0.1)
        yield made


async def under_load(load: Load, *steps: Callable[[], Any]) -> Outcome:
    """Run the steps one after another, each after `STEP` more answers; then stop."""
    task = asyncio.create_task(load.run(300))
    for step in (*steps, lambda: None):
        seen = load.outcome.answered
        deadline = time.monotonic() + 120
        while load.outcome.answered < seen + STEP:
            assert time.monotonic() < deadline, f"no more answers: {load.outcome.statuses} {load.outcome.failures}"
            await asyncio.sleep(0.01)
        await asyncio.to_thread(step)
    load.stopped = True
    return await task


def bad(outcome: Outcome) -> int:
    """Answers that are not a success, and requests without an answer."""
    return outcome.answered - outcome.statuses["200"] - outcome.statuses["201"] + sum(outcome.failures.values())


def test_when_the_database_is_killed_only_requests_under_way_fail(estate: Any) -> None:
    database, _, rows, env = estate
    moments: dict[str, float] = {}

    def kill() -> None:
        moments["killed"] = time.perf_counter()
        database.stop(signal.SIGKILL)
        database.start()
        moments["back"] = time.perf_counter()

    with serving(env) as (service,):
        load = Load(lambda: ("127.0.0.1", service.port), mix(rows), CONNECTIONS)
        outcome = asyncio.run(under_load(load, kill, lambda: None))
        assert service.child.poll() is None, "recovery without a restart of the service"
    failed, down = bad(outcome), moments["back"] - moments["killed"]
    last = max((moment - moments["killed"] for moment in outcome.failed_at), default=0.0)
    print(
        f"\ndatabase killed: away {down:.2f} s, {failed} of {outcome.answered} requests failed, the last "
        f"{last:.2f} s after the kill; longest answer {outcome.percentile(1) / 1000:.2f} s"
    )
    assert failed <= CONNECTIONS, outcome.statuses
    assert outcome.failures == {}, "the service answers, also when it cannot"


def test_when_the_cache_is_killed_no_request_fails(estate: Any) -> None:
    _, cache, rows, env = estate
    moments: dict[str, float] = {}

    def kill() -> None:
        moments["killed"] = time.perf_counter()
        cache.stop(signal.SIGKILL)

    def start() -> None:
        cache.start()
        moments["back"] = time.perf_counter()

    with serving(env) as (service,):
        load = Load(lambda: ("127.0.0.1", service.port), mix(rows), CONNECTIONS)
        outcome = asyncio.run(under_load(load, kill, start, lambda: None))
    print(
        f"\ncache killed: away {moments['back'] - moments['killed']:.2f} s, {bad(outcome)} of {outcome.answered} "
        f"requests failed; longest answer {outcome.percentile(1) / 1000:.2f} s"
    )
    assert bad(outcome) == 0, (outcome.statuses, outcome.failures)


def test_when_a_process_is_replaced_no_request_fails(estate: Any) -> None:
    """The client does what a load balancer does: it sends new connections where `/readyz` says ready."""
    *_, rows, env = estate
    moments: dict[str, float] = {}
    with serving(env, 2) as (old, new):
        target = [old]

        async def balance() -> None:
            while True:
                target[0] = old if await asyncio.to_thread(old.ready) else new
                await asyncio.sleep(0.2)

        def term() -> None:
            moments["term"] = time.perf_counter()
            old.child.send_signal(signal.SIGTERM)

        def gone() -> None:
            assert old.child.wait(60) in {0, -signal.SIGTERM}
            moments["gone"] = time.perf_counter()

        async def run() -> Outcome:
            watcher = asyncio.create_task(balance())
            load = Load(lambda: ("127.0.0.1", target[0].port), mix(rows), CONNECTIONS)
            outcome = await under_load(load, term, gone)
            watcher.cancel()
            return outcome

        outcome = asyncio.run(run())
    print(
        f"\nprocess replaced: gone {moments['gone'] - moments['term']:.2f} s after SIGTERM, {bad(outcome)} of "
        f"{outcome.answered} requests failed; longest answer {outcome.percentile(1) / 1000:.2f} s"
    )
    assert bad(outcome) == 0, (outcome.statuses, outcome.failures)


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("how", ["hangs", "gone"])
def test_a_database_in_trouble_does_not_empty_the_front_door(estate: Any, how: str) -> None:
    """Every process stays ready and serves what needs no database; one that never saw it gets no traffic."""
    database, _, rows, env = estate
    token = f"Bearer {rows[0][0]}"
    with serving(env) as (service,):
        until(lambda: service.get("/api/v1/projects", token)[0] == 200)  # and the page is kept
        if how == "hangs":
            database.child.send_signal(signal.SIGSTOP)
        else:
            database.stop(signal.SIGKILL)
        try:
            until(lambda: service.get("/readyz") == (200, {"status": "without its database", **HEALTH}))
            for _ in range(5):
                began = time.monotonic()
                assert service.get("/readyz")[0] == service.get("/version")[0] == 200
                assert service.get("/api/v1/projects", token)[0] == 200
                assert time.monotonic() - began < 3, "a kubelet waits three seconds for each"
            newcomer = Service(
                env | {"TECNOCURSOS_DATABASE__POOL_TIMEOUT": "1", "TECNOCURSOS_DATABASE__ANSWER_TIMEOUT": "2"}
            )
            try:
                until(lambda: newcomer.get("/readyz") == (503, {"status": "starting", **HEALTH}))
                database.child.send_signal(signal.SIGCONT) if how == "hangs" else database.start()
                until(lambda: newcomer.ready() and service.get("/readyz")[1]["status"] == "ready")
                assert service.get(f"/api/v1/projects/{rows[0][1]}", token)[0] == 200
            finally:
                newcomer.child.kill()
                newcomer.child.wait(60)
        finally:
            if database.child is None:
                database.start()
            database.child.send_signal(signal.SIGCONT)


HEALTH = {"database": False, "cache": True}


def test_a_request_that_still_runs_when_the_drain_ends_is_served(estate: Any) -> None:
    *_, rows, env = estate
    body = b'{"title":"Asked for before the end"}'
    head = f"POST /api/v1/projects HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {rows[0][0]}\r\n"
    head += f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    with serving(env | {"TECNOCURSOS_DRAIN_SECONDS": "0.5"}) as (service,):
        with socket.create_connection(("127.0.0.1", service.port), timeout=60) as client:
            client.sendall(head.encode() + body[:10])
            until(lambda: service.get("/version")[0] == 200)
            service.child.send_signal(signal.SIGTERM)
            until(lambda: service.get("/version")[0] == 0)  # nobody new is taken: the drain has ended
            client.sendall(body[10:])
            assert client.recv(100).startswith(b"HTTP/1.1 201 ")
        assert service.child.wait(60) in {0, -signal.SIGTERM}
