"""Are requests limited? Every route, included ones and unknown paths, per user and address, tighter under load."""

from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.data.cache import Admission, MemoryStore, Outcome
from service.http import zones
from service.http.addresses import Addresses, subject
from service.runtime import Runtime
from service.settings import Settings

URL = "/api/v1/projects"


def used(zone: zones.Zone, requests: int) -> float:
    """The factor at which a zone admits this many requests in a window."""
    return requests / (zone.rate * zones.WINDOW)


@pytest.mark.parametrize(
    "path",
    [URL, "/api/v1/catalogue", "/api/v1/users/me", "/api/v1/media", "/files/media/x", "/nowhere", "/openapi.json"],
)
async def test_included_routers_and_unknown_paths_are_limited(
    client: httpx.AsyncClient, meet: Any, limits: Any, path: str
) -> None:
    """Popular limiters silently skip routes that were added with `include_router`."""
    ana, bia = await meet(), await meet()
    limits(used(zones.READ, 3))
    codes = [(await client.get(path, headers=ana.headers)).status_code for _ in range(5)]
    assert 429 not in codes[:3] and codes[3:] == [429, 429]
    answer = await client.get(path, headers=ana.headers)
    assert (
        1 <= int(answer.headers["retry-after"]) <= 2 * zones.WINDOW
        and answer.headers["content-type"] == "application/problem+json"
    )
    assert (await client.get(path, headers=bia.headers)).status_code != 429


async def test_without_a_token_the_address_counts_and_inventing_tokens_does_not_help(
    client: httpx.AsyncClient, limits: Any
) -> None:
    limits(used(zones.READ, 3))
    where = {"x-forwarded-for": "198.51.100.200"}
    for number in range(3):
        answer = await client.get(URL, headers=where | {"authorization": f"Bearer invented-{number}"})
        assert answer.status_code == 401
    assert (await client.get(URL, headers=where | {"authorization": "Bearer another"})).status_code == 429
    assert (await client.get(URL, headers={"x-forwarded-for": "198.51.100.201"})).status_code == 401


async def test_probes_are_never_limited(client: httpx.AsyncClient, limits: Any) -> None:
    limits(used(zones.READ, 1))
    assert {(await client.get("/livez")).status_code for _ in range(20)} == {200}


async def test_zones_count_apart(client: httpx.AsyncClient, meet: Any, limits: Any, runtime: Runtime) -> None:
    ana = await meet()
    limits(used(zones.WRITE, 1))
    counted = runtime.metrics.counters["rate_limited_total"].labels("write")
    before = counted._value.get()
    assert (await client.post(URL, json={"title": "x"}, headers=ana.headers)).status_code == 201
    assert (await client.post(URL, json={"title": "x"}, headers=ana.headers)).status_code == 429
    assert counted._value.get() == before + 1
    assert (await client.get(URL, headers=ana.headers)).status_code == 200


async def test_limits_tighten_under_load(client: httpx.AsyncClient, meet: Any, limits: Any, runtime: Runtime) -> None:
    ana = await meet()
    limits(used(zones.READ, 100))
    runtime.in_flight = runtime.settings.security.tighten_above * 50
    try:
        codes = [(await client.get(URL, headers=ana.headers)).status_code for _ in range(12)]
    finally:
        runtime.in_flight = 0
    assert codes == [200] * 10 + [429] * 2  # a tenth of 100


@given(st.integers(0, 10**6), st.integers(1, 10**4))
def test_the_factor_shrinks_steadily_between_one_and_a_tenth(in_flight: int, above: int) -> None:
    assert zones.TIGHTEST <= zones.factor(in_flight + 1, above) <= zones.factor(in_flight, above) <= 1
    assert (zones.factor(in_flight, above) == 1) == (in_flight <= above)


