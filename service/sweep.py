"""What is put right in time? What has expired is forgotten, and what a silent worker held is freed and tidied.

`python -m service sweep` does all of it; every worker does its part of it at every look.
"""

import asyncio
import re
import shutil
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import structlog
from sqlmodel.ext.asyncio.session import AsyncSession

from service.data import disposal, idempotency
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
    """Delete what has expired and free what nobody works on; how many of each kind.

    What fails keeps nothing else from being done. Raises ValueError when something did, DBAPIError without a database.
    """
    runtime = Runtime(settings)
    async with runtime.database.reading():
        pass

    async def within(purge: Callable[[AsyncSession], Awaitable[int]]) -> int:
        async with runtime.database.transaction() as session:
            return await purge(session)

    kinds: dict[str, Callable[[], Awaitable[int]]] = {
        "videos of silent workers": lambda: silent_workers(runtime),
        "expired refresh tokens": lambda: within(sessions.purge),
        "expired idempotency keys": lambda: within(idempotency.purge),
        "old lines of the audit trail": lambda: within(partial(audit.purge, days=settings.security.audit_days)),
        "abandoned uploads": lambda: media.purge(runtime.database, runtime.storage),
        "deleted files": lambda: disposal.sweep(runtime.database, runtime.storage),
    }
    done: dict[str, int] = {}
    for kind, sweep in kinds.items():
        try:
            done[kind] = await sweep()
        except Exception:
            structlog.get_logger().exception("not swept", kind=kind)
    await runtime.close()
    if failed := [kind for kind in kinds if kind not in done]:
        raise ValueError(f"not swept, see the log: {', '.join(failed)}")
    return done


async def silent_workers(runtime: Runtime) -> int:
    """Free jobs whose lease has expired and remove files of attempts that are over; how many jobs were freed."""
    worker = runtime.settings.worker
    expired = await jobs.expire(runtime.database, worker)
    for job in expired:
        log = structlog.get_logger().bind(video=job.id, attempt=job.attempt)
        log.warning("a worker fell silent", now=job.status, late=round(job.late, 2))
        runtime.metrics.count("video_jobs_total", outcome=_OUTCOMES[job.status])
        await discard(runtime, job.id, job.attempt)
    scenes = SegmentCache(worker.folder.resolve() / "cache")
    await asyncio.to_thread(scenes.expire, worker.cache_hours * 3600)
    for folder, video_id, attempt in await asyncio.to_thread(_attempts, worker.folder):
        if not await jobs.held(runtime.database, video_id, attempt):
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
    return len(expired)


async def discard(runtime: Runtime, video_id: str, attempt: int) -> None:
    """Remove what an attempt has published. Never raises: whoever tidies up has something to say afterwards."""
    try:
        async with runtime.database.transaction() as session:
            await disposal.dispose(session, runtime.storage, Files.of(video_id, attempt).all)
    except Exception as error:
        structlog.get_logger().warning("files are left", video=video_id, kind=type(error).__name__)


def _attempts(folder: Path) -> list[tuple[Path, str, int]]:
    if not folder.is_dir():
        return []
    named = ((path, _ATTEMPT_FOLDER.fullmatch(path.name)) for path in folder.iterdir())
    return [(path, match[1], int(match[2])) for path, match in named if match]
