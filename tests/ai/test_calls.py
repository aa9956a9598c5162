"""Does a call survive a bad provider: in time, in memory, without telling secrets, and counted?"""

import traceback
from collections.abc import Iterator
from contextlib import closing, suppress

import httpx
import pytest

from service.ai import calls
from service.ai.breaker import Breaker
from service.ai.calls import Caller, Limits, _again
from service.render.errors import ProviderError
from tests.ai.conftest import KEY, Counted, Fake, Fault


def plain(body: bytes) -> str:
    return body.decode("ascii")


@pytest.fixture
def caller(fake: Fake, meter: Counted, limits: Limits) -> Iterator[Caller]:
    made = Caller("openai", f"{fake.url}/v1", {"Authorization": f"Bearer {KEY}"}, meter=meter, limits=limits)
    yield made
    made.close()


OK = Fault(body=b"fine")


@pytest.mark.parametrize(
    ("faults", "outcomes"),
    [
        ([OK], ["ok"]),
        ([Fault(500), OK], ["error", "ok"]),
        ([Fault(503), Fault(502), OK], ["error", "error", "ok"]),
        ([Fault(429, headers={"Retry-After": "1"}), OK], ["throttled", "ok"]),
        ([Fault(429, headers={"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}), OK], ["throttled", "ok"]),
        ([Fault(how="hang"), OK], ["timeout", "ok"]),
        ([Fault(how="trickle"), OK], ["timeout", "ok"]),
        ([Fault(how="cut"), OK], ["error", "ok"]),
        ([Fault(body=b"\xff"), OK], ["error", "ok"]),
    ],
)
def test_what_may_pass_is_tried_again(fake, caller, meter, faults, outcomes):
    fake.faults.extend(faults)
    assert caller.call("speak", "POST", "audio/speech", plain, json={}) == "fine"
    assert meter.requests == [("openai", "speak", outcome) for outcome in outcomes]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault(500), ("error", 3, "openai answered 500 (speak)")),
        (Fault(429), ("throttled", 3, "openai has too many requests (speak)")),
        (Fault(401), ("rejected", 1, "openai answered 401 (speak)")),
        (Fault(400), ("rejected", 1, "openai answered 400 (speak)")),
        (Fault(302, headers={"Location": "http://169.254.169.254/"}), ("rejected", 1, "openai answered 302 (speak)")),
        (Fault(501), ("error", 1, "openai answered 501 (speak)")),
        (Fault(body=b"\xff"), ("error", 3, "openai gave an answer that makes no sense (speak)")),
    ],
)
def test_what_does_not_pass_ends_in_an_error_without_secrets(fake, caller, meter, fault, expected):
    outcome, tries, told = expected
    fake.faults.extend([fault] * 5)
    with pytest.raises(ProviderError) as caught:
        caller.call("speak", "POST", "audio/speech", plain, json={"input": fault.body.decode("latin-1")})
    assert str(caught.value) == told
    assert meter.outcomes == [outcome] * tries
    shown = "".join(traceback.format_exception(caught.value))
    assert KEY not in shown
    assert "secret text" not in shown


def test_a_provider_that_is_not_there_is_told(meter, limits):
    caller = Caller("azure", "http://127.0.0.1:9", {}, meter=meter, limits=limits)
    with closing(caller), pytest.raises(ProviderError, match=r"azure could not be reached \(ConnectError\)"):
        caller.call("speak", "GET", "x", plain)
    assert meter.outcomes == ["error"] * 3


def test_an_endless_answer_is_cut_off(fake, caller, meter, monkeypatch):
    monkeypatch.setattr(calls, "MAX_ANSWER_BYTES", 1_000)
    fake.faults.append(Fault(body=bytes(2_000)))
    with pytest.raises(ProviderError, match="answered too much"):
        caller.call("speak", "POST", "audio/speech", plain, json={})
    assert meter.outcomes == ["error"]


def test_waits_follow_the_provider_s_wish_with_jitter():
    def wished(seconds: str) -> float:
        response = httpx.Response(429, headers={"Retry-After": seconds})
        return float(_again(calls._FailedError("", "throttled", retried=True, wait=calls._retry_after(response))))

    assert {2 <= wished("2") <= 2.5 for _ in range(20)} == {True}
    assert len({wished("2") for _ in range(20)}) > 1
    assert 30 <= wished("86400") <= 30.5
    assert 0 <= wished("-5") <= 0.5


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_failing_provider_is_left_alone_then_tried_by_one(fake, meter, limits, request):
    clock = Clock()
    breaker = Breaker(meter.breakers.append, failures=4, rest=30, clock=clock)
    caller = Caller("openai", fake.url, {}, meter=meter, limits=limits, breaker=breaker)
    request.addfinalizer(caller.close)
    fake.faults.extend([Fault(500)] * 4)
    for told in ("answered 500", "left alone"):
        with pytest.raises(ProviderError, match=told):
            caller.call("speak", "POST", "x", plain, json={})
    assert len(fake.seen) == 4  # three, then one more, then none
    assert meter.outcomes == ["error"] * 4 + ["open"]
    assert meter.breakers == [False, True]  # closed from the first moment, so that there is something to watch
    clock.now = 29
    assert not breaker.allows()
    clock.now = 30
    fake.faults.append(Fault(500))
    with pytest.raises(ProviderError, match="left alone"):
        caller.call("speak", "POST", "x", plain, json={})
    assert len(fake.seen) == 5  # one try, whose failure opens it again
    clock.now = 60
    assert breaker.allows()
    assert not breaker.allows()  # the others wait for the one that tries
    breaker.record(success=True)
    assert breaker.allows()
    assert meter.breakers == [False, True, False]


def test_refusals_and_successes_do_not_open_the_breaker(fake, meter, request):
    breaker = Breaker(meter.breakers.append, failures=2)
    caller = Caller("openai", fake.url, {}, meter=meter, limits=Limits(timeout=1, attempts=1), breaker=breaker)
    request.addfinalizer(caller.close)
    for fault in (Fault(400), Fault(500), OK, Fault(500), Fault(401), Fault(404)):
        fake.faults.append(fault)
        with suppress(ProviderError):
            caller.call("speak", "POST", "x", plain, json={})
    assert breaker.allows()
    assert meter.breakers == [False]
