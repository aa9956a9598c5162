"""Does a job have one holder at a time and one end, whoever dies or sleeps?"""

import asyncio
import uuid
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.data.columns import now
from service.data.database import Database
from service.data.migrations.run import upgrade
from service.settings import Settings, WorkerSettings
from service.telemetry.metrics import Metrics
from service.videos.models import FINAL
from service.worker import jobs
from service.worker.jobs import Beat
from tests.worker.conftest import change, read, store

WORKER = WorkerSettings(attempts=3, lease_seconds=30, per_user=1)
PAST = timedelta(seconds=-1)


async def test_the_oldest_job_is_claimed_once(parts, ask):
    assert await jobs.claim(parts.database, WORKER) is None
    first, second = await ask(), await ask()
    claims = [await jobs.claim(parts.database, WORKER) for _ in range(3)]
    assert [claim and claim.id for claim in claims] == [first.id, second.id, None]
    row = await read(parts.database, first)
    assert (row.status, row.attempt, row.version) == ("running", 1, 2)
    assert row.lease_until is not None
    assert row.lease_until > now() + timedelta(seconds=20)


async def test_a_user_s_second_video_waits_while_another_user_is_served(parts, ask):
    first = await ask()
    await ask(owner=first.owner_id)
    other = await ask()
    claims = [await jobs.claim(parts.database, WORKER) for _ in range(3)]
    assert [claim and claim.id for claim in claims] == [first.id, other.id, None]


@pytest.mark.parametrize("per_user", [1, 3])
async def test_racing_workers_never_take_more_than_a_user_may_have(parts, ask, per_user):
    first = await ask()
    for _ in range(4):
        await ask(owner=first.owner_id)
    worker = WORKER.model_copy(update={"per_user": per_user})
    claims = await asyncio.gather(*(jobs.claim(parts.database, worker) for _ in range(6)))
    taken = [claim.id for claim in claims if claim]
    assert len(taken) == len(set(taken)) == per_user


async def test_a_heartbeat_renews_the_lease_and_learns_of_a_wish_to_cancel(parts, ask):
    video = await ask()
    job = await jobs.claim(parts.database, WORKER)
    await change(parts.database, video, lease_until=now() + PAST)
    assert await jobs.beat(parts.database, WORKER, job, 40, "x" * 500) is Beat.HELD
    row = await read(parts.database, video)
    assert (row.progress, len(row.message), row.lease_until > now()) == (40, 300, True)
    await change(parts.database, video, cancel_requested=True)
    assert await jobs.beat(parts.database, WORKER, job, 50, "x") is Beat.CANCEL


async def test_an_expired_job_is_free_again_and_its_old_holder_is_powerless(parts, ask):
    video = await ask()
    old = await jobs.claim(parts.database, WORKER)
    assert await jobs.expire(parts.database, WORKER) == []
    await change(parts.database, video, lease_until=now() + PAST)
    (expired,) = await jobs.expire(parts.database, WORKER)
    assert (expired.id, expired.attempt, expired.status) == (video.id, 1, "queued")
    assert 1 <= expired.late < 60
    new = await jobs.claim(parts.database, WORKER)
    assert (new.id, new.attempt) == (video.id, 2)
    assert await jobs.beat(parts.database, WORKER, old, 99, "") is Beat.LOST
    assert not await jobs.finish(parts.database, old, "done", "Ready", "videos/old.mp4")
    assert await jobs.retry(parts.database, WORKER, old, "x") is None
    assert await jobs.finish(parts.database, new, "done", "Ready", "videos/new.mp4")
    assert await jobs.finish(parts.database, new, "done", "Ready", "videos/new.mp4")  # the answer was lost
    row = await read(parts.database, video)
    assert (row.status, row.progress, row.result_key, row.lease_until) == ("done", 100, "videos/new.mp4", None)
    assert row.finished_at is not None


async def test_a_failed_attempt_waits_longer_each_time_then_is_given_up_with_a_reason(parts, ask):
    video = await ask()
    for attempt in (1, 2):
        job = await jobs.claim(parts.database, WORKER)
        assert await jobs.retry(parts.database, WORKER, job, "encoding a slide failed") == "queued"
        row = await read(parts.database, video)
        assert row.message == f"Attempt {attempt} of 3 failed, another follows: encoding a slide failed"
        assert row.lease_until > now() + timedelta(seconds=4 * attempt)
        assert await jobs.claim(parts.database, WORKER) is None
        await change(parts.database, video, lease_until=now() + PAST)
    job = await jobs.claim(parts.database, WORKER)
    assert await jobs.retry(parts.database, WORKER, job, "encoding a slide failed") == "failed"
    row = await read(parts.database, video)
    assert row.status == "failed"
    assert row.message == "Rendering failed 3 times, the course is not at fault: encoding a slide failed"


async def test_a_video_that_kills_its_workers_is_given_up_and_a_cancelled_one_stays_cancelled(parts, ask):
    deadly, unwanted = await ask(), await ask()
    for _ in range(2):
        await jobs.claim(parts.database, WORKER)
    await change(parts.database, deadly, attempt=3, lease_until=now() + PAST)
    await change(parts.database, unwanted, cancel_requested=True, lease_until=now() + PAST)
    swept = {job.id: job.status for job in await jobs.expire(parts.database, WORKER)}
    assert swept == {deadly.id: "failed", unwanted.id: "cancelled"}
    assert (await read(parts.database, deadly)).message.startswith("Rendering stopped unexpectedly 3 times")


async def test_the_queue_is_measured(parts, ask):
    assert await jobs.queue(parts.database) == (0, 0.0)
    video = await ask()
    await change(parts.database, video, created_at=now() - timedelta(minutes=5))
    number, age = await jobs.queue(parts.database)
    assert number == 1
    assert age == pytest.approx(300, abs=60)


STEPS = st.lists(
    st.tuples(st.sampled_from(["claim", "beat", "done", "failed", "retry", "expire", "sweep"]), st.integers(0, 2)),
    min_size=5,
    max_size=40,
)


@settings(max_examples=25, deadline=None)
@given(steps=STEPS)
def test_in_any_order_of_events_a_job_ends_once_and_attempts_only_grow(steps, tmp_path_factory):
    asyncio.run(_play(steps, tmp_path_factory.getbasetemp() / f"{uuid.uuid4().hex}.sqlite"))


async def _play(steps: list[tuple[str, int]], file: Path) -> None:
    """Three workers that may sleep through their leases, one video."""
    chosen = Settings(database={"url": f"sqlite+aiosqlite:///{file}"})
    upgrade(chosen)
    database = Database(chosen, Metrics())
    video = await store(database)
    worker = WORKER.model_copy(update={"attempts": 4})
    claims: dict[int, jobs.Claim] = {}
    ends, attempts = set(), [0]
    for step, who in steps:
        job = claims.get(who)
        if step == "claim" and (got := await jobs.claim(database, worker)):
            claims[who] = got
            attempts.append(got.attempt)
        elif step == "expire":
            await change(database, video, lease_until=now() + PAST)
        elif step == "sweep":
            await jobs.expire(database, worker)
        elif job and step == "beat":
            await jobs.beat(database, worker, job, 10, "x")
        elif job and step == "retry":
            await jobs.retry(database, worker, job, "x")
        elif job and step in FINAL and await jobs.finish(database, job, step, "x"):
            ends.add((step, job.attempt))
    row = await read(database, video)
    await database.close()
    assert attempts == list(range(len(attempts)))
    assert len(ends) <= 1
    assert not ends or (row.status, row.attempt) in ends
