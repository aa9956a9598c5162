"""What does the application ask of a provider, and what does it want to know about every call?"""

from typing import Literal, Protocol

from service.render.course import Course

Operation = Literal["write", "speak", "present"]
Outcome = Literal["ok", "error", "timeout", "throttled", "rejected", "open"]
"""Answered; failed (status 5xx, broken connection, senseless answer); too late; 429; another 4xx; not tried."""


class ScriptWriter(Protocol):
    """Writes what is said over scenes that have no narration yet."""

    def write(self, course: Course) -> Course:
        """The course with a narration in every scene; raises ProviderError."""


class Meter(Protocol):
    """Where calls are counted. `provider` is embedded, openai, azure or did."""

    def request(self, provider: str, operation: Operation, outcome: Outcome, seconds: float) -> None:
        """One attempt at a call: ai_requests_total and ai_request_duration_seconds."""

    def tokens(self, provider: str, direction: Literal["input", "output"], count: int) -> None:
        """Tokens that the provider billed: ai_tokens_total."""

    def characters(self, provider: str, count: int) -> None:
        """Characters sent to be spoken: ai_characters_total."""

    def cost(self, provider: str, usd: float) -> None:
        """What the call costs by the price list: ai_cost_usd_total."""

    def breaker(self, provider: str, is_open: bool) -> None:
        """The circuit breaker opened or closed: ai_breaker_open."""

    def fallback(self, provider: str, operation: Operation) -> None:
        """The embedded provider stepped in for this one: ai_fallbacks_total."""


class Unmetered:
    """Counts nothing: for command lines and tests."""

    def request(self, provider: str, operation: Operation, outcome: Outcome, seconds: float) -> None:
        """As Meter."""

    def tokens(self, provider: str, direction: Literal["input", "output"], count: int) -> None:
        """As Meter."""

    def characters(self, provider: str, count: int) -> None:
        """As Meter."""

    def cost(self, provider: str, usd: float) -> None:
        """As Meter."""

    def breaker(self, provider: str, is_open: bool) -> None:
        """As Meter."""

    def fallback(self, provider: str, operation: Operation) -> None:
        """As Meter."""
