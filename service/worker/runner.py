"""When does a worker look for work? When it is woken, every few seconds, and after every video."""

import asyncio
import os
import threading

import structlog
from sqlalchemy.exc import SQLAlchemyError

from service.ai.registry import build
from service.data.database import Database
from service.data.storage import open_storage
from service.security.tokens import Tokens
from service.settings import Settings
from service.telemetry.metrics import Metrics
from service.worker import jobs
from service.worker.attempt import Attempt, Parts
from service.worker.meter import ServiceMeter
from service.worker.silent import sweep

_CONNECTIONS = 4  # per pool: a heartbeat, a step and a sweep at once, and one to spare


class Runner:
    """One video at a time, in an event loop of its own that a thread runs. Raises ValueError for wrong providers."""

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        pool = settings.database.model_copy(update={"pool_size": _CONNECTIONS})
        self._settings = settings.model_copy(update={"database": pool})
        self._metrics = metrics
        metrics.begin("worker")
        self._providers = build(settings.ai, ServiceMeter(metrics))
        self._thread = threading.Thread(target=self._live, name="runner")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready = threading.Event()
        self._stopping = False

    def start(self) -> None:
        """Begin to look for work."""
        self._thread.start()
        self._ready.wait()

    def wake(self) -> None:
        """Look now; returns when nothing is left to do, so that a busy worker takes no other worker's message."""
        if self._loop is not None and not self._stopping:
            asyncio.run_coroutine_threadsafe(self._drain(), self._loop).result()

    def stop(self) -> None:
        """Finish the video at hand, take no other, and end."""
        self._stopping = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._providers.close()

    def _live(self) -> None:
        asyncio.run(self._main())

    async def _main(self) -> None:
        database = Database(self._settings, self._metrics)
        storage = open_storage(self._settings, Tokens(self._settings))
        self._parts = Parts(database, storage, self._providers, self._metrics, self._settings.worker)
        self._turn, self._stop = asyncio.Lock(), asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._ready.set()
        structlog.get_logger().info("worker ready", pid=os.getpid())
        try:
            while not self._stopping:
                await self._look()
                try:
                    await asyncio.wait_for(self._stop.wait(), self._settings.worker.sweep_seconds)
                except TimeoutError:
                    continue
        finally:
            async with self._turn:  # the video at hand
                await database.close()

    async def _look(self) -> None:
        self._metrics.disk(self._settings.worker.folder)
        try:
            await sweep(self._parts.database, self._parts.storage, self._metrics, self._settings.worker)
            number, age = await jobs.queue(self._parts.database)
            self._metrics.gauge("video_queue_length", number)
            self._metrics.gauge("video_queue_age_seconds", age)
        except (SQLAlchemyError, OSError) as error:
            structlog.get_logger().warning("the database was not looked at", kind=type(error).__name__)
            return
        if not self._turn.locked():
            self._draining = asyncio.create_task(self._drain())  # meanwhile silent workers are looked for

    async def _drain(self) -> None:
        async with self._turn:
            while not self._stopping:
                try:
                    job = await jobs.claim(self._parts.database, self._settings.worker)
                    if job is None:
                        return
                    await Attempt(self._parts, job).run()
                except (SQLAlchemyError, OSError) as error:
                    structlog.get_logger().warning("no video was taken", kind=type(error).__name__)
                    return
