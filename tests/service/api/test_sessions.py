"""Is a login session safe? Rotation, reuse, races, cookies against other sites, closing at once."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import jwt
import pytest
from sqlalchemy import update
from sqlmodel import col, select

from service.data.columns import now
from service.runtime import Runtime
from service.security import tokens
from service.users import sessions
from service.users.models import RefreshToken, User

URL = "/api/v1/sessions"
PASSWORD = "correct horse battery"


@pytest.fixture(scope="session")
def digest() -> str:
    from service.security.passwords import Passwords
    from service.telemetry.metrics import Metrics

    return asyncio.run(Passwords(1, Metrics()).hash(PASSWORD))


async def log_in(client: httpx.AsyncClient, email: str, **more: str) -> httpx.Response:
    return await client.post(URL, json={"email": email, "password": PASSWORD} | more)


async def age(runtime: Runtime, token: str) -> None:
    """Let the moment in which concurrent refreshes are forgiven be over."""
    async with runtime.database.transaction() as session:
        mine = col(RefreshToken.token_hash) == tokens.fingerprint(token)
        await session.exec(update(RefreshToken).where(mine).values(used_at=now() - 2 * sessions.SAME_MOMENT))


async def test_login_gives_a_typed_short_token_and_an_opaque_one(
    client: httpx.AsyncClient, meet: Any, digest: str
) -> None:
    ana = await meet(digest=digest)
    answer = await log_in(client, ana.email.upper())
    assert answer.status_code == 201 and answer.headers["cache-control"] == "no-store"
    claims = jwt.decode(answer.json()["access_token"], options={"verify_signature": False})
    assert claims["typ"] == "access" and claims["exp"] - claims["iat"] == 900 and claims["sub"] == ana.id
    headers = {"authorization": f"Bearer {answer.json()['access_token']}"}
    assert (await client.get("/api/v1/users/me", headers=headers)).json()["email"] == ana.email
    listed = (await client.get(URL, headers=headers)).json()["items"]
    assert [item["current"] for item in listed] == [True]


@pytest.mark.parametrize("case", ["wrong password", "unknown", "closed", "no password"])
async def test_refused_logins_look_alike(
    client: httpx.AsyncClient, meet: Any, runtime: Runtime, digest: str, case: str
) -> None:
    ana = await meet(digest="!" if case == "no password" else digest)
    if case == "closed":
        async with runtime.database.transaction() as session:
            (await session.get_one(User, ana.id)).active = False
    email = "nobody@example.com" if case == "unknown" else ana.email
    password = "wrong" if case == "wrong password" else PASSWORD
    answer = await client.post(URL, json={"email": email, "password": password})
    assert answer.status_code == 401 and answer.json()["detail"] == "email and password do not match"


async def test_a_password_hash_of_old_parameters_is_renewed(
    client: httpx.AsyncClient, meet: Any, runtime: Runtime
) -> None:
    from pwdlib.hashers.argon2 import Argon2Hasher

    ana = await meet(digest=Argon2Hasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD))
    assert (await log_in(client, ana.email)).status_code == 201
    async with runtime.database.reading() as session:
        user = (await session.exec(select(User).where(User.id == ana.id))).one()
    assert "m=19456,t=2,p=1" in user.password_hash


async def test_refresh_rotates_and_reuse_closes_the_whole_session(
    client: httpx.AsyncClient, meet: Any, runtime: Runtime, digest: str
) -> None:
    ana = await meet(digest=digest)
    first = (await log_in(client, ana.email)).json()["refresh_token"]
    second = await client.post(f"{URL}/refresh", json={"refresh_token": first})
    assert second.status_code == 200 and second.json()["refresh_token"] != first
    headers = {"authorization": f"Bearer {second.json()['access_token']}"}
    await age(runtime, first)
    thief = await client.post(f"{URL}/refresh", json={"refresh_token": first})
    assert thief.status_code == 401
    # The refusal was an exception, yet the revocation is committed: the successor and the access token are dead too.
    again = await client.post(f"{URL}/refresh", json={"refresh_token": second.json()["refresh_token"]})
    assert again.status_code == 401
    assert (await client.get("/api/v1/users/me", headers=headers)).status_code == 401
    trail = (await client.get("/api/v1/users/me/export", headers=ana.headers)).json()["audit"]
    assert "session.reuse_detected" in [line["action"] for line in trail]


async def test_of_concurrent_refreshes_exactly_one_wins(
    racing: httpx.AsyncClient, meet_unshared: Any, unshared: Runtime, digest: str
) -> None:
    ana = await meet_unshared(digest=digest)
    token = (await log_in(racing, ana.email)).json()["refresh_token"]
    answers = await asyncio.gather(*(racing.post(f"{URL}/refresh", json={"refresh_token": token}) for _ in range(20)))
    won = [answer for answer in answers if answer.status_code == 200]
    assert len(won) == 1
    assert {answer.status_code for answer in answers} <= {200, 409}
    # The losers were told to use the successor, and it works: nobody was logged out by two tabs.
    following = await racing.post(f"{URL}/refresh", json={"refresh_token": won[0].json()["refresh_token"]})
    assert following.status_code == 200
    # A moment later the same token is a theft, also when it is tried twenty times at once.
    await age(unshared, token)
    thefts = await asyncio.gather(*(racing.post(f"{URL}/refresh", json={"refresh_token": token}) for _ in range(20)))
    assert {answer.status_code for answer in thefts} == {401}
    last = await racing.post(f"{URL}/refresh", json={"refresh_token": following.json()["refresh_token"]})
    assert last.status_code == 401


@pytest.mark.parametrize("case", ["unknown", "expired", "closed account", "absent"])
async def test_unusable_refresh_tokens_are_refused(
    client: httpx.AsyncClient, meet: Any, runtime: Runtime, digest: str, case: str
) -> None:
    ana = await meet(digest=digest)
    token = (await log_in(client, ana.email)).json()["refresh_token"]
    async with runtime.database.transaction() as session:
        if case == "expired":
            await session.exec(update(RefreshToken).values(expires_at=now() - timedelta(seconds=1)))
        if case == "closed account":
            (await session.get_one(User, ana.id)).active = False
    body = {"unknown": {"refresh_token": "x" * 43}, "absent": {}}.get(case, {"refresh_token": token})
    assert (await client.post(f"{URL}/refresh", json=body)).status_code == 401


async def test_a_closed_session_is_closed_at_once(client: httpx.AsyncClient, meet: Any, digest: str) -> None:
    ana = await meet(digest=digest)
    one, two = (await log_in(client, ana.email)).json(), (await log_in(client, ana.email)).json()
    headers = [{"authorization": f"Bearer {issued['access_token']}"} for issued in (one, two)]
    other = next(row["id"] for row in (await client.get(URL, headers=headers[0])).json()["items"] if not row["current"])
    assert (await client.delete(f"{URL}/{other}", headers=headers[0])).status_code == 204
    assert (await client.get(URL, headers=headers[1])).status_code == 401
    assert (await client.delete(f"{URL}/{other}", headers=headers[0])).status_code == 404
    assert (await client.delete(f"{URL}/current", headers=headers[0])).status_code == 204
    assert (await client.get(URL, headers=headers[0])).status_code == 401
    gone = await client.post(f"{URL}/refresh", json={"refresh_token": one["refresh_token"]})
    assert gone.status_code == 401


class TestCookies:
    """Browsers: the refresh token in a cookie that scripts cannot read and other sites cannot use."""

    @pytest.fixture
    async def session(self, client: httpx.AsyncClient, meet: Any, digest: str) -> httpx.Response:
        return await log_in(client, (await meet(digest=digest)).email, transport="cookie")

    async def test_the_token_is_only_in_the_cookie(self, session: httpx.Response) -> None:
        cookie = session.headers["set-cookie"]
        assert "HttpOnly" in cookie and "SameSite=strict" in cookie and "Path=/api/v1/sessions" in cookie
        assert "refresh_token" not in session.json()

    async def test_the_page_itself_may_refresh(self, client: httpx.AsyncClient, session: httpx.Response) -> None:
        headers = {"x-csrf-token": session.json()["csrf_token"], "origin": "http://service.test"}
        answer = await client.post(f"{URL}/refresh", json={}, headers=headers)
        assert answer.status_code == 200 and "set-cookie" in answer.headers

    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"x-csrf-token": "0" * 64},
            {"x-csrf-token": "own", "origin": "https://evil.example"},
            {"x-csrf-token": "own", "sec-fetch-site": "cross-site"},
            {"x-csrf-token": "own", "origin": "null"},
        ],
    )
    async def test_other_sites_may_not(
        self, client: httpx.AsyncClient, session: httpx.Response, headers: dict[str, str]
    ) -> None:
        own = session.json()["csrf_token"]
        sent = {name: own if value == "own" else value for name, value in headers.items()}
        assert (await client.post(f"{URL}/refresh", json={}, headers=sent)).status_code == 403

    async def test_a_csrf_token_belongs_to_one_session(
        self, client: httpx.AsyncClient, session: httpx.Response, meet: Any, digest: str
    ) -> None:
        other = await log_in(client, (await meet(digest=digest)).email, transport="cookie")
        headers = {"x-csrf-token": session.json()["csrf_token"]}
        assert other.json()["csrf_token"] != session.json()["csrf_token"]
        assert (await client.post(f"{URL}/refresh", json={}, headers=headers)).status_code == 403

    async def test_a_cookie_of_nobody_is_refused(self, client: httpx.AsyncClient) -> None:
        client.cookies.set("refresh_token", "x" * 43, path="/api/v1/sessions")
        assert (await client.post(f"{URL}/refresh", json={})).status_code == 401


async def test_too_many_attempts_on_one_account_are_stopped(
    client: httpx.AsyncClient, meet: Any, limits: Any, digest: str
) -> None:
    """From many addresses, so that no address limit is what stops them."""
    ana = await meet(digest=digest)
    limits(1)
    answers = [
        await client.post(
            URL,
            json={"email": ana.email, "password": "guess"},
            headers={"x-forwarded-for": f"198.51.100.{number}"},
        )
        for number in range(12)
    ]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429] * 2
    assert answers[-1].headers["retry-after"] == "300"
