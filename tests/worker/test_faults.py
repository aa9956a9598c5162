"""Does a worker survive what happens around it? Stores, disks and databases that fail, loops that die, probes."""

import asyncio
import contextlib
import functools
import json
import os
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

import boto3
import psutil
import pytest
from moto.server import ThreadedMotoServer

from service.settings import PREFIX, Settings
from service.videos.models import Files, Video
from tests.service.servers import PASSWORD, free_port, running
from tests.worker.conftest import fresh_database, read, store, until
from tests.worker.farm import ROOT, SCENES, Farm, done, farm

KEYS = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}


def probes() -> dict[str, list[str]]:
    """The commands of the worker's probes in a deployed graph."""
    graph = json.loads((ROOT / "tests/golden/dev.json").read_text())
    (spec,) = (
        row["inputs"]["spec"]
        for row in graph
        if row["type"] == "kubernetes:apps/v1:Deployment" and row["inputs"]["metadata"]["name"] == "worker"
    )
    (container,) = spec["template"]["spec"]["containers"]
    return {kind: container[f"{kind}Probe"]["exec"]["command"] for kind in ("readiness", "liveness")}


async def well(made: Farm, kind: str = "liveness") -> bool:
    """What does the pod's own probe say of the worker? Only the file's place is the test's."""
    place = str(Settings.model_fields["worker"].default.heartbeat)
    command = probes()[kind]
    assert any(place in word for word in command)
    words = [word.replace(place, str(made.settings.worker.heartbeat)) for word in command]
    return (await asyncio.to_thread(subprocess.run, words, check=False)).returncode == 0


def grow_old(made: Farm) -> None:
    """As if minutes had passed since the worker touched its file."""
    assert made.settings.worker.heartbeat is not None
    os.utime(made.settings.worker.heartbeat, (time.time() - 180,) * 2)


async def test_the_pods_probe_knows_a_worker_that_works_from_one_that_hangs(tmp_path, servers):
    with fresh_database(servers[0]) as url:
        async with farm(tmp_path, url, broker=servers[1].url("admin"), lease_seconds=60) as made:
            assert not await well(made, "readiness")
            worker = made.start()
            await until(lambda: well(made, "readiness"))
            video = await store(made.database, scenes=SCENES)
            encoder = await encoding(worker.pid)
            encoder.suspend()  # the rendering goes on for as long as the test likes
            grow_old(made)
            await until(lambda: well(made))
            assert (await read(made.database, video)).status == "running"
            worker.send_signal(signal.SIGSTOP)
            grow_old(made)
            assert not await well(made)
            worker.send_signal(signal.SIGCONT)
            await until(lambda: well(made))
            encoder.resume()
            (row,) = await done(made, video)
            assert row.attempt == 1


async def encoding(worker: int) -> psutil.Process:
    """A process that the worker has started for a video."""
    async with asyncio.timeout(60):
        while True:
            with contextlib.suppress(psutil.NoSuchProcess):
                for child in psutil.Process(worker).children(recursive=True):
                    if "ffmpeg" in child.name():
                        return child
            await asyncio.sleep(0.001)


DYING = """
import sys
from service.__main__ import main
from service.worker.runner import Runner
class Death(BaseException): ...
async def look(self): raise Death
Runner._look = look
sys.exit(main(["worker"]))
"""


async def test_a_worker_whose_loop_dies_leaves_with_an_error(tmp_path, servers):
    with fresh_database(servers[0]) as url:
        async with farm(tmp_path, url, broker=servers[1].url("admin")) as made:
            worker = made.start(arguments=("-c", DYING))
            assert await asyncio.to_thread(worker.wait, 60) == 1
            (line,) = [line for line in made.lines() if line["level"] == "critical"]
            assert "Death" in line["exception"]


