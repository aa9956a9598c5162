"""How does a worker live? As a process of its own, or as a thread beside the API in `serve`."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from prometheus_client import start_http_server

from service import logs, telemetry
from service.broker import WAKE, celery
from service.metrics import Metrics
from service.settings import Settings
from service.worker.runner import Runner

_QUIET = {"without_gossip": True, "without_mingle": True, "without_heartbeat": True}


def work(settings: Settings, host: str, metrics_port: int | None) -> None:
    """Work until SIGTERM or SIGINT; the video at hand is finished first, a second signal ends at once."""
    metrics = Metrics()
    logs.configure(settings.logs, logs.open_sink(settings.logs))
    telemetry.install(settings)
    if metrics_port is not None:
        start_http_server(metrics_port, host, registry=metrics.registry)
    runner = Runner(settings, metrics)
    runner.start()
    try:
        _listener(settings, runner).Worker(pool="solo", concurrency=1, loglevel="WARNING", quiet=True, **_QUIET).start()
    finally:
        runner.stop()


@contextmanager
def beside(settings: Settings, metrics: Metrics) -> Iterator[None]:
    """A worker in threads of this process while the block runs, woken through the broker as any other."""
    from celery.worker import WorkController  # noqa: PLC0415

    runner = Runner(settings, metrics)
    runner.start()
    controller: Any = WorkController(
        app=_listener(settings, runner), pool="solo", concurrency=1, loglevel="WARNING", **_QUIET
    )
    thread = threading.Thread(target=controller.start, name="broker", daemon=True)
    thread.start()
    try:
        yield
    finally:
        controller.stop()
        runner.stop()
        thread.join(timeout=5)


def _listener(settings: Settings, runner: Runner) -> Any:
    app = celery(settings)
    app.task(name=WAKE, ignore_result=True)(runner.wake)
    return app
