"""What do all workers share besides the database? Revocations, request counts and pages; in Redis or in this process.

Fails open: when Redis does not answer, this process counts alone and tries again a second later.
Pages carry a generation: a write replaces the generation, so a page read before the write is never found again.
"""

import asyncio
import hashlib
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from enum import IntEnum
from importlib.resources import files
from typing import Any, Protocol, TypeVar

import structlog
from redis.asyncio import Redis
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    NoPermissionError,
    NoScriptError,
    ReadOnlyError,
    RedisError,
)
from redis.maint_notifications import MaintNotificationsConfig
from redis.retry import Retry

from service.data.credentials import cache_credentials
from service.settings import CacheSettings, Settings
from service.telemetry.metrics import Metrics

PAUSE_SECONDS = 1.0  # how long a failed cache is left alone
LARGEST_STORE = 50_000  # entries of the in-process store
T = TypeVar("T")


class Outcome(IntEnum):
    """What the store says about a request."""

    ADMITTED = 0
    LIMITED = 1
    REVOKED = 2


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome, the generation under which a page may be stored, and the page when it is known.

    `wait` says after how many seconds one that is limited would be admitted.
    """

    outcome: Outcome
    generation: str = "0"
    page: bytes | None = None
    wait: int = 0


@dataclass(frozen=True, slots=True)
class Admission:
    """Who asks (`user:<id>` or `address:<ip>`), under which limit, for which page.

    `cost` is what it counts for: -1 takes one back, 0 only asks whether the session is open.
    """

    subject: str
    session: str
    window: int
    limit: float
    page: str = ""
    cost: int = 1


class Store(Protocol):
    """Where the shared state is kept."""

    async def admit(self, admission: Admission) -> Decision: ...  # noqa: D102

    async def fill(self, subject: str, generation: str, page: str, body: bytes, seconds: int) -> None: ...  # noqa: D102

    async def outdate(self, subject: str, seconds: int) -> None: ...  # noqa: D102

    async def revoke(self, session: str, seconds: int) -> None: ...  # noqa: D102


class MemoryStore:
    """The same rules inside one process: embedded use, and the fallback while Redis is away."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._values: dict[str, tuple[float, Any]] = {}  # key -> (expires at, value)
        self.evicted = 0  # entries that had to go before their time

    def _get(self, key: str, default: Any) -> Any:
        expires, value = self._values.get(key, (0.0, default))
        return value if expires > self._clock() else default

    def _set(self, key: str, value: Any, seconds: float) -> None:
        if len(self._values) >= LARGEST_STORE:
            now = self._clock()
            live = {k: v for k, v in self._values.items() if v[0] > now}
            kept = {k: v for k, v in live.items() if not k.startswith("page:")}
            self._values = kept if len(kept) < LARGEST_STORE else {}
            self.evicted += len(live) - len(self._values)
        self._values[key] = (self._clock() + seconds, value)

    async def admit(self, admission: Admission) -> Decision:
        """As `admit.lua`."""
        if admission.session and self._get(f"revoked:{admission.session}", default=False):
            return Decision(Outcome.REVOKED)
        now, window = self._clock(), admission.window
        slot = int(now // window)
        current = f"rate:{admission.subject}:{window}:{slot}"
        count = self._get(current, 0)
        before = self._get(f"rate:{admission.subject}:{window}:{slot - 1}", 0)
        share, limit = now % window / window, admission.limit
        if admission.cost > 0 and before * (1 - share) + count >= limit:
            wait = 1 - (limit - count) / before - share if count < limit else 2 - limit / max(count, 1) - share
            return Decision(Outcome.LIMITED, wait=int(wait * window + 1e-3) + 1)
        if admission.cost:
            self._set(current, max(0, count + admission.cost), 2 * window)
        if not admission.page:
            return Decision(Outcome.ADMITTED)
        generation = self._get(f"generation:{admission.subject}", "0")
        page = self._get(f"page:{admission.subject}:{generation}:{admission.page}", None)
        return Decision(Outcome.ADMITTED, generation, page)

    async def fill(self, subject: str, generation: str, page: str, body: bytes, seconds: int) -> None:
        """Keep a page."""
        self._set(f"page:{subject}:{generation}:{page}", body, seconds)

    async def outdate(self, subject: str, seconds: int) -> None:
        """Forget every page of a subject."""
        self._set(f"generation:{subject}", secrets.token_hex(6), 2 * seconds)

    async def revoke(self, session: str, seconds: int) -> None:
        """Refuse the access tokens of a session until the last of them has expired."""
        self._set(f"revoked:{session}", True, seconds)


class RedisStore:
    """The same in Redis or Valkey, one round trip per request."""

    def __init__(self, settings: CacheSettings, region: str) -> None:
        options: dict[str, Any] = {}
        if credentials := cache_credentials(settings, region):
            options["credential_provider"] = credentials
        self.client: Redis = Redis.from_url(
            settings.url or "",
            protocol=3,
            socket_timeout=settings.timeout,
            socket_connect_timeout=settings.timeout,
            socket_keepalive=True,
            client_name="tecnocursos",
            driver_info=None,  # CLIENT SETINFO and maintenance notices are not in the access list, and not needed
            maint_notifications_config=MaintNotificationsConfig(enabled=False),
            retry=Retry(NoBackoff(), 1),
            **options,
        )
        self._script = Batched(self.client, files("service.data").joinpath("admit.lua").read_text())

    async def admit(self, admission: Admission) -> Decision:
        """Ask `admit.lua`."""
        subject = admission.subject
        answer = await self._script.run(
            f"app:revoked:{admission.session}",
            f"app:rate:{subject}:{admission.window}",
            f"app:generation:{subject}",
            f"app:page:{subject}:",
            time.time(),
            admission.window,
            admission.limit,
            admission.page,
            admission.cost,
        )
        if answer[0] == Outcome.LIMITED:
            return Decision(Outcome.LIMITED, wait=answer[1])
        generation = answer[1].decode() if isinstance(answer[1], bytes) else "0"
        return Decision(Outcome(answer[0]), generation, answer[2] if len(answer) > 2 else None)

    async def fill(self, subject: str, generation: str, page: str, body: bytes, seconds: int) -> None:
        """Keep a page under the generation that was current before it was read."""
        await self.client.set(f"app:page:{subject}:{generation}:{page}", body, ex=seconds)

    async def outdate(self, subject: str, seconds: int) -> None:
        """Outlives every page of the generations before it, so an expired generation cannot bring one back."""
        await self.client.set(f"app:generation:{subject}", secrets.token_hex(6), ex=2 * seconds)

    async def revoke(self, session: str, seconds: int) -> None:
        """Refuse the access tokens of a session until the last of them has expired."""
        await self.client.set(f"app:revoked:{session}", b"1", ex=seconds)


class Batched:
    """One script with four keys, asked by many requests: what comes in one turn of the event loop goes out together.

    Under load that is one packet and one connection for many requests, half of what a call of its own would cost.
    """

    def __init__(self, client: Redis, source: str) -> None:
        self._client, self._source = client, source
        self._sha = hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest()  # how Redis names scripts
        self._waiting: list[tuple[tuple[Any, ...], asyncio.Future[Any]]] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, *arguments: Any) -> Any:
        """The script's answer. Raises what the client raises."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        self._waiting.append((arguments, future))
        if len(self._waiting) == 1:
            loop.call_soon(self._flush)
        return await future

    def _flush(self) -> None:
        batch, self._waiting = self._waiting, []
        task = asyncio.get_running_loop().create_task(self._send(batch))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send(self, batch: list[tuple[tuple[Any, ...], asyncio.Future[Any]]]) -> None:
        try:
            answers = await self._execute(batch)
            if any(isinstance(answer, NoScriptError) for answer in answers):  # a server that was restarted
                await self._client.script_load(self._source)
                answers = await self._execute(batch)
        except (RedisError, OSError, TimeoutError) as error:
            answers = [error] * len(batch)
        for (_, future), answer in zip(batch, answers, strict=True):
            if future.done():  # its request was given up
                continue
            if isinstance(answer, BaseException):
                future.set_exception(answer)
            else:
                future.set_result(answer)

    async def _execute(self, batch: list[tuple[tuple[Any, ...], asyncio.Future[Any]]]) -> list[Any]:
        pipeline = self._client.pipeline(transaction=False)
        for arguments, _ in batch:
            pipeline.execute_command("EVALSHA", self._sha, 4, *arguments)
        return list(await pipeline.execute(raise_on_error=False))


class Cache:
    """The store with its fallback."""

    def __init__(self, settings: Settings, metrics: Metrics, clock: Callable[[], float] = time.monotonic) -> None:
        self.settings, self.metrics = settings, metrics
        self.local = MemoryStore()
        self.remote = RedisStore(settings.cache, settings.region) if settings.cache.url else None
        self._clock, self._retry_at = clock, 0.0
        self._evicted = -1 if self.remote else 0  # not known yet

    async def _call(self, remote: Callable[[Store], Awaitable[T]], fallback: Callable[[Store], Awaitable[T]]) -> T:
        if self.remote is not None and self._clock() >= self._retry_at:
            try:
                try:
                    return await remote(self.remote)
                except ReadOnlyError:
                    # After a failover old connections lead to what is a replica now: drop them, look the name up again.
                    self.metrics.count("cache_readonly_total")
                    await self.remote.client.connection_pool.disconnect(inuse_connections=False)
                    return await remote(self.remote)
            except (RedisError, OSError, TimeoutError) as error:
                self._retry_at = self._clock() + PAUSE_SECONDS
                self.metrics.count("cache_failures_total")
                structlog.get_logger().warning("cache", kind=type(error).__name__)
        return await fallback(self.local)

    async def admit(self, admission: Admission) -> Decision:
        """May this request pass, and is its page known?"""
        return await self._call(lambda store: store.admit(admission), lambda store: store.admit(admission))

    async def is_open(self, session: str) -> bool:
        """Do this session's access tokens still work? For what lasts longer than a request."""
        return (await self.admit(Admission("", session, 1, 1, cost=0))).outcome is not Outcome.REVOKED

    async def fill(self, subject: str, generation: str, page: str, body: bytes) -> None:
        """Keep a page for `cache.page_seconds`."""
        seconds = self.settings.cache.page_seconds

        async def fill(store: Store) -> None:
            await store.fill(subject, generation, page, body, seconds)

        await self._call(fill, fill)

    async def outdate(self, *subjects: str) -> None:
        """Forget the pages of these subjects, here and everywhere."""
        seconds = self.settings.cache.page_seconds
        for subject in subjects:
            await self.local.outdate(subject, seconds)
            if self.remote is not None:
                await self._call(lambda store, name=subject: store.outdate(name, seconds), _nothing)  # type: ignore[misc]

    async def revoke(self, sessions: Iterable[str]) -> None:
        """Refuse these sessions' access tokens from now on."""
        seconds = self.settings.security.access_minutes * 60
        for session in sessions:
            await self.local.revoke(session, seconds)
            if self.remote is not None:
                await self._call(lambda store, name=session: store.revoke(name, seconds), _nothing)  # type: ignore[misc]

    async def check(self) -> None:
        """Raises RedisError when the remote store refuses this user; one that is away is survived."""
        try:
            if self.remote is not None:
                await self.remote.client.ping()
        except (AuthenticationError, AuthorizationError, NoPermissionError):
            raise
        except (RedisError, OSError, TimeoutError) as error:
            structlog.get_logger().warning("cache not reachable at start", kind=type(error).__name__)

    async def ping(self) -> bool:
        """Does the remote store answer (True when there is none)?"""
        if self.remote is None:
            return True
        try:
            await self.remote.client.ping()
        except (RedisError, OSError, TimeoutError):
            return False
        return True

    async def count_evictions(self) -> None:
        """Count what was thrown out for lack of room since the last look."""
        if self.remote is None:
            number = self.local.evicted
        else:
            try:
                number = int((await self.remote.client.info("stats"))["evicted_keys"])
            except (RedisError, OSError, TimeoutError):  # the next request notices and counts it
                return
        # The server's counter was there before this process, and begins again when the server does.
        self.metrics.count("cache_evictions_total", number - self._evicted if number >= self._evicted >= 0 else 0)
        self._evicted = number

    async def close(self) -> None:
        """Close every connection."""
        if self.remote is not None:
            await self.remote.client.aclose()


async def _nothing(_: Store) -> None:
    return None
