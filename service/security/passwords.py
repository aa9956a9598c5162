"""How are passwords stored, and how much CPU may checking them take? Argon2id, off the event loop, on a share.

Parameters: OWASP Password Storage Cheat Sheet (m = 19 MiB, t = 2, p = 1), about 26 ms of CPU each.
"""

import asyncio
import re
import time
from collections.abc import Callable, Iterable
from importlib.resources import files
from typing import TypeVar

from anyio import CapacityLimiter, to_thread
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from service.http.errors import ProblemError
from service.telemetry.metrics import Metrics

MOST_WAITING = 20  # beyond it a login is refused at once: a queue nobody waits for is work for nothing
FEWEST_GUESSES = 1e8  # zxcvbn's third of four grades: beyond what can be tried against this service in years
WORDS = files("service.security").joinpath("common_words.txt")  # of our own language; the library knows English
T = TypeVar("T")


class Passwords:
    """Hashes one password at a time per worker and then rests, so that logins take `share` of a core at most."""

    def __init__(self, share: float, metrics: Metrics) -> None:
        self.share, self._metrics = share, metrics
        self._hash = PasswordHash((Argon2Hasher(time_cost=2, memory_cost=19 * 1024, parallelism=1),))
        self._slot, self._thread, self._waiting = asyncio.Semaphore(1), CapacityLimiter(1), 0
        self._unknown = self._hash.hash("a password that nobody has")

    async def choose(self, password: str, *about: str) -> str:
        """The stored form of a new password of somebody whose name and address are these.

        Raises ProblemError 422 for one that is easily guessed, 503 when too many wait.
        """
        if await self._work(lambda: _guesses(password, about)) < FEWEST_GUESSES:
            raise ProblemError(422, "this password is easily guessed: take several words that do not belong together")
        return await self.hash(password)

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


def _guesses(password: str, about: Iterable[str]) -> float:
    from zxcvbn import zxcvbn  # noqa: PLC0415 (15 MB and 0.1 s that only somebody who chooses a password needs)

    personal = [part for text in about for part in (text, *re.split(r"\W+", text))]
    known = [*WORDS.read_text(encoding="utf-8").split(), *personal]
    return float(zxcvbn(password[:72], user_inputs=known)["guesses"])  # what is longer takes it seconds
