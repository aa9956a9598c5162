"""Are logs, traces, errors, gauges and the drain wired as configured?"""

import asyncio
import logging
import signal
import socket
from pathlib import Path
from typing import Any

import pytest
import structlog
import uvicorn
from fastapi import FastAPI

from service.http import server
from service.http.errors import ProblemError
from service.runtime import Runtime
from service.security.passwords import Passwords
from service.settings import LogSettings, Settings
from service.telemetry import counts, logs, traces
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


def test_an_error_tracker_is_started_without_its_costly_integrations(monkeypatch: pytest.MonkeyPatch) -> None:
    import sentry_sdk

    seen: dict[str, Any] = {}
    monkeypatch.setattr(sentry_sdk, "init", lambda url, **options: seen.update(options, url=url))
    traces.install(Settings(logs={"tracker_url": "http://key@127.0.0.1:9/1"}))
    assert seen["default_integrations"] is False and seen["send_default_pii"] is False


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


async def test_a_database_that_is_away_at_start_does_not_stop_the_process(another: Any) -> None:
    app = another(database={"url": "mysql+asyncmy://app@127.0.0.1:1/t", "pool_timeout": 0.05})
    async with app.router.lifespan_context(app):
        assert app.state.runtime.settings.database.pool_timeout == 0.05


async def test_pools_that_cannot_fit_stop_the_process(another: Any) -> None:
    database = {"url": "mysql+asyncmy://app@127.0.0.1:1/t", "connection_limit": 20}
    app = another(database=database)
    with pytest.raises(ValueError, match="pool_size"):
        async with app.router.lifespan_context(app):
            pass
