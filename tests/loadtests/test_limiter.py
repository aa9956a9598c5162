"""Do two processes together allow what is configured, when people ask for more at the same time?"""

import http.client
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest

from loadtests import execution, watch
from loadtests.outcome import WINDOW

CONNECTIONS = 12  # the kernel spreads them over the processes that share the port
ZONES = {"read": 10, "write": 5}  # requests a second of the service's zones
COURSE = '{"title":"Fotossíntese"}'.encode()


def ask(target: execution.Target, zone: str, token: str, times: int) -> list[int]:
    """Statuses of this many requests of one person, over one connection."""
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    connection = http.client.HTTPConnection(urlsplit(target.url).netloc, timeout=30)
    statuses = []
    for _ in range(times):
        method, body = ("GET", None) if zone == "read" else ("POST", COURSE)
        connection.request(method, "/api/v1/projects", body, headers)
        answer = connection.getresponse()
        answer.read()
        statuses.append(answer.status)
    connection.close()
    return statuses


def flood(target: execution.Target, zone: str, people: Iterator[dict[str, Any]]) -> list[int]:
    """Twice what a window allows, at once over all connections, by somebody new until it fits into one window."""
    each = 2 * ZONES[zone] * WINDOW // CONNECTIONS + 1
    while True:
        token, slot = next(people)["token"], time.time() // WINDOW
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            rows = list(pool.map(lambda _, who=token: ask(target, zone, who, each), range(CONNECTIONS)))
        if time.time() // WINDOW == slot:
            return [status for row in rows for status in row]


@pytest.mark.parametrize("zone", ZONES)
def test_two_processes_allow_what_is_configured_within_two_percent(target: execution.Target, zone: str) -> None:
    people = iter(target.sample["accounts"][:6] if zone == "read" else target.sample["accounts"][6:])
    before = [watch.look({}, [page]) for page in target.metrics]
    statuses = flood(target, zone, people)
    after = [watch.look({}, [page]) for page in target.metrics]
    done = [watch.difference(*pair) for pair in zip(before, after, strict=True)]
    assert set(statuses) == {200 if zone == "read" else 201, 429}
    configured, allowed = ZONES[zone] * WINDOW, sum(status != 429 for status in statuses)
    assert abs(allowed - configured) <= 0.02 * configured
    assert all(sample.requests.get("2xx", 0) > 0 for sample in done), "one process answered everything"
    assert sum(sample.limited for sample in done) >= len(statuses) - allowed
