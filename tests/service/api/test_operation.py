"""Are logs, traces, errors, gauges and the drain wired as configured?"""

import asyncio
import gzip
import http.server
import logging
import queue
import signal
import socket
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import brotli
import httpx
import orjson
import pytest
import structlog
import uvicorn
from fastapi import FastAPI

from service.http import server
from service.http.errors import ProblemError
from service.runtime import Runtime
from service.security.passwords import Passwords
from service.settings import LogSettings, Settings
from service.telemetry import counts, logs, traces, tracker
from service.telemetry.metrics import Metrics


def test_syslog_takes_the_same_lines(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(tmp_path / "log"))
        sink = logs.open_sink(LogSettings(sink="syslog", syslog=str(tmp_path / "log")))
        logs.AccessLog(sink).write({"event": "request", "status": 200})
        assert receiver.recv(1000).startswith(b'<14>{"event":"request","status":200}')
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        sink = logs.open_sink(LogSettings(sink="syslog", syslog=f"127.0.0.1:{receiver.getsockname()[1]}"))
        sink.write(b"line\n")
        assert receiver.recv(1000).startswith(b"<14>line")


def test_the_console_gets_one_json_line_each(capfd: pytest.CaptureFixture[str], served: FastAPI) -> None:
    settings = LogSettings(sink="console")
    sink = logs.open_sink(settings)
    logs.configure(settings, sink)
    try:
        structlog.get_logger().info("started")
        logging.getLogger("x").error("broken", exc_info=ValueError("why"))
        out = capfd.readouterr().out.splitlines()
    finally:
        runtime = served.state.runtime
        logs.configure(runtime.settings.logs, runtime.sink)
    assert len(out) == 2 and '"event":"started"' in out[0] and "ValueError: why" in out[1]


