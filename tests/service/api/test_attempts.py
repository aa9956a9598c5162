"""How many wrong passwords may be tried, and whom does that hinder? Never the owner at a place that is known."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from service.data.cache import MemoryStore
from service.data.columns import new
from service.runtime import Runtime

SESSIONS, ME = "/api/v1/sessions", "/api/v1/users/me"
PASSWORD, WRONG = "correct horse battery", "a guess"
HOME, ELSEWHERE = "198.51.100.1", "203.0.113."


@pytest.fixture
async def ana(client: httpx.AsyncClient, limits: Any) -> str:
    """Somebody who has logged in at home; from here on limits are in force."""
    email = f"{new()}@example.com"  # Redis remembers what was counted for others
    person = {"email": email, "name": "Ana", "password": PASSWORD}
    assert (await client.post("/api/v1/users", json=person)).status_code == 201
    assert (await log_in(client, email)).status_code == 201
    limits(1)
    return email


@pytest.fixture(autouse=True)
def zones_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is asked here is not how often one may ask, which is the gate's matter."""
    monkeypatch.setattr("service.http.zones.WINDOW", 10_000)


async def log_in(
    client: httpx.AsyncClient, email: str, password: str = PASSWORD, address: str = HOME
) -> httpx.Response:
    body = {"email": email, "password": password}
    return await client.post(SESSIONS, json=body, headers={"x-forwarded-for": address})


async def test_ten_wrong_passwords_from_one_address_stop_that_address_alone(
    client: httpx.AsyncClient, ana: str
) -> None:
    codes = [(await log_in(client, ana, WRONG, f"{ELSEWHERE}1")).status_code for _ in range(12)]
    assert codes == [401] * 10 + [429] * 2
    # The owner is let in, at home and where nobody has tried.
    assert (await log_in(client, ana)).status_code == 201
    assert (await log_in(client, ana, address=f"{ELSEWHERE}2")).status_code == 201


async def test_many_addresses_together_stop_strangers_and_never_the_owner_at_home(
    client: httpx.AsyncClient, ana: str
) -> None:
    codes = [(await log_in(client, ana, WRONG, f"{ELSEWHERE}{number % 100}")).status_code for number in range(60)]
    assert codes == [401] * 50 + [429] * 10
    assert (await log_in(client, ana, address=f"{ELSEWHERE}200")).status_code == 429
    assert (await log_in(client, ana)).status_code == 201


async def test_wrong_passwords_tried_at_once_count_each(client: httpx.AsyncClient, ana: str) -> None:
    answers = await asyncio.gather(*(log_in(client, ana, WRONG) for _ in range(15)))
    assert sorted(answer.status_code for answer in answers) == [401] * 10 + [429] * 5


async def test_right_passwords_do_not_count(client: httpx.AsyncClient, ana: str) -> None:
    for _ in range(3):
        assert {(await log_in(client, ana, WRONG)).status_code for _ in range(3)} == {401}
        assert {(await log_in(client, ana)).status_code for _ in range(12)} == {201}
    assert [(await log_in(client, ana, WRONG)).status_code for _ in range(2)] == [401, 429]


async def test_an_address_without_an_account_is_stopped_alike(client: httpx.AsyncClient, ana: str) -> None:
    codes = [(await log_in(client, f"nobody-{ana}", WRONG)).status_code for _ in range(12)]
    assert codes == [401] * 10 + [429] * 2


@pytest.mark.parametrize("spelling", [str.upper, " {} ".format, lambda email: email.replace("@e", "@\uff45")])
async def test_other_spellings_of_an_address_are_the_same_account(
    client: httpx.AsyncClient, ana: str, spelling: Callable[[str], str]
) -> None:
    codes = [(await log_in(client, spelling(ana), WRONG)).status_code for _ in range(10)]
    assert codes == [401] * 10
    assert (await log_in(client, ana)).status_code == 429


async def test_the_wait_that_is_told_is_true(
    client: httpx.AsyncClient, ana: str, runtime: Runtime, limits: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = 3_000_000_100.0
    monkeypatch.setattr("service.data.cache.time.time", lambda: moment)
    runtime.cache.local = MemoryStore(lambda: moment)
    for _ in range(10):
        await log_in(client, ana, WRONG)
    wait = int((await log_in(client, ana)).headers["retry-after"])
    assert 100 < wait <= 300
    moment += wait - 1
    assert (await log_in(client, ana)).status_code == 429
    moment += 1
    assert (await log_in(client, ana)).status_code == 201


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", f"{ME}/password", {"old_password": WRONG, "new_password": "another horse battery"}),
        ("POST", f"{ME}/erasure", {"password": WRONG}),
    ],
)
async def test_a_stolen_access_token_is_no_way_to_guess_on(
    client: httpx.AsyncClient, ana: str, method: str, path: str, body: dict[str, str]
) -> None:
    token = (await log_in(client, ana)).json()["access_token"]
    headers = {"authorization": f"Bearer {token}", "x-forwarded-for": f"{ELSEWHERE}9"}
    codes = [(await client.request(method, path, json=body, headers=headers)).status_code for _ in range(12)]
    assert codes == [403] * 10 + [429] * 2
    assert (await log_in(client, ana)).status_code == 201
