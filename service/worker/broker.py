"""How is a worker woken? By a Celery message that says only "look": what is to be done stands in the database.

So a message may be lost, doubled or late without harm: workers look by themselves every few seconds, too.
"""

import asyncio
from functools import cached_property
from typing import Any
from urllib.parse import quote, urlsplit

import structlog

from service.settings import Settings
from service.telemetry.metrics import Metrics

WAKE = "tecnocursos.wake"
_SECONDS = 3  # for reaching the broker


class Broker:
    """The sender's side."""

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self._settings, self._metrics = settings, metrics

    @cached_property
    def _celery(self) -> Any:
        return celery(self._settings)

    async def wake(self) -> None:
        """Wake a worker; a broker that does not answer is counted, not an error: the job is stored already."""
        try:
            await asyncio.wait_for(asyncio.to_thread(self._send), 2 * _SECONDS)
        except Exception as error:  # each transport has exceptions of its own
            self._metrics.count("video_wakes_failed_total")
            structlog.get_logger().warning("no worker was woken", kind=type(error).__name__)

    def _send(self) -> None:
        self._celery.send_task(WAKE, retry=False, ignore_result=True)


def celery(settings: Settings) -> Any:
    """The Celery application for these settings (Celery has no type information). Importing it takes half a second."""
    from celery import Celery  # noqa: PLC0415

    worker = settings.worker
    app = Celery("tecnocursos", broker=_url(settings), set_as_current=False)
    app.conf.update(
        task_default_queue=worker.queue,
        task_ignore_result=True,
        task_serializer="json",
        accept_content=["json"],
        worker_prefetch_multiplier=1,
        worker_enable_remote_control=False,
        worker_send_task_events=False,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        broker_connection_timeout=_SECONDS,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
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
        options: dict[str, Any] = {"region": settings.region, "wait_time_seconds": 10, "polling_interval": 0}
        if urlsplit(worker.broker).hostname in ("localhost", "127.0.0.1"):
            options["is_secure"] = False
        if worker.queue_url is not None:
            options["predefined_queues"] = {worker.queue: {"url": worker.queue_url}}
        return options
    return {}
