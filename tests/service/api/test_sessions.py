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
from service.settings import Environment
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
        await session.exec(update(RefreshToken).where(mine).values(used_at=now() - 2 * sessions.GRACE))


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
    # Nobody is logged out by twenty tabs: there is one successor, and all were given it.
    assert {answer.status_code for answer in answers} == {200}
    (successor,) = {answer.json()["refresh_token"] for answer in answers}
    following = await racing.post(f"{URL}/refresh", json={"refresh_token": successor})
    assert following.status_code == 200
    # A moment later the same token is a theft, also when it is tried twenty times at once.
    await age(unshared, token)
    thefts = await asyncio.gather(*(racing.post(f"{URL}/refresh", json={"refresh_token": token}) for _ in range(20)))
    assert {answer.status_code for answer in thefts} == {401}
    last = await racing.post(f"{URL}/refresh", json={"refresh_token": following.json()["refresh_token"]})
    assert last.status_code == 401


async def test_an_answer_that_was_lost_is_given_again(
    client: httpx.AsyncClient, meet: Any, runtime: Runtime, digest: str
) -> None:
    ana = await meet(digest=digest)
    first = (await log_in(client, ana.email)).json()["refresh_token"]
    lost, again = [await client.post(f"{URL}/refresh", json={"refresh_token": first}) for _ in range(2)]
    assert again.status_code == 200 and again.json()["refresh_token"] == lost.json()["refresh_token"]
    headers = {"authorization": f"Bearer {again.json()['access_token']}"}
    assert len((await client.get(URL, headers=headers)).json()["items"]) == 1
    # Whoever comes with the first once its successor was used has found it somewhere.
    used = await client.post(f"{URL}/refresh", json={"refresh_token": again.json()["refresh_token"]})
    assert used.status_code == 200
    assert (await client.post(f"{URL}/refresh", json={"refresh_token": first})).status_code == 401
    assert (await client.get(URL, headers=headers)).status_code == 401


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

    @pytest.mark.parametrize(
        "headers",
        [
            {},  # a program that is no browser
            {"origin": "http://service.test", "sec-fetch-site": "same-origin"},
            # Behind the balancer, which ends TLS.
            {"origin": "https://service.test", "x-forwarded-proto": "https", "sec-fetch-site": "same-origin"},
        ],
    )
    async def test_the_page_itself_may_refresh_with_nothing_but_the_cookie(
        self, client: httpx.AsyncClient, session: httpx.Response, headers: dict[str, str]
    ) -> None:
        for _ in range(2):  # the page is loaded again, and has forgotten everything
            answer = await client.post(f"{URL}/refresh", json={}, headers=headers)
            assert answer.status_code == 200 and "set-cookie" in answer.headers and answer.json()["access_token"]

    @pytest.mark.parametrize(
        "headers",
        [
            {"origin": "https://evil.example"},
            {"origin": "https://evil.example", "sec-fetch-site": "cross-site"},
            {"sec-fetch-site": "cross-site"},
            {"sec-fetch-site": "same-site"},
            {"origin": "http://service.test", "sec-fetch-site": "same-site"},
            {"origin": "http://service.test:81"},
            {"origin": "null"},
        ],
    )
    async def test_other_sites_may_not(
        self, client: httpx.AsyncClient, session: httpx.Response, headers: dict[str, str]
    ) -> None:
        assert session.status_code == 201
        assert (await client.post(f"{URL}/refresh", json={}, headers=headers)).status_code == 403
        assert (await client.delete(f"{URL}/current", headers=headers)).status_code == 403
        assert (await client.post(f"{URL}/refresh", json={})).status_code == 200

    async def test_where_tls_is_a_must_the_plain_site_is_another(
        self, client: httpx.AsyncClient, session: httpx.Response, runtime: Runtime
    ) -> None:
        runtime.settings = runtime.settings.model_copy(update={"environment": Environment.PRODUCTION})
        refused = await client.post(f"{URL}/refresh", json={}, headers={"origin": "http://service.test"})
        assert refused.status_code == 403
        answer = await client.post(f"{URL}/refresh", json={}, headers={"origin": "https://service.test"})
        assert answer.status_code == 200 and "Secure" in answer.headers["set-cookie"]

    async def test_closing_another_session_leaves_ones_own_cookie(
        self, client: httpx.AsyncClient, meet: Any, digest: str
    ) -> None:
        ana = await meet(digest=digest)
        await log_in(client, ana.email)
        mine = (await log_in(client, ana.email, transport="cookie")).json()
        headers = {"authorization": f"Bearer {mine['access_token']}"}
        listed = {row["current"]: row["id"] for row in (await client.get(URL, headers=headers)).json()["items"]}
        answer = await client.delete(f"{URL}/{listed[False]}", headers=headers)
        assert answer.status_code == 204 and "set-cookie" not in answer.headers
        assert (await client.post(f"{URL}/refresh", json={})).status_code == 200
        answer = await client.delete(f"{URL}/{listed[True]}", headers=headers)
        assert answer.status_code == 204 and 'refresh_token=""' in answer.headers["set-cookie"]

    async def test_logging_out_needs_no_access_token_that_still_lives(
        self, client: httpx.AsyncClient, session: httpx.Response
    ) -> None:
        headers = {"authorization": f"Bearer {session.json()['access_token']}"}
        dead = {"authorization": "Bearer expired-long-ago"}
        answer = await client.delete(f"{URL}/current", headers=dead)
        assert answer.status_code == 204 and 'refresh_token=""' in answer.headers["set-cookie"]
        assert (await client.get(URL, headers=headers)).status_code == 401
        client.cookies.set("refresh_token", session.cookies["refresh_token"], path="/api/v1/sessions")
        assert (await client.delete(f"{URL}/current")).status_code == 401
        assert (await client.post(f"{URL}/refresh", json={})).status_code == 401

    async def test_a_cookie_of_nobody_is_refused(self, client: httpx.AsyncClient) -> None:
        client.cookies.set("refresh_token", "x" * 43, path="/api/v1/sessions")
        assert (await client.post(f"{URL}/refresh", json={})).status_code == 401


async def test_what_lasts_longer_than_a_request_can_ask_whether_its_session_is_open(
    client: httpx.AsyncClient, meet: Any, runtime: Runtime
) -> None:
    ana = await meet()
    assert await runtime.cache.is_open(ana.session_id)
    assert (await client.delete(f"{URL}/current", headers=ana.headers)).status_code == 204
    assert not await runtime.cache.is_open(ana.session_id)
