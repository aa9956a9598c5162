"""How are passwords stored, and how much CPU may checking them take? Argon2id, off the event loop, on a share.

Parameters: OWASP Password Storage Cheat Sheet (m = 19 MiB, t = 2, p = 1), about 26 ms of CPU each.
"""

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

from anyio import CapacityLimiter, to_thread
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from service.http.errors import ProblemError
from service.telemetry.metrics import Metrics

MOST_WAITING = 20  # beyond it a login is refused at once: a queue nobody waits for is work for nothing
T = TypeVar("T")


class Passwords:
    """Hashes one password at a time per worker and then rests, so that logins take `share` of a core at most."""

    def __init__(self, share: float, metrics: Metrics) -> None:
        self.share, self._metrics = share, metrics
        self._hash = PasswordHash((Argon2Hasher(time_cost=2, memory_cost=19 * 1024, parallelism=1),))
        self._slot, self._thread, self._waiting = asyncio.Semaphore(1), CapacityLimiter(1), 0
        self._unknown = self._hash.hash("a password that nobody has")

    async def hash(self, password: str) -> str:
        """The stored form. Raises ProblemError 503 when too many wait."""
        return await self._work(lambda: self._hash.hash(password))

    async def verify(self, password: str, stored: str | None) -> tuple[bool, str | None]:
        """Is it the password, and its new stored form when the parameters have changed?

        Without a stored form (unknown user, account without a password) the work is done all the same: the time must
        not tell.
        """
        usable = stored is not None and self._hash.hashers[0].identify(stored)
        against = stored if stored is not None and usable else self._unknown
        matches, renewed = await self._work(lambda: self._hash.verify_and_update(password, against))
        return matches and usable, renewed

    async def _work(self, task: Callable[[], T]) -> T:
        if self._waiting >= MOST_WAITING:
            raise ProblemError(503, "too many logins at this moment", {"retry-after": "2"})
        self._waiting += 1
        self._metrics.gauge("password_checks_waiting", self._waiting)
        try:
            await self._slot.acquire()
        finally:
            self._waiting -= 1
            self._metrics.gauge("password_checks_waiting", self._waiting)
        started = time.perf_counter()
        try:
            return await to_thread.run_sync(task, limiter=self._thread)
        finally:
            rest = (time.perf_counter() - started) * (1 / self.share - 1)
            asyncio.get_running_loop().call_later(rest, self._slot.release)
