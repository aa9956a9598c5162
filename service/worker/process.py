"""How does a worker live? As a process of its own, or as threads beside the API in `serve`."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from prometheus_client import start_http_server

from service.settings import Settings
from service.telemetry import logs, traces
from service.telemetry.metrics import Metrics
from service.worker.broker import WAKE, celery
from service.worker.runner import Runner

_GOODBYE = 3.0  # seconds for the connection to the broker: a message that gets lost there is harmless


def work(settings: Settings, host: str, metrics_port: int | None) -> None:
    """Work until SIGTERM or SIGINT; the video at hand is finished first, a second signal ends at once."""
    asked = first_signal()
    metrics = Metrics()
    logs.configure(settings.logs, logs.open_sink(settings.logs))
    traces.install(settings)
    if metrics_port is not None:
        start_http_server(metrics_port, host, registry=metrics.registry)
    with beside(settings, metrics):
        asked.wait()


def first_signal() -> threading.Event:
    """Set by the first SIGTERM or SIGINT, instead of ending the process; a second one of its kind ends it."""
    asked = threading.Event()

    def ask(number: int, _: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)
        asked.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask)
    return asked


@contextmanager
def beside(settings: Settings, metrics: Metrics) -> Iterator[None]:
    """A worker in threads of this process while the block runs, woken through the broker."""
    from celery.worker import WorkController, state  # noqa: PLC0415

    runner = Runner(settings, metrics)
    app = celery(settings)
    app.task(name=WAKE, ignore_result=True)(runner.wake)
    runner.start()
    controller: Any = WorkController(
        app=app,
        pool="solo",
        concurrency=1,
        loglevel="WARNING",
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
    )
    listener = threading.Thread(target=controller.start, name="listener", daemon=True)
    listener.start()
    try:
        yield
    finally:
        runner.stop()
        state.should_stop = 0
        listener.join(_GOODBYE)
        state.should_stop = None
