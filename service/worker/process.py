"""How does a worker live? As a process of its own, or in a thread beside the API in `serve`."""

import asyncio
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from prometheus_client import start_http_server

from service.settings import Settings
from service.telemetry import traces, tracker
from service.telemetry.metrics import Metrics
from service.worker.parts import Parts
from service.worker.runner import Runner


def work(parts: Parts, host: str, metrics_port: int | None) -> None:
    """Work until SIGTERM or SIGINT; the video at hand is finished first, a second signal ends at once.

    Raises what `Runtime.check` raises.
    """
    if metrics_port is not None:
        start_http_server(metrics_port, host, registry=parts.metrics.registry)
    traces.install(parts.settings)
    asyncio.run(_until_asked(parts))


async def _until_asked(parts: Parts) -> None:
    await parts.check()
    runner = Runner(parts)

    def ask(number: int) -> None:
        signal.signal(number, signal.SIG_DFL)
        runner.stop()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ask, number)
    try:
        await runner.run()
    except BaseException:
        structlog.get_logger().critical("the worker's loop died", exc_info=True)
        tracker.flush()
        os._exit(1)  # at once: a thread that renders would keep a process alive that does nothing


@contextmanager
def beside(settings: Settings, metrics: Metrics) -> Iterator[None]:
    """A worker in a thread of this process while the block runs; should it die, the process is asked to stop."""
    alone = settings.worker.model_copy(update={"heartbeat": None})
    runner = Runner(Parts(settings.model_copy(update={"worker": alone}), metrics))
    died: list[BaseException] = []

    def live() -> None:
        try:
            asyncio.run(runner.run())
        except BaseException as error:
            died.append(error)
            os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=live, name="runner")
    thread.start()
    try:
        yield
    finally:
        runner.stop()
        thread.join()
    if died:
        raise died[0]