class Tracker(http.server.BaseHTTPRequestHandler):
    """Takes events as a tracker of Sentry's protocol does: a POST of an envelope, lines of JSON."""

    events: queue.SimpleQueue[dict[str, Any]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        body = {"gzip": gzip.decompress, "br": brotli.decompress, None: bytes}[self.headers["content-encoding"]](body)
        self.send_response(200)
        self.end_headers()
        _, kind, event = (orjson.loads(line) for line in body.splitlines()[:3])
        if kind["type"] == "event":
            self.events.put(event | {"path": self.path})

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def tracked(served: FastAPI) -> Iterator[tuple[str, queue.SimpleQueue[dict[str, Any]]]]:
    """The URL of a tracker, and what it was sent."""
    handler = type("Handler", (Tracker,), {"events": queue.SimpleQueue()})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as sink:
        threading.Thread(target=sink.serve_forever).start()
        yield f"http://key@127.0.0.1:{sink.server_port}/7", handler.events  # type: ignore[attr-defined]
        tracker.install(served.state.runtime.settings)
        sink.shutdown()


async def test_the_error_tracker_learns_of_a_failed_request_and_nothing_of_the_person(
    another: Any, tracked: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, events = tracked
    app = another(version="1.2.3", logs={"tracker_url": url}, database={"url": "sqlite+aiosqlite:///missing/x"})
    address = ".".join(["192", "0", "2", "77"])  # not as one text, which would be in the stack's lines of source
    typed = {"email": f"{uuid.uuid4().hex}@example.com", "password": uuid.uuid4().hex}

    async def broken(*_: Any) -> None:
        raise KeyError(typed["email"], typed["password"])

    monkeypatch.setattr(app.state.runtime.cache, "admit", broken)
    transport = httpx.ASGITransport(app, client=(address, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://service.test") as client:
        answer = await client.post(
            "/api/v1/sessions", json=typed, headers={"authorization": f"Bearer {typed['password']}"}
        )
    assert answer.status_code == 500
    event = events.get(timeout=30)
    assert event["path"] == "/api/7/envelope/"
    assert (event["release"], event["environment"], event["level"]) == ("1.2.3", "dev", "error")
    assert event["logentry"]["message"] == "unhandled"
    assert event["tags"] == {"request_id": answer.headers["x-request-id"], "kind": "KeyError"}
    (told,) = event["exception"]["values"]
    assert told["type"] == "KeyError" and told["stacktrace"]["frames"][-1]["function"] == "broken"
    text = orjson.dumps(event).decode()
    assert not [word for word in (*typed.values(), address) if word in text]


async def test_the_error_tracker_learns_of_what_libraries_and_workers_log(another: Any, tracked: Any) -> None:
    url, events = tracked
    another(logs={"tracker_url": url})
    logging.getLogger("library").error("cannot reach %s", "ana@example.com")
    assert events.get(timeout=30)["logentry"]["message"] == "cannot reach %s"
    structlog.get_logger().bind(video="v1", attempt=2).error("video given up", reason="Ana's course")
    event = events.get(timeout=30)
    assert (event["logentry"]["message"], event["tags"]) == ("video given up", {"video": "v1", "attempt": "2"})
    assert "Ana" not in str(event)
    structlog.get_logger().warning("no worker was woken")
    try:
        raise ProblemError(409, "said by the service itself")
    except ProblemError:
        structlog.get_logger().exception("last")
    event = events.get(timeout=30)
    assert event["logentry"]["message"] == "last", "warnings are not sent"
    assert event["exception"]["values"][0]["value"] == "said by the service itself"


def test_traces_go_to_the_configured_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    from opentelemetry import trace

    seen: list[Any] = []
    monkeypatch.setattr(trace, "set_tracer_provider", seen.append)
    traces.install(Settings(logs={"trace_endpoint": "http://127.0.0.1:9", "trace_ratio": 0}))
    provider = seen[0]
    assert provider.resource.attributes["service.name"] == "tecnocursos"
    assert not provider.get_tracer("t").start_span("s").is_recording()
    provider.shutdown()
    traces.install(Settings())
    assert len(seen) == 1


async def test_gauges_are_sampled_until_the_process_stops(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch, log: Any
) -> None:
    monkeypatch.setattr(counts, "GAUGES_EVERY", 0.001)
    monkeypatch.setattr(counts, "ROWS_EVERY", 1)
    calls = 0

    async def broken(_: Runtime) -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise OSError("the database is away")
        if calls == 3:
            raise asyncio.CancelledError

    monkeypatch.setattr(counts, "count_rows", broken)
    with pytest.raises(asyncio.CancelledError):
        await counts.sample(runtime)
    assert calls == 3, "one failure does not end the sampling"
    assert any(row["event"] == "rows were not counted" for row in log())


async def test_logins_wait_for_their_share_of_a_core_and_the_rest_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a hash the slot rests three times as long as the hash took (share = 1/4); the queue is short."""
    monkeypatch.setattr("service.security.passwords.MOST_WAITING", 2)
    passwords = Passwords(0.25, Metrics())
    digest = await Passwords(1, Metrics()).hash("x")
    rests: list[float] = []
    loop = asyncio.get_running_loop()
    later = loop.call_later
    monkeypatch.setattr(loop, "call_later", lambda delay, *more: (rests.append(delay), later(0, *more))[1])
    answers = await asyncio.gather(*(passwords.verify("x", digest) for _ in range(6)), return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, ProblemError)]
    assert {problem.status for problem in refused} == {503} and len(refused) == 3
    assert [answer for answer in answers if answer not in refused] == [(True, None)] * 3
    assert len(rests) == 3 and min(rests) > 3 * 0.002  # a hash of 19 MiB takes longer than two milliseconds anywhere


async def test_the_first_term_drains_and_the_second_stops(served: FastAPI, runtime: Runtime) -> None:
    made = server.Server(uvicorn.Config(served))
    made.config.loaded_app = served  # type: ignore[assignment]
    made.started = True
    runtime.settings = runtime.settings.model_copy(update={"drain_seconds": 0.01})
    made.handle_exit(signal.SIGTERM, None)
    assert runtime.draining and not made.should_exit
    for _ in range(1000):
        if made.should_exit:
            break
        await asyncio.sleep(0.01)
    assert made.should_exit
    made = server.Server(uvicorn.Config(served))
    made.config.loaded_app = served  # type: ignore[assignment]
    made.handle_exit(signal.SIGINT, None)
    assert made.should_exit


async def test_a_process_starts_and_stops_its_background(another: Any, database_url: str) -> None:
    app = another(database={"url": database_url})
    async with app.router.lifespan_context(app):
        assert len(asyncio.all_tasks()) >= 3
    assert len(asyncio.all_tasks()) == 1


async def test_a_database_that_is_away_at_start_is_waited_for(another: Any) -> None:
    app = another(database={"url": "mysql+asyncmy://app@127.0.0.1:1/t", "pool_timeout": 0.05})
    await app.state.runtime.check()


async def test_pools_that_cannot_fit_stop_the_process(another: Any) -> None:
    app = another(database={"url": "mysql+asyncmy://app@127.0.0.1:1/t", "connection_limit": 20})
    with pytest.raises(ValueError, match="pool_size"):
        await app.state.runtime.check()