@dataclass
class Fault:
    """A proxy in front of a store, with its faults."""

    target: int
    mode: str = "pass"
    port: int = 0
    met: dict[str, int] = field(default_factory=dict)

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        async with server:
            yield
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            there = await asyncio.open_connection("127.0.0.1", self.target)
            back = asyncio.create_task(self._copy(there[0], writer))
            while chunk := await reader.read(65536):
                mode = self.mode
                self.met[mode] = self.met.get(mode, 0) + 1
                if mode == "refuse":
                    break
                if mode == "slow":  # nothing more is said until the test goes on
                    await until(self._changed)
                    break
                there[1].write(chunk[:200] if mode == "cut" else chunk)
                await there[1].drain()
                if mode == "cut":
                    break
            back.cancel()
            there[1].close()
        writer.close()

    async def _changed(self) -> bool:
        return self.mode != "slow"

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while chunk := await reader.read(65536):
                writer.write(chunk)
                await writer.drain()

    async def was(self, mode: str, made: Farm, failures: int) -> bool:
        return self.met.get(mode, 0) > 0 and await made.said("the store failed", failures)


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a process finds in its environment to sign calls with."""
    for name, value in KEYS.items():
        monkeypatch.setenv(name.upper().replace("REGION_NAME", "DEFAULT_REGION"), value)


@pytest.fixture
def moto(keys: None) -> Iterator[int]:
    """A stand-in of S3 with a bucket `media`; its port."""
    port = free_port()
    server = ThreadedMotoServer("127.0.0.1", port, verbose=False)
    server.start()
    boto3.client("s3", endpoint_url=f"http://127.0.0.1:{port}", **KEYS).create_bucket(Bucket="media")
    yield port
    server.stop()


def kept(port: int, *videos: Video) -> set[str]:
    """Keys of the files of these videos."""
    listed = boto3.client("s3", endpoint_url=f"http://127.0.0.1:{port}", **KEYS).list_objects_v2(Bucket="media")
    keys = {row["Key"] for row in listed.get("Contents", ())}
    return {key for key in keys if any(video.id in key for video in videos)}


async def test_a_store_that_refuses_is_slow_and_cuts_costs_nothing_but_time(tmp_path, servers, moto):
    """One video meets every fault; it is rendered once, waits, and is published whole."""
    fault = Fault(moto, "refuse")
    async with fault.listening():
        media = {"bucket": "media", "endpoint": f"http://127.0.0.1:{fault.port}"}
        with fresh_database(servers[0]) as url:
            async with farm(tmp_path, url, media, broker=servers[1].url("admin"), lease_seconds=20) as made:
                made.start()
                video = await store(made.database, scenes=SCENES)
                for mode in ("refuse", "cut", "slow"):
                    fault.mode = mode
                    seen = sum(line["event"] == "the store failed" for line in made.lines())
                    await until(functools.partial(fault.was, mode, made, seen + 1))
                assert (await read(made.database, video)).status == "running"
                fault.mode = "pass"
                other = await store(made.database)
                rows = await done(made, video, other)
    assert [row.attempt for row in rows] == [1, 1]
    assert kept(moto, *rows) == {key for row in rows for key in row.files}


async def test_a_failure_of_the_store_while_tidying_up_stops_nobody(tmp_path, servers, moto):
    """Silent workers' files cannot be removed: their jobs are freed all the same, and the looks go on."""
    fault = Fault(moto, "refuse")
    async with fault.listening():
        media = {"bucket": "media", "endpoint": f"http://127.0.0.1:{fault.port}"}
        with fresh_database(servers[0]) as url:
            async with farm(tmp_path, url, media, broker=servers[1].url("admin")) as made:
                silent = made.start()
                video = await store(made.database, scenes=SCENES)
                await until(functools.partial(made.said, "the store failed"))
                made.kill(silent)
                made.start()
                await until(functools.partial(made.said, "a consequence of a change failed"))
                fault.mode = "pass"
                (row,) = await done(made, video)
    assert row.attempt == 2
    assert kept(moto, video) == set(Files.of(video.id, 2).all)


async def test_a_store_that_is_away_at_the_start_is_no_reason_to_hang(tmp_path, servers, keys):
    media = {"bucket": "media", "endpoint": f"http://127.0.0.1:{free_port()}"}
    with fresh_database(servers[0]) as url:
        async with farm(tmp_path, url, media, broker=servers[1].url("admin")) as made:
            worker = made.start()
            await until(functools.partial(made.said, "worker ready"))
            worker.terminate()
            assert await asyncio.to_thread(worker.wait, 60) == 0
            made.workers.clear()
            made.environment[f"{PREFIX}MEDIA__ENDPOINT"] = "store.example"
            worker = made.start()
            assert await asyncio.to_thread(worker.wait, 60) == 2
            assert "Invalid endpoint: store.example" in made.log.read_text().splitlines()[-1]


