"""When does a worker look for work? When it is woken, every few seconds, and after every video."""

import asyncio
import os
import shutil
import threading
import time
from contextlib import suppress

import structlog

from service import reload, sweep
from service.render.cache import SegmentCache
from service.worker import jobs
from service.worker.attempt import Attempt
from service.worker.broker import listen
from service.worker.parts import Parts

_BEAT_EVERY = 5.0  # seconds; the pod's probe allows two minutes
_GOODBYE = 3.0  # seconds for the connection to the broker: a message that gets lost there is harmless


class Runner:
    """One video at a time. Whatever fails in one look or with one video is logged, and the next one follows."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._loop: asyncio.AbstractEventLoop | None = None
        self._woken, self._over = asyncio.Event(), asyncio.Event()
        self._idle, self._stopping = threading.Event(), threading.Event()
        self._attempt: Attempt | None = None

    async def run(self) -> None:
        """Work until told to stop. What is raised ends the process: nothing here can go on without its loops."""
        self._loop = asyncio.get_running_loop()
        arguments = (lambda: self._parts.settings, self._wake, self._stopping)
        listener = threading.Thread(target=listen, args=arguments, name="listener", daemon=True)
        listener.start()
        structlog.get_logger().info("worker ready", pid=os.getpid())
        async with asyncio.TaskGroup() as tasks:
            watching = tasks.create_task(reload.watch(self._parts))
            for loop in (self._beat(), self._look()):
                tasks.create_task(loop)
            await self._work()
            self._over.set()  # a cancellation can get lost in Python 3.11 (`wait_for` inside the database's driver)
            watching.cancel()
        self._idle.set()
        await asyncio.to_thread(listener.join, _GOODBYE)
        self._parts.providers.close()
        await self._parts.close()

    def stop(self) -> None:
        """Finish the video at hand, take no other, and end; from any thread."""
        self._stopping.set()
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._woken.set)

    def _wake(self) -> None:
        """Look now; returns when nothing is left to do, so that a busy worker takes no other worker's message."""
        self._idle.clear()
        if self._loop is not None and not self._stopping.is_set():
            self._loop.call_soon_threadsafe(self._woken.set)
            self._idle.wait()

    async def _work(self) -> None:
        while not self._stopping.is_set():
            await self._woken.wait()
            self._woken.clear()
            try:
                while not self._stopping.is_set() and await self._room():
                    job = await jobs.claim(self._parts.database, self._parts.settings.worker)
                    if job is None:
                        break
                    self._attempt = Attempt(self._parts, job)
                    await self._attempt.run()
            except Exception as error:
                _failed("no video was taken", error)
            finally:
                self._attempt = None
                self._idle.set()

    async def _look(self) -> None:
        """Silent workers are looked for also while a video is rendered here.

        After this worker could not look, others could not renew their leases either: they are given the time to.
        """
        parts, spared = self._parts, 0.0
        while not self._over.is_set():
            worker = parts.settings.worker
            try:
                parts.metrics.disk(worker.folder)
                if time.monotonic() > spared:
                    await sweep.silent_workers(parts)
                number, age = await jobs.queue(parts.database)
                parts.metrics.gauge("video_queue_length", number)
                parts.metrics.gauge("video_queue_age_seconds", age)
            except Exception as error:
                spared = time.monotonic() + worker.lease_seconds
                _failed("the jobs were not looked at", error)
            self._woken.set()
            await self._pause(worker.sweep_seconds)

    async def _beat(self) -> None:
        """Touch the file that the pod's probe looks at, unless the video at hand should have ended long ago."""
        while not self._over.is_set():
            path = self._parts.settings.worker.heartbeat
            if path is not None and not (self._attempt and self._attempt.stuck):
                try:
                    path.touch()
                except OSError as error:
                    _failed("the heartbeat file was not touched", error)
            await self._pause(_BEAT_EVERY)

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._over.wait()

    async def _room(self) -> bool:
        """Is there room on the disk for a video? Rendered scenes make way for it."""
        worker = self._parts.settings.worker
        if shutil.disk_usage(worker.folder).free < worker.least_free_bytes:
            await asyncio.to_thread(SegmentCache(worker.folder.resolve() / "cache", 0).prune)
            if shutil.disk_usage(worker.folder).free < worker.least_free_bytes:
                structlog.get_logger().warning("no video was taken", kind="disk full")
                return False
        return True


def _failed(what: str, error: Exception) -> None:
    """What is outside may be away; what is none of that is a defect, and told as one."""
    log = structlog.get_logger()
    if isinstance(error, jobs.AWAY):
        log.warning(what, kind=type(error).__name__)
    else:
        log.error(what, kind=type(error).__name__, exc_info=error)
