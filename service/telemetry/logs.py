"""Where do log lines go and what do they look like? JSON, one line each, with the request's id."""

import logging
import logging.handlers
import sys
from collections.abc import Mapping
from typing import Any, Protocol

import orjson
import structlog

from service.settings import LogSettings
from service.telemetry.tracker import track

_HIDDEN = ("password", "token", "secret", "authorization", "cookie")


class Sink(Protocol):
    """Takes one encoded line."""

    def write(self, line: bytes) -> object: ...  # noqa: D102


class Syslog:
    """A local or remote syslog, as `logging` speaks it."""

    def __init__(self, address: str) -> None:
        host, _, port = address.partition(":")
        self._handler = logging.handlers.SysLogHandler((host, int(port)) if port else address)

    def write(self, line: bytes) -> None:
        """Send one line."""
        self._handler.emit(logging.LogRecord("service", logging.INFO, "", 0, line.decode().rstrip(), None, None))


class AccessLog:
    """The access line, past structlog's processors: 13 instead of 29 microseconds."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    def write(self, fields: Mapping[str, Any]) -> None:
        """Write one line."""
        self._sink.write(orjson.dumps(fields) + b"\n")


def open_sink(settings: LogSettings) -> Sink:
    """The configured sink; console is standard output, unbuffered."""
    if settings.sink == "file":
        settings.file.parent.mkdir(parents=True, exist_ok=True)
        return settings.file.open("ab", buffering=0)
    if settings.sink == "syslog":
        return Syslog(settings.syslog)
    return open(sys.stdout.fileno(), "wb", buffering=0, closefd=False)


def configure(settings: LogSettings, sink: Sink) -> None:
    """Send structlog and the standard library's loggers to the sink."""
    level = getattr(logging, settings.level.upper())
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            track,
            structlog.processors.format_exc_info,
            _hide,
            structlog.processors.JSONRenderer(serializer=lambda row, **_: orjson.dumps(row, default=str)),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: _Lines(sink),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers[:] = [_Handler()]
    root.setLevel(max(level, logging.INFO))


def _hide(_: Any, __: str, row: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Last line of defence: a field whose name says that it is a secret is not written."""
    for name in row:
        if any(word in name.lower() for word in _HIDDEN):
            row[name] = "(hidden)"
    return row


class _Lines:
    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    def msg(self, line: bytes) -> None:
        self._sink.write(line + b"\n")

    debug = info = warning = error = critical = exception = msg


class _Handler(logging.Handler):
    """Gives the lines of libraries the same shape."""

    def emit(self, record: logging.LogRecord) -> None:
        structlog.get_logger().log(
            record.levelno,
            record.getMessage(),
            template=str(record.msg),
            logger=record.name,
            exc_info=record.exc_info,
        )