@pytest.mark.parametrize(
    ("method", "path", "zone"),
    [
        ("POST", "/api/v1/sessions", zones.LOGIN),
        ("POST", "/api/v1/sessions/refresh", zones.ACCOUNT),
        ("POST", "/api/v1/users", zones.ACCOUNT),
        ("GET", "/api/v1/users/me/export", zones.ACCOUNT),
        ("POST", "/api/v1/projects/1/videos", zones.VIDEO),
        ("POST", "/api/v1/media", zones.UPLOAD),
        ("PUT", "/files/media/1", zones.UPLOAD),
        ("PATCH", "/api/v1/projects/1", zones.WRITE),
        ("DELETE", "/anything", zones.WRITE),
        ("GET", "/api/v1/sessions", zones.READ),
        ("BREW", "/pot", zones.WRITE),
    ],
)
def test_every_request_has_a_zone(method: str, path: str, zone: zones.Zone) -> None:
    assert zones.of(method, path) is zone


def test_rates_are_one_to_ten_a_second() -> None:
    assert {zone.rate for zone in zones.ALL} <= set(range(1, 11))


@settings(deadline=None)
@given(st.lists(st.floats(0, 3), min_size=1, max_size=120), st.integers(1, 20))
async def test_no_window_of_time_admits_more_than_twice_the_limit_and_a_first_burst_exactly_it(
    pauses: list[float], limit: int
) -> None:
    """The sliding window is an estimate: over any window it stays below 2 limits, and never starves a fresh caller."""
    now = 1000.0
    store = MemoryStore(lambda: now)
    admitted: list[float] = []
    for pause in pauses:
        now += pause
        decision = await store.admit(Admission("ana", "", 10, limit))
        if decision.outcome is Outcome.ADMITTED:
            admitted.append(now)
    assert len(admitted) >= min(limit, len(pauses))
    for start in admitted:
        assert sum(start <= moment < start + 10 for moment in admitted) <= 2 * limit


PROXIES = Settings(security={"trusted_proxies": ["10.0.0.0/8", "fd00::/8"]}).security.trusted_proxies


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("203.0.113.1", None, "203.0.113.1"),
        ("203.0.113.1", "198.51.100.1", "203.0.113.1"),  # not from a proxy: whoever asks wrote it
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "1.1.1.1, 198.51.100.1", "198.51.100.1"),  # the left part is the client's own claim
        ("10.0.0.1", "1.1.1.1, 198.51.100.1, 10.0.0.9", "198.51.100.1"),
        ("10.0.0.1", "garbage", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1, garbage", "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "10.0.0.2, 10.0.0.3", "10.0.0.2"),
        ("fd00::1", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("unix", "198.51.100.1", "unknown"),
    ],
)
def test_an_address_comes_from_configured_proxies_only(peer: str, forwarded: str | None, address: str) -> None:
    assert Addresses(PROXIES).of(peer, forwarded) == address


@pytest.mark.parametrize(
    ("peer", "told", "address"),
    [
        ("10.0.0.1", "198.51.100.10:46532", "198.51.100.10"),
        ("10.0.0.1", "2001:db8:1:2:3:4:5:6:443", "2001:db8:1:2::/64"),
        ("10.0.0.1", "[2001:db8:1:2:3:4:5:6]:443", "2001:db8:1:2::/64"),
        ("10.0.0.1", "garbage", "10.0.0.1"),
        ("10.0.0.1", None, "10.0.0.1"),
        ("203.0.113.1", "198.51.100.10:46532", "203.0.113.1"),  # not from a proxy: whoever asks wrote it
    ],
)
def test_an_outermost_proxy_may_tell_the_address_in_a_header_of_its_own(
    peer: str, told: str | None, address: str
) -> None:
    known = Addresses(PROXIES, "CloudFront-Viewer-Address")
    assert known.header == b"cloudfront-viewer-address"
    assert known.of(peer, told) == address


@given(st.text(max_size=60))
def test_no_header_breaks_the_reading_of_an_address(forwarded: str) -> None:
    found = Addresses(PROXIES).of("10.0.0.1", forwarded)
    assert found == subject(found) or found.endswith("/64")
