"""What do tests of worker processes share? Workers over one database and one store, and what is left behind them."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from service.data.database import Database
from service.data.storage import open_storage
from service.security.tokens import Tokens
from service.settings import PREFIX, Settings
from service.telemetry.metrics import Metrics
from service.videos.models import FINAL, Video
from tests.worker.conftest import read, stored, until

ROOT = Path(__file__).resolve().parents[2]
LEASE, SWEEP = 2.0, 0.5
SCENES = [{"title": f"Cena {n}", "narration": "Um. Dois."} for n in range(3)]


@dataclass
class Farm:
    """Worker processes over one database and one folder of files."""

    settings: Settings
    database: Database
    environment: dict[str, str]
    log: Path
    workers: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def start(self, *before: str, arguments: Sequence[str] = ("-m", "service", "worker")) -> "subprocess.Popen[bytes]":
        """A worker whose encoders die with it, as in a container: it leads a process group. `before` starts it."""
        with self.log.open("ab") as log:
            child = subprocess.Popen(
                [*before, sys.executable, *arguments],
                env=self.environment,
                cwd=ROOT,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.workers.append(child)
        return child

    def kill(self, worker: "subprocess.Popen[bytes]") -> None:
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()
        self.workers.remove(worker)

    def stop(self) -> None:
        for worker in self.workers:
            worker.terminate()
        for worker in self.workers:
            worker.wait(60)

    def lines(self) -> list[dict[str, Any]]:
        """What the workers logged."""
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]

    async def said(self, event: str, number: int = 1) -> bool:
        """Have the workers logged this event so many times?"""
        return sum(line["event"] == event for line in self.lines()) >= number

    async def ended(self, *videos: Video) -> bool:
        return all([(await read(self.database, video)).status in FINAL for video in videos])


@contextlib.asynccontextmanager
async def farm(
    folder: Path, database_url: str, media: Mapping[str, str] | None = None, **worker: Any
) -> AsyncIterator[Farm]:
    chosen: dict[str, Any] = {"lease_seconds": LEASE, "sweep_seconds": SWEEP, "attempts": 10} | worker
    chosen |= {"folder": folder / "work", "per_user": 5, "heartbeat": folder / "heartbeat"}
    media = {"folder": str(folder / "media")} | dict(media or {})
    settings = Settings(database={"url": database_url}, media=media, worker=chosen)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment |= {
        f"{PREFIX}DATABASE__URL": database_url,
        f"{PREFIX}DATABASE__ANSWER_TIMEOUT": "2",
        **{f"{PREFIX}MEDIA__{name.upper()}": value for name, value in media.items()},
        **{f"{PREFIX}WORKER__{name.upper()}": str(value) for name, value in chosen.items()},
    }
    made = Farm(settings, Database(settings, Metrics()), environment, folder / "workers.log")
    try:
        yield made
    finally:
        made.stop()
        await made.database.close()


def leavings(settings: Settings) -> list[str]:
    return sorted(path.name for path in settings.worker.folder.iterdir() if path.name != "cache")


async def check(made: Farm, *videos: Video) -> list[float]:
    """Every video is done, once, with its three files; nothing else is there. How late silent workers were found."""
    rows = await done(made, *videos)
    keys = [key.removeprefix("videos/") for row in rows for key in row.files]
    storage = open_storage(made.settings, Tokens(made.settings))
    assert stored(storage) == sorted(keys)
    return [line["late"] for line in made.lines() if line["event"] == "a worker fell silent"]


async def done(made: Farm, *videos: Video) -> list[Video]:
    """Wait until every video is done; the rows. Each ended once, and the workers have left nothing behind."""
    await until(lambda: made.ended(*videos), 120)
    rows = [await read(made.database, video) for video in videos]
    assert [(row.status, row.message) for row in rows] == [("done", "Ready")] * len(rows)
    made.stop()
    ends = Counter(line["video"] for line in made.lines() if line["event"] == "video done")
    assert set(ends.values()) <= {1}  # a worker may be killed between its last change and its line
    assert leavings(made.settings) == []
    busy = [
        process.name() for process in psutil.process_iter() if str(made.settings.worker.folder) in _command(process)
    ]
    assert busy == []
    return rows


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return ""
