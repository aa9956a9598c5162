"""Do Redis and the process's own store follow the same rules, and is the absence of Redis survived?"""

import asyncio
import itertools
import os
import time
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
import redis.asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.exceptions import ConnectionError, ReadOnlyError

from service.data.cache import Admission, Cache, MemoryStore, Outcome, RedisStore, Store
from service.data.columns import new
from service.runtime import Runtime
from service.settings import CacheSettings, Settings
from service.telemetry.metrics import Metrics

REDIS = os.environ.get("TECNOCURSOS_TEST_REDIS")


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.needs_redis)])
async def store(request: pytest.FixtureRequest) -> Any:
    if request.param == "memory":
        yield MemoryStore()
        return
    remote = RedisStore(CacheSettings(url=REDIS, timeout=5), "us-east-1")
    yield remote
    await remote.client.aclose()


async def test_a_window_admits_its_limit(store: Store) -> None:
    subject = new()
    answers = [(await store.admit(Admission(subject, "", 60, 3))).outcome for _ in range(5)]
    # A test may begin at the end of a window: what was counted then still weighs almost fully in the next.
    assert answers[:3] == [Outcome.ADMITTED] * 3
    assert Outcome.LIMITED in answers


async def test_a_page_is_found_until_it_is_outdated(store: Store) -> None:
    subject = new()
    admission = Admission(subject, "", 10, 100, "/p?x=1")
    first = await store.admit(admission)
    assert first.page is None
    await store.fill(subject, first.generation, "/p?x=1", b"body", 60)
    assert (await store.admit(admission)).page == b"body"
    assert (await store.admit(Admission(subject, "", 10, 100, "/p?x=2"))).page is None
    assert (await store.admit(Admission(new(), "", 10, 100, "/p?x=1"))).page is None
    await store.outdate(subject, 60)
    after = await store.admit(admission)
    assert after.page is None and after.generation != first.generation


async def test_a_try_that_is_taken_back_does_not_count(store: Store) -> None:
    admission = Admission(new(), "", 3600, 2)
    for _ in range(5):
        assert (await store.admit(admission)).outcome is Outcome.ADMITTED
        await store.admit(replace(admission, cost=-1))
    await store.admit(replace(admission, cost=-1))  # what was never charged gives nothing
    assert [(await store.admit(admission)).outcome for _ in range(3)].count(Outcome.ADMITTED) == 2


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 40), min_size=1, max_size=40), st.integers(1, 6), st.booleans())
async def test_whoever_waits_as_long_as_told_is_admitted_and_not_a_second_before(
    store: Store, pauses: list[int], limit: int, tight: bool
) -> None:
    moment, admission = 1_700_000_000.0, Admission(new(), "", 10, limit * (0.7 if tight else 1))
    clock = pytest.MonkeyPatch()
    clock.setattr("service.data.cache.time", SimpleNamespace(time=lambda: moment))
    if isinstance(store, MemoryStore):
        store = MemoryStore(lambda: moment)
    try:
        for pause in pauses:
            moment += pause / 4
            decision = await store.admit(admission)
            if decision.outcome is Outcome.LIMITED:
                told, asked = decision.wait, moment
                moment = asked + told - 1
                assert told == 1 or (await store.admit(admission)).outcome is Outcome.LIMITED
                moment = asked + told
                assert (await store.admit(admission)).outcome is Outcome.ADMITTED
    finally:
        clock.undo()


async def test_a_revoked_session_is_refused(store: Store) -> None:
    session = new()
    assert (await store.admit(Admission(new(), session, 10, 100))).outcome is Outcome.ADMITTED
    await store.revoke(session, 60)
    assert (await store.admit(Admission(new(), session, 10, 100))).outcome is Outcome.REVOKED
    assert (await store.admit(Admission(new(), "", 10, 100))).outcome is Outcome.ADMITTED


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["ask", "outdate", "wait"]), st.integers(0, 40)), max_size=30))
async def test_a_store_of_one_process_never_returns_what_has_expired(steps: list[tuple[str, int]]) -> None:
    now = 0.0
    store = MemoryStore(lambda: now)
    filled_at, outdated_at = None, -1.0
    for step, amount in steps:
        if step == "wait":
            now += amount
        elif step == "outdate":
            await store.outdate("ana", 60)
            outdated_at = now
        else:
            decision = await store.admit(Admission("ana", "", 10, 10**9, "page"))
            if decision.page is not None:
                assert filled_at is not None and now - filled_at < 60 and filled_at >= outdated_at
            await store.fill("ana", decision.generation, "page", b"x", 60)
            filled_at = now


async def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.data.cache.LARGEST_STORE", 100)
    store = MemoryStore()
    for number in range(500):
        await store.fill("ana", "0", f"page-{number}", b"x", 60)
        await store.revoke(f"session-{number}", 60)
    assert len(store._values) <= 101


class Broken:
    """A remote store that fails for a while."""

    def __init__(self, failure: Callable[[], BaseException | None], store: Store) -> None:
        self.failure, self.store, self.calls, self.dropped = failure, store, 0, 0
        self.client = self.connection_pool = self

    async def disconnect(self, **_: Any) -> None:
        self.dropped += 1

    def __getattr__(self, name: str) -> Any:
        async def call(*arguments: Any) -> Any:
            self.calls += 1
            if (error := self.failure()) is not None:
                raise error
            return await getattr(self.store, name)(*arguments)

        return call


def cache(failure: Callable[[], BaseException | None], clock: Callable[[], float]) -> tuple[Cache, Broken]:
    made = Cache(Settings(), Metrics(), clock)
    broken = Broken(failure, MemoryStore())
    made.remote = broken  # type: ignore[assignment]
    return made, broken


