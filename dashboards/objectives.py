"""What is promised? The service level objectives, as typed objects."""

from decimal import Decimal
from typing import Annotated

from pydantic import Field

from dashboards.metrics import Model

WINDOW = "WINDOW"  # stands for a range in the two expressions

PROBES = (
    'route!~"/livez|/readyz|/version"'  # asked every few seconds by machines; a draining pod answers 503 on purpose
)
FILES = 'route!~"/livez|/readyz|/version|/files/.*"'  # and transfers take as long as the client's line needs


class Objective(Model):
    """A share of events that must be good over a period.

    target: that share, 0.999 for 99.9 %. bad, events: PromQL for events per second over `[WINDOW]`, without labels.
    least: events in an alert's long window below which nobody is told, because a single one would decide.
    """

    name: str = Field(pattern=r"^[a-z]+$")
    title: str
    target: Annotated[Decimal, Field(gt=0, lt=1)]
    bad: str = Field(pattern=WINDOW)
    events: str = Field(pattern=WINDOW)
    least: int = Field(ge=1)
    period_days: int = Field(default=30, ge=1)

    @property
    def budget(self) -> Decimal:
        """The share of events that may be bad."""
        return 1 - self.target


OBJECTIVES = (
    Objective(
        name="availability",
        title="99.9 % of requests are answered without a server error",
        target=Decimal("0.999"),
        bad=f'sum(rate(http_requests_total{{component="api", status="5xx", {PROBES}}}[{WINDOW}]))',
        events=f'sum(rate(http_requests_total{{component="api", {PROBES}}}[{WINDOW}]))',
        least=100,
    ),
    Objective(
        name="latency",
        title="95 % of requests take less than 200 ms",
        target=Decimal("0.95"),
        bad=f'sum(rate(http_request_duration_seconds_count{{component="api", {FILES}}}[{WINDOW}]))'
        f' - sum(rate(http_request_duration_seconds_bucket{{component="api", le="0.2", {FILES}}}[{WINDOW}]))',
        events=f'sum(rate(http_request_duration_seconds_count{{component="api", {FILES}}}[{WINDOW}]))',
        least=100,
    ),
    Objective(
        name="videos",
        title="99 % of videos that end are done, not given up by the machine",
        target=Decimal("0.99"),
        bad=f'sum(rate(video_jobs_total{{outcome="dead"}}[{WINDOW}]))',
        events=f'sum(rate(video_jobs_total{{outcome=~"done|dead"}}[{WINDOW}]))',
        least=20,
    ),
)
