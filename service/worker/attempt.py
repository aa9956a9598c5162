"""How is one claimed video rendered, from its course to the published files?"""

import asyncio
import shutil
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

import structlog

from service.ai.registry import Providers
from service.limits import LIMITS
from service.render.cache import SegmentCache
from service.render.course import Course
from service.render.errors import CourseError, RenderError
from service.render.pipeline import Rendered, Settings, render
from service.sweep import discard
from service.videos.models import Files
from service.worker import budget, jobs
from service.worker import course as courses
from service.worker.jobs import Beat, Claim
from service.worker.parts import Parts

T = TypeVar("T")
_TOLD_EVERY = 0.5  # seconds between two looks at how far it is
_DATABASE_PAUSE = 0.2
_STORE_PAUSES = 0.5, 15.0  # seconds: the first, doubled up to the last
_STUCK = 300.0  # seconds that the renderer may need to notice that its time is up


class StoppedError(Exception):
    """The rendering was told to stop: it was cancelled, or the lease was lost."""


@dataclass
class Attempt:
    """One attempt at one video. Whatever happens, its temporary files are gone at the end.

    While database or store is away it waits, until the video has taken as long as it may: what is rendered is not
    rendered again. That is safe beyond the lease, because every change names the attempt.
    """

    parts: Parts
    job: Claim
    percent: int = 0
    words: str = "Starting"
    beat: Beat = Beat.HELD
    size: int = 0  # bytes published
    affordable: bool = True  # are outside providers still paid for?
    halt: Exception | None = None  # what the renderer shall raise at its next step
    stopping: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.worker = self.parts.settings.worker
        self.started = time.monotonic()
        self.deadline = self.started + self.worker.longest_seconds
        self.folder = self.worker.folder.resolve() / f"{self.job.id}-{self.job.attempt}"
        self.log = structlog.get_logger().bind(
            video=self.job.id, attempt=self.job.attempt, request_id=self.job.request_id
        )

    @property
    def providers(self) -> Providers:
        """Those that the owner's plan still pays for."""
        return self.parts.providers if self.affordable else self.parts.providers.embedded()

    @property
    def stuck(self) -> bool:
        """Should it have ended long ago?"""
        return time.monotonic() > self.deadline + _STUCK

    async def run(self) -> None:
        """Render, publish, and say how it ended."""
        heart, before = asyncio.create_task(self._heart()), self.parts.meter.usd
        self.parts.metrics.gauges["video_jobs_running"].inc()
        try:
            outcome = await self._outcome()
            if (spent := self.parts.meter.usd - before) or self.size:
                await self._patiently(lambda: budget.charge(self.parts.database, self.job.id, spent, self.size))
        finally:
            self.halt = self.halt or StoppedError()  # also for a renderer whose attempt is cancelled with its loop
            heart.cancel()
            with suppress(asyncio.CancelledError):
                await heart
            await asyncio.to_thread(shutil.rmtree, self.folder, ignore_errors=True)
            self.parts.metrics.gauges["video_jobs_running"].dec()
        self.parts.metrics.count("video_jobs_total", outcome=outcome)
        seconds = time.monotonic() - self.started
        if outcome == "done":
            self.parts.metrics.histograms["video_render_duration_seconds"].observe(seconds)
        self.log.info("video " + outcome, seconds=round(seconds, 2))

    async def _outcome(self) -> str:
        """done, rejected, cancelled, retried, dead or lost."""
        try:
            return await self._made()
        except StoppedError:
            if self.beat is Beat.CANCEL:
                return await self._ended("cancelled", "cancelled", "Cancelled")
            await self._discard()
            return "lost"
        except CourseError as error:
            return await self._ended("rejected", "failed", str(error))
        except RenderError as error:
            reason = str(error)
        except OSError as error:
            reason = f"the machine has a fault ({error.strerror or type(error).__name__})"
        except Exception as error:
            self.log.exception("rendering failed")
            reason = f"the renderer has a fault ({type(error).__name__})"
        await self._discard()
        status = await self._patiently(lambda: jobs.retry(self.parts.database, self.worker, self.job, reason))
        if status == "failed":
            self.log.error("video given up", reason=reason)
        return {"queued": "retried", "failed": "dead", None: "lost"}[status]

    async def _made(self) -> str:
        files = Files.of(self.job.id, self.job.attempt)
        rendered = await self._render()
        await self._publish(rendered, files)
        told = "Ready" if rendered.narrator == self._first_voice() else "Ready, read by the embedded voice"
        if not self.affordable:
            told += ": what the plan includes at outside providers in a day is used up"
        if not await self._patiently(lambda: jobs.finish(self.parts.database, self.job, "done", told, files.video)):
            await self._discard()
            return "lost"
        self._count(rendered)
        return "done"

    async def _ended(self, outcome: str, status: str, message: str) -> str:
        await self._discard()
        held = await self._patiently(lambda: jobs.finish(self.parts.database, self.job, status, message))
        return outcome if held else "lost"

    async def _discard(self) -> None:
        await discard(self.parts, self.job.id, self.job.attempt)

    async def _render(self) -> Rendered:
        stored = await self._patiently(lambda: courses.load(self.parts.database, self.job.project_id))
        if stored is None:
            raise StoppedError
        try:
            budgeted = await self._patiently(lambda: budget.left(self.parts.database, self.job.id))
            self.affordable = bool(budgeted) or not self.parts.providers.paid
            written = await asyncio.to_thread(self.providers.write, stored.course)
            return await asyncio.to_thread(self._make, written, asyncio.get_running_loop(), stored)
        except CourseError as error:
            raise stored.explain(error) from None

    def _make(self, course: Course, loop: asyncio.AbstractEventLoop, stored: courses.Stored) -> Rendered:
        worker = self.worker

        def image(name: str) -> bytes:
            media = stored.images.get(name)
            data = None
            if media is not None:
                reading = self._stored(partial(self.parts.storage.get, media.key, LIMITS.upload + 1))
                data = asyncio.run_coroutine_threadsafe(reading, loop).result()
            if data is None:
                raise CourseError.of("image_deleted", image=name)
            return data

        self.folder.mkdir(parents=True)
        return render(
            course,
            self.folder / "result",
            narrators=self.providers.narrators,
            images=image,
            presenter=self.providers.presenter,
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
        for key, kind, path in (
            (files.thumbnail, "image/jpeg", rendered.thumbnail),
            (files.captions, "text/vtt", rendered.captions),
            (files.video, "video/mp4", rendered.video),
        ):
            await self._stored(partial(self.parts.storage.put, key, kind, path))
            self.size += path.stat().st_size
        if self.halt is not None:
            raise self.halt

    async def _stored(self, action: Callable[[], Awaitable[T]]) -> T:
        """Repeat while the store is away, until the rendering is told to stop."""
        pause, longest = _STORE_PAUSES
        while True:
            storage = self.parts.storage
            try:
                return await action()
            except storage.faults as error:
                self.log.warning("the store failed", kind=type(error).__name__)
            await asyncio.to_thread(self.stopping.wait, pause)
            if self.halt is not None:
                raise self.halt
            pause = min(2 * pause, longest)

    def _first_voice(self) -> str:
        return self.parts.providers.narrators[0].identity

    def _count(self, rendered: Rendered) -> None:
        metrics = self.parts.metrics
        metrics.count("video_seconds_total", rendered.seconds)
        metrics.count("video_scenes_total", rendered.scenes_rendered, source="rendered")
        metrics.count("video_scenes_total", rendered.scenes_cached, source="cached")
        if self.affordable and rendered.narrator != self._first_voice():
            self.parts.providers.meter.fallback(self._first_voice().partition("/")[0], "speak")

    async def _heart(self) -> None:
        """Renew the lease and tell how far it is, until the lease is lost, the wish to cancel arrives or time is up."""
        told, beaten = ("", 0), self.started
        while True:
            await asyncio.sleep(min(_TOLD_EVERY, self.worker.lease_seconds / 10))
            present = (self.words, self.percent)
            if time.monotonic() > self.deadline:
                self.halt = RenderError(f"it took more than {self.worker.longest_seconds:g} seconds")
            elif present != told or time.monotonic() - beaten > self.worker.lease_seconds / 4:
                self.beat = await self._pulse(*present)
                told, beaten = present, time.monotonic()
            if self.beat is not Beat.HELD:
                self.halt = StoppedError()
            if self.halt is not None:
                self.stopping.set()
                return

    async def _pulse(self, words: str, percent: int) -> Beat:
        beat = await self._patiently(lambda: jobs.beat(self.parts.database, self.worker, self.job, percent, words))
        return beat if beat is not None else Beat.LOST

    async def _patiently(self, action: Callable[[], Awaitable[T]]) -> T | None:
        """Repeat while the database is away; None when the video has taken as long as it may."""
        while True:
            try:
                return await action()
            except jobs.AWAY as error:
                if time.monotonic() > self.deadline:
                    return None
                self.log.warning("the database failed", kind=type(error).__name__)
            await asyncio.sleep(_DATABASE_PAUSE)
