"""Who is told what, how soon, and what is kept quiet? One table, from which every alert manager is configured."""

from typing import Literal

from pydantic import Field

from dashboards.alerts import Area
from dashboards.metrics import Model

Channel = Literal["pagerduty", "slack-urgent", "slack", "email", "heartbeat"]
Topic = Literal["page", "ticket"]
WATCHDOG = "Watchdog"
GROUPED = ("area", "slo")  # alerts of one area are told together: an outage is one message, not twenty


class Route(Model):
    """Alerts that match go to the channels, and in AWS to the topic; the first route that matches decides.

    match: label -> value. areas: these only; none means all. wait: collected before the first message.
    interval: between messages on a group that changes. repeat: while nothing changes; managed Prometheus allows 5 days.
    """

    name: str = Field(pattern=r"^[a-z-]+$")
    match: dict[str, str]
    areas: tuple[Area, ...] = ()
    channels: tuple[Channel, ...] = Field(min_length=1)
    topic: Topic | None
    wait: str
    interval: str
    repeat: str


class Inhibition(Model):
    """While an alert that matches `source` fires, those that match `target` and have the same `equal` labels are quiet.

    A value is a regular expression for the whole of a label. why: what the source explains.
    """

    source: dict[str, str]
    target: dict[str, str]
    equal: tuple[str, ...] = ()
    why: str


ROUTES = (
    Route(  # a message every minute: whoever gets it complains when it stops. In AWS a CloudWatch alarm does
        name="heartbeat",
        match={"alertname": WATCHDOG},
        channels=("heartbeat",),
        topic=None,
        wait="0s",
        interval="1m",
        repeat="1m",
    ),
    Route(
        name="page",
        match={"severity": "page"},
        channels=("pagerduty", "slack-urgent"),
        topic="page",
        wait="30s",
        interval="2m",
        repeat="1h",
    ),
    Route(  # money and objectives are also read by those who are not on call
        name="ticket-owners",
        match={"severity": "ticket"},
        areas=("objective", "providers", "platform"),
        channels=("email", "slack"),
        topic="ticket",
        wait="2m",
        interval="10m",
        repeat="1d",
    ),
    Route(
        name="ticket",
        match={"severity": "ticket"},
        channels=("slack",),
        topic="ticket",
        wait="2m",
        interval="10m",
        repeat="1d",
    ),
)
DEFAULT = "page"  # an alert that no route knows had better wake somebody

INHIBITIONS = (
    Inhibition(
        source={"alertname": "DatabaseUnreachable"},
        target={"alertname": "HighErrorRate|HighLatency|NoTraffic|.*BudgetBurn|QueueOld|DatabaseUnsteady|DatabaseSlow"},
        why="without the database the service answers 503: the cause is told, its effects are not",
    ),
    Inhibition(
        source={"alertname": "ApiNotScraped"},
        target={"area": "api|objective", "severity": "ticket"},
        why="nothing is measured, so little can be said",
    ),
    Inhibition(
        source={"severity": "page"},
        target={"severity": "ticket", "alertname": ".+BudgetBurn"},
        equal=("area", "slo"),
        why="the same budget burns, only slower",
    ),
    Inhibition(
        source={"alertname": "KubernetesSupportEnded"},
        target={"alertname": "KubernetesSupportEnding"},
        why="the same date, later",
    ),
    Inhibition(
        source={"alertname": "ProviderSpendRunaway"},
        target={"alertname": "ProviderSpendHigh"},
        equal=("provider",),
        why="the same money",
    ),
)
