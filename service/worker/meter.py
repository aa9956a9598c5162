"""Where do the providers' calls appear in the service's metrics?"""

from typing import Literal

from service.ai.base import Operation, Outcome
from service.telemetry.metrics import Metrics


class ServiceMeter:
    """The providers' meter over the catalogue."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self.usd = 0.0  # spent by this process so far

    def request(self, provider: str, operation: Operation, outcome: Outcome, seconds: float) -> None:
        """As Meter."""
        self._metrics.count("ai_requests_total", provider=provider, operation=operation, outcome=outcome)
        self._metrics.histograms["ai_request_duration_seconds"].labels(provider, operation).observe(seconds)

    def tokens(self, provider: str, direction: Literal["input", "output"], count: int) -> None:
        """As Meter."""
        self._metrics.count("ai_tokens_total", count, provider=provider, direction=direction)

    def characters(self, provider: str, count: int) -> None:
        """As Meter."""
        self._metrics.count("ai_characters_total", count, provider=provider)

    def cost(self, provider: str, usd: float) -> None:
        """As Meter."""
        self.usd += usd
        self._metrics.count("ai_cost_usd_total", usd, provider=provider)

    def breaker(self, provider: str, is_open: bool) -> None:
        """As Meter; the first word of a provider is that it is used."""
        self._metrics.begin("worker", provider)
        self._metrics.gauge("ai_breaker_open", float(is_open), provider=provider)

    def fallback(self, provider: str, operation: Operation) -> None:
        """As Meter."""
        self._metrics.count("ai_fallbacks_total", provider=provider, operation=operation)
