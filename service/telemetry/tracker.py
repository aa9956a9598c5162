"""Which errors does the error tracker get? Every line of level error: its words, stack and tags, and no personal data.

The tracker is somebody else's: what a person typed stays here. So lines of libraries are sent without their arguments,
exceptions of libraries without their text, and stacks without the values of variables.
"""

import sys
from typing import Any

import structlog

from service.settings import Settings

LEVELS = {"error": "error", "critical": "fatal"}  # ours, and the protocol's
TAGS = ("request_id", "video", "attempt", "kind", "route", "logger")
_FLUSH_SECONDS = 2.0
_sdk: Any = None


def install(settings: Settings) -> None:
    """Send errors to the configured tracker, if there is one: the package is imported only then."""
    global _sdk  # noqa: PLW0603 # the package's client is one per process, too
    if settings.logs.tracker_url is None:
        _sdk = None
        return
    import sentry_sdk as _sdk  # noqa: PLC0415

    _sdk.init(
        settings.logs.tracker_url.get_secret_value(),
        environment=settings.environment.value,
        release=settings.version,
        default_integrations=False,  # they cost 120 microseconds a request and send what a person typed
        auto_enabling_integrations=False,
        include_local_variables=False,
        max_breadcrumbs=0,
        auto_session_tracking=False,
    )


def flush() -> None:
    """Before the process ends: wait a little until everything was sent."""
    if _sdk is not None:
        _sdk.flush(_FLUSH_SECONDS)


def track(_: Any, __: str, row: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """A step of structlog. `template` is what a library wrote before it filled in its arguments."""
    words = row.pop("template", row["event"])
    if _sdk is not None and row["level"] in LEVELS:
        tags = {name: str(row[name]) for name in TAGS if name in row}
        event = {"level": LEVELS[row["level"]], "logentry": {"message": words}, "tags": tags}
        _sdk.capture_event(event | _stack(row.get("exc_info")))
    return row


def _stack(error: Any) -> dict[str, Any]:
    if error is True:
        error = sys.exc_info()
    if not error or error == (None, None, None):
        return {}
    from sentry_sdk.utils import event_from_exception  # noqa: PLC0415

    event, _ = event_from_exception(error, client_options=_sdk.get_client().options)
    for value in event["exception"]["values"]:
        if not (value.get("module") or "").startswith("service."):
            value["value"] = ""
    return dict(event)
