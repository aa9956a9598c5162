"""How many requests may a caller make? Zones of 1 to 10 requests per second that tighten under load."""

import re
from dataclasses import dataclass

WINDOW = 10  # seconds over which a zone's rate is counted: short bursts pass, sustained excess does not
TIGHTEST = 0.1


@dataclass(frozen=True, slots=True)
class Zone:
    """A name for metrics and messages, and its rate in requests per second for each user or address."""

    name: str
    rate: float


LOGIN = Zone("login", 1)
ACCOUNT = Zone("account", 1)
VIDEO = Zone("video", 1)
UPLOAD = Zone("upload", 2)
WRITE = Zone("write", 5)
READ = Zone("read", 10)
ALL = (LOGIN, ACCOUNT, VIDEO, UPLOAD, WRITE, READ)

_SAFE = {"GET", "HEAD", "OPTIONS"}
_RULES = (
    (re.compile(r"/api/v1/sessions/?$"), LOGIN),
    (re.compile(r"/api/v1/(sessions|users)(/|$)"), ACCOUNT),
    (re.compile(r"/api/v1/projects/[^/]+/videos/?$"), VIDEO),
    (re.compile(r"/(api/v1/media|files)(/|$)"), UPLOAD),
)


def of(method: str, path: str) -> Zone:
    """The zone of a request; an export is as dear as a change of the account."""
    if method in _SAFE:
        return ACCOUNT if path == "/api/v1/users/me/export" else READ
    for pattern, zone in _RULES:
        if pattern.match(path):
            return zone
    return WRITE


def factor(in_flight: int, tighten_above: int) -> float:
    """1 at rest; above `tighten_above` requests in flight limits shrink in proportion, down to a tenth."""
    if in_flight <= tighten_above:
        return 1.0
    return max(TIGHTEST, tighten_above / in_flight)
