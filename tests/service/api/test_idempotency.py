"""Is repeating a creation harmless? Same key and body give the first answer, also when both come at once."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import update
from sqlmodel import col

from service.data import sweep
from service.data.columns import now
from service.http import idempotency
from service.runtime import Runtime

URL = "/api/v1/projects"
KEY = {"idempotency-key": "course-0001"}


async def test_a_repetition_gives_the_first_answer(client: httpx.AsyncClient, meet: Any) -> None:
    ana, bia = await meet(), await meet()
    answers = [await client.post(URL, json={"title": "x"}, headers=ana.headers | KEY) for _ in range(2)]
    assert answers[0].status_code == answers[1].status_code == 201
    assert answers[0].json() == answers[1].json()
    for name in ("etag", "location", "content-type"):
        assert answers[0].headers[name] == answers[1].headers[name]
    assert [answer.headers.get("idempotency-replayed") for answer in answers] == [None, "true"]
    assert len((await client.get(URL, headers=ana.headers)).json()["items"]) == 1
    theirs = await client.post(URL, json={"title": "x"}, headers=bia.headers | KEY)
    assert theirs.json()["id"] != answers[0].json()["id"]


async def test_a_key_stands_for_one_request(client: httpx.AsyncClient, meet: Any) -> None:
    ana = await meet()
    made = await client.post(URL, json={"title": "x"}, headers=ana.headers | KEY)
    other = await client.post(URL, json={"title": "y"}, headers=ana.headers | KEY)
    elsewhere = await client.post(f"{made.headers['location']}/scenes", json={"title": "x"}, headers=ana.headers | KEY)
    assert other.status_code == elsewhere.status_code == 422


async def test_a_failed_creation_does_not_use_the_key_up(client: httpx.AsyncClient, meet: Any) -> None:
    ana = await meet()
    course = (await client.post(URL, json={"title": "x"}, headers=ana.headers)).headers["location"]
    assert (await client.post(f"{course}/videos", headers=ana.headers | KEY)).status_code == 409
    await client.post(f"{course}/scenes", json={"title": "x"}, headers=ana.headers)
    assert (await client.post(f"{course}/videos", headers=ana.headers | KEY)).status_code == 202


async def test_concurrent_repetitions_create_once(racing: httpx.AsyncClient, meet_unshared: Any) -> None:
    ana = await meet_unshared()
    answers = await asyncio.gather(
        *(racing.post(URL, json={"title": "x"}, headers=ana.headers | KEY) for _ in range(8))
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len((await racing.get(URL, headers=ana.headers)).json()["items"]) == 1


@pytest.mark.parametrize("key", ["short", "x" * 65, "with space here", "quote'quote'"])
async def test_keys_have_a_form(client: httpx.AsyncClient, meet: Any, key: str) -> None:
    answer = await client.post(URL, json={"title": "x"}, headers=(await meet()).headers | {"idempotency-key": key})
    assert answer.status_code == 422


async def test_old_keys_are_forgotten(client: httpx.AsyncClient, meet: Any, runtime: Runtime) -> None:
    ana = await meet()
    first = await client.post(URL, json={"title": "x"}, headers=ana.headers | KEY)
    async with runtime.database.transaction() as session:
        assert await idempotency.purge(session) == 0
        mine = col(idempotency.IdempotencyRecord.user_id) == ana.id
        old = now() - timedelta(hours=25)
        await session.exec(update(idempotency.IdempotencyRecord).where(mine).values(created_at=old))
        assert await idempotency.purge(session) == 1
    again = await client.post(URL, json={"title": "x"}, headers=ana.headers | KEY)
    assert again.json()["id"] != first.json()["id"]


async def test_the_sweeper_says_what_it_forgot(unshared: Runtime) -> None:
    forgotten = await sweep.run(unshared.settings)
    assert set(forgotten) == {"expired refresh tokens", "expired idempotency keys", "videos of silent workers"}
