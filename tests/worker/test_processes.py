"""Does every video end exactly once when workers are killed, brokers restart and databases go away?"""

import asyncio
import contextlib
import functools
import random
import re
import signal
import struct
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from service.data.database import Database
from service.data.storage import open_storage
from service.security.tokens import Tokens
from service.settings import Settings
from service.telemetry.metrics import Metrics
from service.videos.models import FINAL, Video
from service.worker.broker import Broker
from service.worker.process import beside
from tests.service.servers import Redis, free_port, running
from tests.worker.conftest import fresh_database, read, store, until
from tests.worker.farm import SCENES, SWEEP, Farm, check, farm, leavings
from tests.worker.test_attempt import picture


async def test_killed_at_any_moment_every_video_ends_once(tmp_path, servers, request, capsys):
    kills, chance = request.config.getoption("--kills"), random.Random()  # noqa: S311 # moments, not secrets
    mariadb, redis = servers
    with fresh_database(mariadb) as url:
        async with farm(tmp_path, url, broker=redis.url("admin")) as made:
            videos: list[Video] = []
            taken = functools.partial(_someone_runs, made, videos)
            for _ in range(2):
                made.start()
            for _ in range(kills):
                videos += [await store(made.database, scenes=SCENES, title=f"Curso {len(videos)}") for _ in range(2)]
                await Broker(made.settings, Metrics()).wake()
                await until(functools.partial(_all_ready, made))
                await until(taken)
                await asyncio.sleep(chance.uniform(0, 1.5))
                made.kill(made.workers[0])
                made.start()
            late = await check(made, *videos)
    with capsys.disabled():
        found = f"found at most {max(late):.2f} s after their lease" if late else "none while it held a video"
        print(f"\n{kills} workers killed, {len(videos)} videos done once each; {len(late)} held one: {found}")
    # A worker looks every half second; the rest is what a loaded machine may take to come to it.
    assert all(seconds < SWEEP + 10 for seconds in late)


async def _all_ready(made: Farm) -> bool:
    ready = {line["pid"] for line in made.lines() if line["event"] == "worker ready"}
    return {worker.pid for worker in made.workers} <= ready


async def _counted(metrics: Metrics, name: str, number: float) -> bool:
    return metrics.registry.get_sample_value(name) == number


async def _someone_runs(made: Farm, videos: list[Video]) -> bool:
    statuses = {(await read(made.database, video)).status for video in videos}
    return "running" in statuses or "queued" not in statuses


@contextlib.contextmanager
def queue_server(kind: str, redis: Redis) -> Iterator[dict[str, Any]]:
    """Settings of the worker for a broker of this kind."""
    if kind == "redis":
        yield {"broker": redis.url("admin")}
        return
    from moto.server import ThreadedMotoServer

    port = free_port()
    server = ThreadedMotoServer("127.0.0.1", port, verbose=False)
    server.start()
    try:
        import boto3

        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
        client = boto3.client("sqs", endpoint_url=f"http://127.0.0.1:{port}", **keys)
        url = client.create_queue(QueueName="videos")["QueueUrl"]
        yield {"broker": f"sqs://test:test@127.0.0.1:{port}", "queue_url": url, "queue": "videos"}
    finally:
        server.stop()


@pytest.mark.parametrize("kind", ["redis", "sqs"])
async def test_a_message_wakes_a_worker_long_before_it_would_look_by_itself(tmp_path, servers, kind):
    mariadb, redis = servers
    with queue_server(kind, redis) as broker, fresh_database(mariadb) as url:
        async with farm(tmp_path, url, sweep_seconds=60, **broker) as made:
            metrics = Metrics()
            first = await store(made.database)
            made.start()
            await until(lambda: made.ended(first))  # by itself, at its start
            second = await store(made.database)
            await Broker(made.settings, metrics).wake()
            await until(lambda: made.ended(second), 50)
            assert metrics.registry.get_sample_value("video_wakes_failed_total") == 0
            await check(made, first, second)


async def test_beside_the_api_a_worker_is_woken_in_memory(tmp_path):
    from service.data.migrations.run import upgrade

    url = f"sqlite+aiosqlite:///{tmp_path}/test.sqlite"
    worker = {"folder": tmp_path / "work", "sweep_seconds": 60}
    settings = Settings(database={"url": url}, media={"folder": tmp_path / "media"}, worker=worker)
    upgrade(settings)
    metrics = Metrics()
    database = Database(settings, metrics)
    with beside(settings, metrics):
        video = await store(database)
        await Broker(settings, metrics).wake()

        async def ended() -> bool:
            return (await read(database, video)).status in FINAL

        await until(ended, 50)
    assert (await read(database, video)).message == "Ready"
    free, size = (metrics.registry.get_sample_value(f"disk_{kind}_bytes") for kind in ("free", "size"))
    assert 0 < free < size  # a worker fills its disk more than the API does
    await database.close()