FULL = 'head -c 100000000 /dev/zero >"$0/ballast" 2>/dev/null; (read -r _ <"$1"; rm "$0/ballast") & shift; exec "$@"'


@pytest.mark.parametrize(("least", "told", "attempt"), [(2**20, "no video was taken", 1), (0, "video retried", 2)])
async def test_a_full_disk_costs_nothing_but_time(tmp_path, servers, least, told, attempt):
    """The worker's folder is a small disk of its own, full until the test has it emptied."""
    folder, pipe = tmp_path / "work", tmp_path / "emptied"
    folder.mkdir()
    os.mkfifo(pipe)
    with fresh_database(servers[0]) as url:
        async with farm(tmp_path, url, broker=servers[1].url("admin"), least_free_bytes=least) as made:
            disk = ["bwrap", "--dev-bind", "/", "/", "--size", "50000000", "--tmpfs", str(folder)]
            made.start(*disk, "--die-with-parent", "sh", "-c", FULL, str(folder), str(pipe))
            video = await store(made.database, scenes=SCENES)
            await until(functools.partial(made.said, told))
            with pipe.open("w") as signal_to_empty:
                signal_to_empty.write("\n")
            (row,) = await done(made, video)
    assert row.attempt == attempt


async def test_a_database_that_goes_and_one_that_hangs_cost_nothing_but_time(tmp_path):
    with running() as (mariadb, redis), fresh_database(mariadb) as url:
        async with farm(tmp_path, url, broker=redis.url("admin")) as made:
            worker = made.start()
            videos = [await store(made.database, scenes=SCENES, title=f"Curso {n}") for n in range(2)]
            encoder = await encoding(worker.pid)
            encoder.suspend()
            for away, back in (
                (functools.partial(mariadb.stop, signal.SIGKILL), mariadb.start),
                (lambda: mariadb.child.send_signal(signal.SIGSTOP), lambda: mariadb.child.send_signal(signal.SIGCONT)),
            ):
                failures = sum(line["event"] == "the database failed" for line in made.lines())
                away()
                await until(functools.partial(made.said, "the database failed", failures + 2))
                back()
            encoder.resume()
            rows = await done(made, *videos)
    assert [row.attempt for row in rows] == [1, 1]


async def test_a_worker_goes_on_with_a_renewed_password(tmp_path, servers):
    mariadb = servers[0]
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "database__password").write_text(PASSWORD)
    with fresh_database(mariadb) as url:
        name = url.rpartition("/")[2]
        own = url.replace("tests:", f"{name}:", 1)
        with mariadb.connect() as connection, connection.cursor() as cursor:
            cursor.execute(f"CREATE USER {name}@`%` IDENTIFIED BY '{PASSWORD}'")
            cursor.execute(f"GRANT ALL ON {name}.* TO {name}@`%`")
            async with farm(tmp_path, url, broker=servers[1].url("admin")) as made:
                made.environment[f"{PREFIX}DATABASE__URL"] = own.replace(f":{PASSWORD}", "")
                made.environment[f"{PREFIX}SECRETS_DIR"] = str(secrets)
                made.start()
                first = await store(made.database)
                await until(lambda: made.ended(first))
                cursor.execute(f"ALTER USER {name}@`%` IDENTIFIED BY 'renewed'")
                cursor.execute("SELECT id FROM information_schema.processlist WHERE user = %s", (name,))
                for (connection_id,) in cursor.fetchall():
                    with contextlib.suppress(Exception):
                        cursor.execute(f"KILL {connection_id}")
                await until(functools.partial(made.said, "the jobs were not looked at"))
                (secrets / "database__password").write_text("renewed")
                second = await store(made.database)
                rows: list[Any] = await done(made, first, second)
            cursor.execute(f"DROP USER {name}@`%`")
    assert [row.attempt for row in rows] == [1, 1]
