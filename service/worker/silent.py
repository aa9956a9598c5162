"""What is done about workers that fell silent? Their jobs are freed and what they left behind is removed."""

import asyncio
import re
import shutil
from pathlib import Path

import structlog

from service.data.database import Database
from service.data.storage import Storage
from service.settings import WorkerSettings
from service.telemetry.metrics import Metrics
from service.videos.models import Files
from service.worker import jobs

_ATTEMPT_FOLDER = re.compile(r"([0-9a-f]{32})-(\d{1,3})")


async def sweep(database: Database, storage: Storage, metrics: Metrics, worker: WorkerSettings) -> int:
    """Free jobs whose lease has expired and remove files of attempts that are over; how many jobs were freed."""
    swept = await jobs.sweep(database, worker)
    for job in swept:
        log = structlog.get_logger().bind(video=job.id, attempt=job.attempt)
        log.warning("a worker fell silent", now=job.status, late=round(job.late, 2))
        await storage.delete(*Files.of(job.id, job.attempt).all)
        outcome = {"queued": "retried", "failed": "dead", "cancelled": "cancelled"}[job.status]
        metrics.count("video_jobs_total", outcome=outcome)
    for folder, video_id, attempt in await asyncio.to_thread(_attempts, worker.folder):
        if not await jobs.held(database, video_id, attempt):
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
    return len(swept)


def _attempts(folder: Path) -> list[tuple[Path, str, int]]:
    if not folder.is_dir():
        return []
    named = ((path, _ATTEMPT_FOLDER.fullmatch(path.name)) for path in folder.iterdir())
    return [(path, match[1], int(match[2])) for path, match in named if match]
