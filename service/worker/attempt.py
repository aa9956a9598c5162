"""How is one claimed video rendered, from its course to the published files?"""

import asyncio
import shutil
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import structlog
from sqlalchemy.exc import DBAPIError

from service.ai.registry import Providers
from service.data.database import Database, lost
from service.data.storage import Storage
from service.render import images
from service.render.cache import SegmentCache
from service.render.course import Course
from service.render.errors import CourseError, RenderError
from service.render.pipeline import Rendered, Settings, render
from service.settings import WorkerSettings
from service.telemetry.metrics import Metrics
from service.videos.models import Files
from service.worker import course as courses
from service.worker import jobs
from service.worker.jobs import Beat, Claim

T = TypeVar("T")
_TOLD_EVERY = 0.5  # seconds between two looks at how far it is
_DATABASE_PAUSE = 0.2
_IMAGE_SECONDS = 60


class StoppedError(Exception):
    """The rendering was told to stop: it was cancelled, or the lease was lost."""


@dataclass(frozen=True)
class Parts:
    """What an attempt works with."""

    database: Database
    storage: Storage
    providers: Providers
    metrics: Metrics
    worker: WorkerSettings


@dataclass
class Attempt:
    """One attempt at one video. Whatever happens, its temporary files are gone at the end."""

    parts: Parts
    job: Claim
    percent: int = 0
    words: str = "Starting"
    beat: Beat = Beat.HELD
    lease_until: float = 0.0  # by this process's monotonic clock
    halt: Exception | None = None  # what the renderer shall raise at its next step
    stopping: threading.Event = field(default_factory=threading.Event)

    @property
    def folder(self) -> Path:
        """Where its temporary files are."""
        return self.parts.worker.folder.resolve() / f"{self.job.id}-{self.job.attempt}"

    async def run(self) -> None:
        """Render, publish, and say how it ended."""
        log = structlog.get_logger().bind(video=self.job.id, attempt=self.job.attempt, request_id=self.job.request_id)
        started = time.monotonic()
        self.lease_until = started + self.parts.worker.lease_seconds
        heart = asyncio.create_task(self._heart())
        self.parts.metrics.gauges["video_jobs_running"].inc()
        try:
            outcome = await self._outcome(log)
        finally:
            heart.cancel()
            with suppress(asyncio.CancelledError):
                await heart
            await asyncio.to_thread(shutil.rmtree, self.folder, ignore_errors=True)
            self.parts.metrics.gauges["video_jobs_running"].dec()
        self.parts.metrics.count("video_jobs_total", outcome=outcome)
        seconds = time.monotonic() - started
        if outcome == "done":
            self.parts.metrics.histograms["video_render_duration_seconds"].observe(seconds)
        log.info("video " + outcome, seconds=round(seconds, 2))

    async def _outcome(self, log: structlog.typing.FilteringBoundLogger) -> str:
        """done, rejected, cancelled, retried, dead or lost."""
        database, worker = self.parts.database, self.parts.worker
        files = Files.of(self.job.id, self.job.attempt)
        try:
            rendered = await self._render()
            await self._publish(rendered, files)
            told = "Ready" if rendered.narrator == self._first_voice() else "Ready, read by the embedded voice"
            if await self._patiently(lambda: jobs.finish(database, self.job, "done", told, files.video)):
                self._count(rendered)
                return "done"
            await self.parts.storage.delete(*files.all)
            return "lost"
        except StoppedError:
            await self.parts.storage.delete(*files.all)
            if self.beat is not Beat.CANCEL:
                return "lost"
            ended = await self._patiently(lambda: jobs.finish(database, self.job, "cancelled", "Cancelled"))
            return "cancelled" if ended else "lost"
        except CourseError as error:
            reason = str(error)
            ended = await self._patiently(lambda: jobs.finish(database, self.job, "failed", reason))
            return "rejected" if ended else "lost"
        except RenderError as error:
            reason = str(error)
        except Exception as error:
            log.exception("rendering failed")
            reason = f"the renderer has a fault ({type(error).__name__})"
        await self.parts.storage.delete(*files.all)
        status = await self._patiently(lambda: jobs.retry(database, worker, self.job, reason))
        if status == "failed":
            log.error("video given up", reason=reason)
        return {"queued": "retried", "failed": "dead", None: "lost"}[status]

    async def _render(self) -> Rendered:
        stored = await courses.load(self.parts.database, self.job.project_id)
        try:
            written = await asyncio.to_thread(self.parts.providers.write, stored.course)
            return await asyncio.to_thread(self._make, written, asyncio.get_running_loop(), stored)
        except CourseError as error:
            raise CourseError(stored.explain(str(error))) from None

    def _make(self, course: Course, loop: asyncio.AbstractEventLoop, stored: courses.Stored) -> Rendered:
        worker = self.parts.worker

        def image(name: str) -> bytes:
            media = stored.images.get(name)
            if media is None:
                raise CourseError(f"image '{name}' was deleted: choose another")
            reading = self.parts.storage.get(media.key, images.MAX_IMAGE_BYTES + 1)
            data = asyncio.run_coroutine_threadsafe(reading, loop).result(_IMAGE_SECONDS)
            if data is None:
                raise CourseError(f"image '{name}' was deleted: choose another")
            return data

        self.folder.mkdir(parents=True)
        return render(
            course,
            self.folder / "result",
            narrators=self.parts.providers.narrators,
            images=image,
            cache=SegmentCache(worker.folder.resolve() / "cache", worker.cache_bytes),
            progress=self._tell,
            settings=Settings(jobs=worker.scenes_at_once, niceness=worker.niceness, work=self.folder),
        )

    def _tell(self, percent: float, words: str) -> None:
        """Called by the renderer's thread at every step."""
        self.percent, self.words = min(99, round(percent)), words
        if self.halt is not None:
            raise self.halt

    async def _publish(self, rendered: Rendered, files: Files) -> None:
        """Under names of this attempt's own: nobody sees them before the job is finished."""
        self.words = "Publishing"
        storage = self.parts.storage
        await storage.put(files.thumbnail, "image/jpeg", rendered.thumbnail)
        await storage.put(files.captions, "text/vtt", rendered.captions)
        await storage.put(files.video, "video/mp4", rendered.video)
        if self.halt is not None:
            raise self.halt

    def _first_voice(self) -> str:
        return self.parts.providers.narrators[0].identity

    def _count(self, rendered: Rendered) -> None:
        metrics = self.parts.metrics
        metrics.count("video_seconds_total", rendered.seconds)
        metrics.count("video_scenes_total", rendered.scenes_rendered, source="rendered")
        metrics.count("video_scenes_total", rendered.scenes_cached, source="cached")
        if rendered.narrator != self._first_voice():
            self.parts.providers.meter.fallback(self._first_voice().partition("/")[0], "speak")

    async def _heart(self) -> None:
        """Renew the lease and tell how far it is, until the lease is lost, the wish to cancel arrives or time is up."""
        worker = self.parts.worker
        told, beaten = ("", 0), time.monotonic()
        deadline = beaten + worker.longest_seconds
        while True:
            await asyncio.sleep(min(_TOLD_EVERY, worker.lease_seconds / 10))
            present = (self.words, self.percent)
            if time.monotonic() > deadline:
                self.halt = RenderError(f"it took more than {worker.longest_seconds:g} seconds")
            elif present != told or time.monotonic() - beaten > worker.lease_seconds / 4:
                self.beat = await self._pulse(*present)
                told, beaten = present, time.monotonic()
            if self.beat is not Beat.HELD:
                self.halt = StoppedError()
            if self.halt is not None:
                self.stopping.set()
                return

    async def _pulse(self, words: str, percent: int) -> Beat:
        started = time.monotonic()
        beat = await self._patiently(
            lambda: jobs.beat(self.parts.database, self.parts.worker, self.job, percent, words)
        )
        if beat is Beat.HELD:
            self.lease_until = started + self.parts.worker.lease_seconds
        return beat if beat is not None else Beat.LOST

    async def _patiently(self, action: Callable[[], Awaitable[T]]) -> T | None:
        """Repeat while the database is away and the lease may still be held; None when that time is over."""
        while True:
            try:
                return await action()
            except (DBAPIError, OSError) as error:
                if isinstance(error, DBAPIError) and not lost(error):
                    raise
            if time.monotonic() > self.lease_until:
                return None
            await asyncio.sleep(_DATABASE_PAUSE)
