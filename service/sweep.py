"""What is put right in time? What has expired is forgotten, and what a silent worker held is freed and tidied.

`python -m service sweep` does all of it; every worker does its part of it at every look.
"""

import asyncio
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

import structlog

from service.data import disposal, idempotency
from service.data.storage import Storage
from service.media import service as media
from service.render.cache import SegmentCache
from service.runtime import Runtime
from service.security import audit
from service.settings import Settings
from service.users import sessions
from service.videos.models import Files
from service.worker import jobs

_ATTEMPT_FOLDER = re.compile(r"([0-9a-f]{32})-(\d{1,3})")
_OUTCOMES = {"queued": "retried", "failed": "dead", "cancelled": "cancelled"}


async def everything(settings: Settings) -> dict[str, int]:
    """Delete what has expired and free what nobody works on; how many of each kind."""
    runtime = Runtime(settings)
    try:
        freed = await silent_workers(runtime)
        abandoned = await media.purge(runtime.database, runtime.storage)
        disposed = await disposal.sweep(runtime.database, runtime.storage)
        async with runtime.database.transaction() as session:
            return {
                "expired refresh tokens": await sessions.purge(session),
                "expired idempotency keys": await idempotency.purge(session),
                "old lines of the audit trail": await audit.purge(session, settings.security.audit_days),
                "videos of silent workers": freed,
                "abandoned uploads": abandoned,
                "deleted files": disposed,
            }
    finally:
        await runtime.close()


async def silent_workers(runtime: Runtime) -> int:
    """Free jobs whose lease has expired and remove files of attempts that are over; how many jobs were freed."""
    worker = runtime.settings.worker
    expired = await jobs.expire(runtime.database, worker)
    for job in expired:
        log = structlog.get_logger().bind(video=job.id, attempt=job.attempt)
        log.warning("a worker fell silent", now=job.status, late=round(job.late, 2))
        runtime.metrics.count("video_jobs_total", outcome=_OUTCOMES[job.status])
        await discard(runtime.storage, job.id, range(1, job.attempt + 1))
    scenes = SegmentCache(worker.folder.resolve() / "cache")
    await asyncio.to_thread(scenes.expire, worker.cache_hours * 3600)
    for folder, video_id, attempt in await asyncio.to_thread(_attempts, worker.folder):
        if not await jobs.held(runtime.database, video_id, attempt):
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
    return len(expired)


async def discard(storage: Storage, video_id: str, attempts: Iterable[int]) -> None:
    """Remove what attempts have published. Never raises: whoever tidies up has something to say afterwards."""
    keys = [key for attempt in attempts for key in Files.of(video_id, attempt).all]
    try:
        await storage.delete(*keys)
    except Exception as error:
        structlog.get_logger().warning("files are left", video=video_id, kind=type(error).__name__)


def _attempts(folder: Path) -> list[tuple[Path, str, int]]:
    if not folder.is_dir():
        return []
    named = ((path, _ATTEMPT_FOLDER.fullmatch(path.name)) for path in folder.iterdir())
    return [(path, match[1], int(match[2])) for path, match in named if match]