async def test_a_broker_that_is_not_there_costs_nothing_but_time(tmp_path, servers):
    """Redis is killed and comes back empty: what was queued meanwhile is found, and messages wake again."""
    mariadb, _ = servers
    redis_folder = Path(tempfile.mkdtemp(dir=tmp_path))
    redis = Redis(redis_folder)
    redis.start()
    try:
        with fresh_database(mariadb) as url:
            async with farm(tmp_path, url, broker=redis.url("admin")) as made:
                made.start()
                metrics = Metrics()
                broker = Broker(made.settings, metrics)
                videos = [await store(made.database, scenes=SCENES)]
                await broker.wake()
                await until(lambda: _someone_runs(made, videos))
                redis.stop(signal.SIGKILL)
                videos.append(await store(made.database, scenes=SCENES))
                await broker.wake()
                await until(functools.partial(_counted, metrics, "video_wakes_failed_total", 1))
                await until(lambda: made.ended(*videos))
                redis.start()
                videos.append(await store(made.database, scenes=SCENES))
                await broker.wake()
                await check(made, *videos)
    finally:
        redis.stop()


async def test_a_database_that_restarts_costs_nothing_but_time(tmp_path):
    with running() as (mariadb, redis), fresh_database(mariadb) as url:
        async with farm(tmp_path, url, broker=redis.url("admin")) as made:
            made.start()
            videos = [await store(made.database, scenes=SCENES, title=f"Curso {n}") for n in range(3)]
            for how in (signal.SIGTERM, signal.SIGKILL):
                await until(lambda: _someone_runs(made, videos))
                mariadb.stop(how)
                await asyncio.sleep(1)  # the outage
                mariadb.start()
            await check(made, *videos)


async def test_a_worker_that_is_asked_to_stop_finishes_its_video_first(tmp_path, servers):
    mariadb, redis = servers
    with fresh_database(mariadb) as url:
        async with farm(tmp_path, url, broker=redis.url("admin")) as made:
            worker = made.start()
            videos = [await store(made.database, scenes=SCENES, title=f"Curso {n}") for n in range(4)]
            await until(lambda: _someone_runs(made, videos))
            worker.terminate()
            assert worker.wait(60) == 0
            rows = [await read(made.database, video) for video in videos]
            assert {row.status for row in rows} <= {"done", "queued"}
            assert "done" in {row.status for row in rows}
            assert leavings(made.settings) == []


def bomb(width: int, height: int) -> bytes:
    """A whole PNG of one colour: tiny as a file, huge when decoded."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    squeezed = zlib.compressobj(9)
    row = bytes(width + 1)
    pixels = b"".join(squeezed.compress(row) for _ in range(height)) + squeezed.flush()
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def highest_memory(pid: int) -> int:
    """Most MiB that the process ever had resident."""
    found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1]) >> 10


async def test_hostile_courses_end_in_words_while_the_worker_lives_in_bounds(tmp_path, servers, capsys):
    mariadb, redis = servers
    pictures = {
        "bomb.png": bomb(20_000, 20_000),
        "just-in-bounds.png": bomb(5_000, 5_000),
        "damaged.png": bomb(1_000, 1_000)[:-200],
        "text.png": b"GET / HTTP/1.1",
        "address.svg": b'<svg><image href="http://169.254.169.254/latest/meta-data"/></svg>',
    }
    with fresh_database(mariadb) as url:
        async with farm(tmp_path, url, broker=redis.url("admin")) as made:
            storage = open_storage(made.settings, Tokens(made.settings))
            videos = {}
            for name, data in pictures.items():
                media = picture(data, name)
                (tmp_path / "upload").write_bytes(data)
                await storage.put(media.key, "image/png", tmp_path / "upload")
                scene = {"title": name, "image_id": media.id}
                videos[name] = await store(made.database, images=[media], scenes=[scene])
            for name, scene in {
                "long": {"title": "a", "narration": "x" * 10_000},
                "emoji": {"title": "👩🏽‍💻🚀", "narration": "🚀"},
                "zalgo": {"title": "Z" + "\u0336\u0321\u0489" * 60},
                "path": {"title": "../../etc/passwd", "text": "- file:///etc/passwd\n- $(reboot) `id` '; --"},
                "good": {"title": "Olá", "narration": "Oi."},
            }.items():
                videos[name] = await store(made.database, scenes=[scene])
            worker = made.start()
            await until(lambda: made.ended(*videos.values()), 120)
            told = {name: (await read(made.database, video)) for name, video in videos.items()}
            assert worker.poll() is None
            peak = highest_memory(worker.pid)
    with capsys.disabled():
        print(f"\n{len(videos)} hostile courses, one worker, at most {peak} MiB")
    done = {name for name, row in told.items() if row.status == "done"}
    assert done == {"just-in-bounds.png", "path", "good"}
    assert all(row.attempt == 1 for row in told.values())
    assert "imagem 'bomb.png' tem mais de 25 megapixels" in told["bomb.png"].message
    assert "imagem 'damaged.png' está danificada" in told["damaged.png"].message
    assert "não é PNG, JPEG, WEBP" in told["text.png"].message
    assert "não é PNG, JPEG, WEBP" in told["address.svg"].message
    assert "cena 1, narração: no máximo 5.000 caracteres" in told["long"].message
    assert "cena 1, título: não sobra nada para mostrar" in told["emoji"].message
    assert "cena 1, título: a fonte não tem combining" in told["zalgo"].message
    assert peak < 500