@pytest.mark.parametrize("failure", [ConnectionError("gone"), TimeoutError(), OSError("unreachable")])
async def test_a_lost_cache_fails_open_is_counted_and_left_alone_for_a_second(failure: BaseException) -> None:
    now = 0.0
    made, broken = cache(lambda: failure, lambda: now)
    admission = Admission("ana", "", 60, 2)
    answers = [(await made.admit(admission)).outcome for _ in range(3)]
    assert answers == [Outcome.ADMITTED, Outcome.ADMITTED, Outcome.LIMITED]  # this process still counts
    assert broken.calls == 1
    assert made.metrics.counters["cache_failures_total"]._value.get() == 1
    now = 2.0
    await made.admit(admission)
    assert broken.calls == 2


async def test_revocations_made_while_the_cache_is_lost_hold_in_this_process() -> None:
    made, _ = cache(lambda: ConnectionError("gone"), lambda: 0.0)
    await made.revoke(["session"])
    assert (await made.admit(Admission("ana", "session", 10, 10))).outcome is Outcome.REVOKED


async def test_after_a_failover_connections_to_the_replica_are_dropped_and_the_call_repeated() -> None:
    errors = itertools.chain(
        [ReadOnlyError("READONLY You can't write against a read only replica.")], itertools.repeat(None)
    )
    made, broken = cache(lambda: next(errors), lambda: 0.0)
    assert (await made.admit(Admission("ana", "", 10, 10))).outcome is Outcome.ADMITTED
    assert broken.dropped == 1
    assert made.metrics.counters["cache_readonly_total"]._value.get() == 1
    assert made.metrics.counters["cache_failures_total"]._value.get() == 0


@pytest.mark.needs_redis
async def test_the_access_list_of_the_estate_allows_all_that_is_sent_and_no_more(
    client: httpx.AsyncClient, meet: Any, runtime: Runtime
) -> None:
    """The server knows the user `service` with the list of `cache_access.txt`; a refused command would be counted."""
    failures = runtime.metrics.counters["cache_failures_total"]._value.get()
    ana = await meet()
    for _ in range(2):
        assert (await client.get("/api/v1/projects", headers=ana.headers)).status_code == 200
    await client.post("/api/v1/projects", json={"title": "x"}, headers=ana.headers)
    await runtime.cache.revoke([ana.session_id])
    assert (await client.get("/api/v1/projects", headers=ana.headers)).status_code == 401
    assert await runtime.cache.ping()
    assert runtime.metrics.counters["cache_failures_total"]._value.get() == failures
    assert REDIS is not None
    async with redis.asyncio.Redis.from_url(REDIS) as direct:
        for command in (("KEYS", "*"), ("FLUSHALL",), ("CONFIG", "GET", "*"), ("GET", "other:key"), ("ACL", "LIST")):
            with pytest.raises(redis.exceptions.NoPermissionError):
                await direct.execute_command(*command)


async def test_a_cache_that_is_not_there_costs_a_timeout_once(runtime: Runtime) -> None:
    made = Cache(Settings(cache={"url": "redis://127.0.0.1:1/0"}), Metrics())
    assert not await made.ping()
    started = time.perf_counter()
    for _ in range(100):
        assert (await made.admit(Admission("ana", "", 10, 1000))).outcome is Outcome.ADMITTED
    assert made.metrics.counters["cache_failures_total"]._value.get() == 1, time.perf_counter() - started
    await made.close()


@pytest.mark.needs_redis
async def test_questions_asked_at_once_are_counted_each_also_after_the_server_forgot_the_script() -> None:
    """They travel together; one that is given up does not disturb the others."""
    assert REDIS is not None
    remote = RedisStore(CacheSettings(url=REDIS, timeout=5), "us-east-1")
    async with redis.asyncio.Redis.from_url(REDIS.replace("//service:", "//admin:")) as admin:
        for _ in range(2):
            admission = Admission(new(), "", 3600, 10)
            tasks = [asyncio.create_task(remote.admit(admission)) for _ in range(40)]
            await asyncio.sleep(0)
            tasks[0].cancel()
            done = await asyncio.gather(*tasks, return_exceptions=True)
            answers = [decision.outcome for decision in done if not isinstance(decision, BaseException)]
            assert len(answers) == 39 and isinstance(done[0], asyncio.CancelledError)
            assert answers.count(Outcome.ADMITTED) in {9, 10}
            await admin.script_flush()
    await remote.client.aclose()


async def test_a_full_store_counts_what_it_throws_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.data.cache.LARGEST_STORE", 3)
    cache = Cache(Settings(), Metrics())
    for name in "abcde":
        await cache.local.fill("ana", "0", name, b"body", 60)
    await cache.count_evictions()
    await cache.count_evictions()
    assert cache.metrics.registry.get_sample_value("cache_evictions_total") == 3


@pytest.mark.needs_redis
async def test_evictions_of_the_server_are_counted_from_now_on(monkeypatch: pytest.MonkeyPatch) -> None:
    cache = Cache(Settings(cache={"url": REDIS, "timeout": 5}), Metrics())
    assert cache.remote is not None
    await cache.count_evictions()  # really asked: the access list allows it
    assert cache.metrics.registry.get_sample_value("cache_failures_total") == 0
    readings = iter([7, 9, 2, 4])

    async def info(section: str) -> dict[str, int]:
        assert section == "stats"
        return {"evicted_keys": next(readings)}

    await cache.close()
    cache = Cache(Settings(cache={"url": REDIS}), Metrics())
    assert cache.remote is not None
    monkeypatch.setattr(cache.remote.client, "info", info)
    for expected in (0, 2, 2, 4):  # the server was restarted before the third
        await cache.count_evictions()
        assert cache.metrics.registry.get_sample_value("cache_evictions_total") == expected
    await cache.close()
