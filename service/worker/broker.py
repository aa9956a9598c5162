"""How is a worker woken? By a Celery message that says only "look": what is to be done stands in the database.

So a message may be lost, doubled or late without harm: workers look by themselves every few seconds, too.
"""

import threading
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from typing import Any
from urllib.parse import quote, urlsplit

import structlog

from service.settings import Settings
from service.telemetry.metrics import Metrics

WAKE = "tecnocursos.wake"
_SECONDS = 3  # for reaching the broker
_POLL = 10  # seconds that SQS holds a question open
_MOST_WAITING = 8  # messages on their way at once; beyond them the broker is away


class Broker:
    """The sender's side."""

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self._settings, self._metrics = settings, metrics
        self._free = threading.BoundedSemaphore(_MOST_WAITING)

    @cached_property
    def _celery(self) -> Any:
        return celery(self._settings)

    async def wake(self) -> None:
        """Have a message sent, and do not wait for it: a broker that does not answer is counted, not an error."""
        if self._free.acquire(blocking=False):
            threading.Thread(target=self._send, name="waker", daemon=True).start()
        else:
            self._failed("too many wait")

    def _send(self) -> None:
        try:
            self._celery.send_task(WAKE, retry=False)
        except Exception as error:  # each transport has exceptions of its own
            self._failed(type(error).__name__)
        finally:
            self._free.release()

    def _failed(self, kind: str) -> None:
        self._metrics.count("video_wakes_failed_total")
        structlog.get_logger().warning("no worker was woken", kind=kind)


def listen(settings: Callable[[], Settings], wake: Callable[[], None], stopping: threading.Event) -> None:
    """Call `wake` for every message until told to stop; a broker that is away is tried again, with today's settings."""

    def heard(message: Any) -> None:
        message.ack()
        wake()

    while not stopping.is_set():
        try:
            app = celery(settings())
            with app.connection_for_read() as connection:
                connection.connect()  # once: without it the library would try for ever, with the same password
                with app.amqp.TaskConsumer(connection.default_channel, on_message=heard):
                    while not stopping.is_set():
                        with suppress(TimeoutError):
                            connection.drain_events(timeout=1)
        except Exception as error:
            structlog.get_logger().warning("the broker does not answer", kind=type(error).__name__)
            stopping.wait(_SECONDS)


def celery(settings: Settings) -> Any:
    """The Celery application for these settings (Celery has no type information). Importing it takes half a second."""
    from celery import Celery  # noqa: PLC0415

    app = Celery("tecnocursos", broker=_url(settings), set_as_current=False)
    app.conf.update(
        task_default_queue=settings.worker.queue,
        task_ignore_result=True,
        broker_connection_timeout=_SECONDS,
        broker_transport_options=_options(settings),
    )
    return app


def _url(settings: Settings) -> str:
    worker = settings.worker
    if worker.broker_password is None:
        return worker.broker
    parts = urlsplit(worker.broker)
    secret = quote(worker.broker_password.get_secret_value(), safe="")
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"{parts.username or ''}:{secret}@{host}").geturl()


def _options(settings: Settings) -> dict[str, Any]:
    worker = settings.worker
    if worker.broker.startswith("redis"):
        return {"socket_timeout": _SECONDS, "socket_connect_timeout": _SECONDS, "socket_keepalive": True}
    if worker.broker.startswith("sqs"):
        limits = {"connect_timeout": _SECONDS, "read_timeout": _POLL + _SECONDS, "retries": {"total_max_attempts": 1}}
        options: dict[str, Any] = {
            "region": settings.region,
            "wait_time_seconds": _POLL,
            "polling_interval": 0,
            "client-config": limits,
        }
        if urlsplit(worker.broker).hostname in ("localhost", "127.0.0.1"):
            options["is_secure"] = False
        if worker.queue_url is not None:
            options["predefined_queues"] = {worker.queue: {"url": worker.queue_url}}
        return options
    return {}
