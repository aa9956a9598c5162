"""How is a provider's HTTP API called so that it cannot hurt us? Limits, retries, circuit breaker, metering."""

import functools
import random
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TypeVar

import httpx
import stamina

from service.ai.base import Meter, Operation, Outcome
from service.ai.breaker import Breaker
from service.render.errors import ProviderError

MAX_ANSWER_BYTES = 64 * 2**20  # five minutes of speech at 24 kHz are 14 MB
T = TypeVar("T")
_Request = Callable[[], AbstractContextManager[httpx.Response]]
_RETRIED = {408, 425, 429, 500, 502, 503, 504}


@dataclass(frozen=True)
class Limits:
    """Seconds for one attempt and for all of them, and how many there are."""

    timeout: float = 30.0
    total: float = 90.0
    attempts: int = 3
    wait: float = 0.5  # before the second attempt, doubled for each further one, with up to as much jitter


class _FailedError(ProviderError):
    def __init__(self, message: str, outcome: Outcome, *, retried: bool, wait: float | None = None) -> None:
        super().__init__(message)
        self.outcome: Outcome = outcome
        self.retried = retried
        self.wait = wait


class Caller:
    """Calls one provider. Redirects are not followed; no error shows a key, a header or a body."""

    def __init__(
        self,
        provider: str,
        base_url: str,
        headers: dict[str, str],
        *,
        meter: Meter,
        limits: Limits | None = None,
        breaker: Breaker | None = None,
    ) -> None:
        self.provider = provider
        self.meter = meter
        self.limits = limits or Limits()
        self._breaker = breaker or Breaker(lambda is_open: meter.breaker(provider, is_open))
        meter.breaker(provider, False)  # a gauge that only trouble creates cannot be watched
        timeout = httpx.Timeout(self.limits.timeout, connect=min(5.0, self.limits.timeout))
        self._client = httpx.Client(base_url=base_url, headers=headers, timeout=timeout, follow_redirects=False)

    def close(self) -> None:
        """Close the connections that are kept open."""
        self._client.close()

    def call(self, operation: Operation, method: str, path: str, read: Callable[[bytes], T], **options: object) -> T:
        """Send a request and read its answer with `read`, whose ValueError means that the answer makes no sense.

        `options` are those of httpx. Raises ProviderError after the last attempt, or at once if repeating is useless.
        """
        limits = self.limits
        attempts = stamina.RetryingCaller(
            attempts=limits.attempts, timeout=limits.total, wait_initial=limits.wait, wait_jitter=limits.wait
        )
        request = functools.partial(self._client.stream, method, path, **options)  # type: ignore[arg-type]
        return attempts(_again, self._attempt, operation, request, read)

    def _attempt(self, operation: Operation, request: _Request, read: Callable[[bytes], T]) -> T:
        if not self._breaker.allows():
            self.meter.request(self.provider, operation, "open", 0.0)
            raise self._failed(operation, "is left alone after repeated failures", "open", retried=False)
        started = time.monotonic()
        outcome: Outcome = "error"
        try:
            answer = self._answer(operation, request, read)
            outcome = "ok"
        except _FailedError as error:
            outcome = error.outcome
            raise
        finally:
            self.meter.request(self.provider, operation, outcome, time.monotonic() - started)
            if outcome != "rejected":  # a refused request tells nothing about the provider's health
                self._breaker.record(outcome == "ok")
        return answer

    def _answer(self, operation: Operation, request: _Request, read: Callable[[bytes], T]) -> T:
        try:
            with request() as response:
                self._check(operation, response)
                body = self._body(operation, response)
        except httpx.TimeoutException:
            raise self._failed(operation, "took too long", "timeout") from None
        except httpx.HTTPError as error:
            raise self._failed(operation, f"could not be reached ({type(error).__name__})", "error") from None
        try:
            return read(body)
        except ValueError:
            raise self._failed(operation, "gave an answer that makes no sense", "error") from None

    def _check(self, operation: Operation, response: httpx.Response) -> None:
        status = response.status_code
        if status == httpx.codes.TOO_MANY_REQUESTS:
            raise self._failed(operation, "has too many requests", "throttled", wait=_retry_after(response))
        if not response.is_success:
            again = status in _RETRIED
            outcome: Outcome = "error" if again or response.is_server_error else "rejected"
            raise self._failed(operation, f"answered {status}", outcome, retried=again)

    def _body(self, operation: Operation, response: httpx.Response) -> bytes:
        body = bytearray()
        deadline = time.monotonic() + self.limits.timeout
        for piece in response.iter_bytes():
            body += piece
            if len(body) > MAX_ANSWER_BYTES:
                raise self._failed(operation, "answered too much", "error", retried=False)
            if time.monotonic() > deadline:  # httpx's own limit is for each read, not for all of them
                raise self._failed(operation, "took too long", "timeout")
        return bytes(body)

    def _failed(
        self, operation: Operation, what: str, outcome: Outcome, *, retried: bool = True, wait: float | None = None
    ) -> _FailedError:
        return _FailedError(f"{self.provider} {what} ({operation})", outcome, retried=retried, wait=wait)


def _again(error: Exception) -> bool | float:
    if not isinstance(error, _FailedError) or not error.retried:
        return False
    if error.wait is None:
        return True
    return error.wait + random.uniform(0, 0.5)  # noqa: S311 # jitter is no secret


def _retry_after(response: httpx.Response) -> float | None:
    """Seconds that the provider asks us to wait, at most 30; None when it names none (or a date, which none does)."""
    try:
        return min(30.0, max(0.0, float(response.headers.get("retry-after", ""))))
    except ValueError:
        return None
