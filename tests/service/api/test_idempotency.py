"""Is repeating a creation harmless? Same key and body give the first answer, also when both come at once."""

import asyncio
import hashlib
import time
from dataclasses import dataclass
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from sqlalchemy import update
from sqlmodel import col

from service import sweep
from service.data import idempotency
from service.data.columns import now
from service.http.dependencies import IdempotencyKey
from service.http.idempotency import IdempotentRoute
from service.runtime import Runtime
from tests.service.examples import example_body

URL = "/api/v1/projects"
KEY = {"idempotency-key": "course-0001"}


@dataclass(frozen=True)
class Creation:
    """An operation that documents the header, with the body that its examples make."""

    name: str
    path: str
    body: Any


def creations(app: FastAPI) -> list[Creation]:
    document = app.openapi()
    return [
        Creation(operation["operationId"], path, example_body(document, operation))
        for path, operations in document["paths"].items()
        for operation in operations.values()
        if any(parameter["name"] == "Idempotency-Key" for parameter in operation.get("parameters", ()))
    ]


async def furnish(client: httpx.AsyncClient, person: Any) -> dict[str, str]:
    """What the paths name: a course of this person with a scene."""
    place = (await client.post(URL, json={"title": "x"}, headers=person.headers)).headers["location"]
    await client.post(f"{place}/scenes", json={"title": "x"}, headers=person.headers)
    return {"project_id": place.rsplit("/", 1)[1]}


def the_same(*answers: httpx.Response) -> bool:
    """All but a link, which is renewed."""
    seen = [
        (
            answer.status_code,
            {name: value for name, value in answer.json().items() if name != "upload"},
            [answer.headers.get(name) for name in ("etag", "location", "content-type")],
        )
        for answer in answers
    ]
    return all(one == seen[0] for one in seen)


async def test_every_creation_repeated_gives_the_first_answer(
    served: FastAPI, client: httpx.AsyncClient, meet: Any
) -> None:
    assert {creation.name for creation in creations(served)} >= {"create_project", "create_scene", "start_upload"}
    for creation in creations(served):
        ana = await meet()
        path = creation.path.format(**await furnish(client, ana))
        first, second = [await client.post(path, json=creation.body, headers=ana.headers | KEY) for _ in range(2)]
        assert first.is_success and the_same(first, second), (creation.name, first.text, second.text)
        assert [answer.headers.get("idempotency-replayed") for answer in (first, second)] == [None, "true"]


async def test_every_creation_repeated_at_once_happens_once(
    served: FastAPI, racing: httpx.AsyncClient, meet_unshared: Any
) -> None:
    for creation in creations(served):
        ana = await meet_unshared()
        path = creation.path.format(**await furnish(racing, ana))
        answers = await asyncio.gather(
            *(racing.post(path, json=creation.body, headers=ana.headers | KEY) for _ in range(8))
        )
        assert {answer.is_success for answer in answers} == {True}, [answer.text for answer in answers]
        assert the_same(*answers)
        assert sum("idempotency-replayed" not in answer.headers for answer in answers) == 1


async def test_a_key_belongs_to_one_person(client: httpx.AsyncClient, meet: Any) -> None:
    made = [await client.post(URL, json={"title": "x"}, headers=(await meet()).headers | KEY) for _ in range(2)]
    assert made[0].json()["id"] != made[1].json()["id"]


async def test_a_key_in_other_letters_is_another_key(client: httpx.AsyncClient, meet: Any) -> None:
    ana = await meet()
    keys = ("aaaaaaaB", "AAAAAAAb")
    made = [await client.post(URL, json={"title": "x"}, headers=ana.headers | {"idempotency-key": key}) for key in keys]
    assert made[0].json()["id"] != made[1].json()["id"]


async def test_a_repeated_upload_gets_a_link_that_works(
    client: httpx.AsyncClient, meet: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana, moment = await meet(), time.time()
    body = {"name": "a.png", "content_type": "image/png", "size": 1, "sha256": hashlib.sha256(b"x").hexdigest()}
    first = await client.post("/api/v1/media", json=body, headers=ana.headers | KEY)
    monkeypatch.setattr("service.data.storage.time", SimpleNamespace(time=lambda: moment + 3600))
    again = await client.post("/api/v1/media", json=body, headers=ana.headers | KEY)
    kind = {"content-type": "image/png"}
    sent = [await client.put(answer.json()["upload"]["url"], content=b"x", headers=kind) for answer in (first, again)]
    assert [answer.status_code for answer in sent] == [403, 204]
    await client.delete(first.headers["location"], headers=ana.headers)
    assert (await client.post("/api/v1/media", json=body, headers=ana.headers | KEY)).status_code == 404


def test_a_route_that_cannot_store_its_answer_is_refused_at_the_start() -> None:
    router = APIRouter(route_class=IdempotentRoute)
    with pytest.raises(TypeError, match="create: an idempotent route takes key, response, work"):

        @router.post("/things")
        async def create(key: IdempotencyKey = None) -> None: ...


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
    forgotten = await sweep.everything(unshared.settings)
    gone = {"abandoned uploads", "deleted files", "old lines of the audit trail"}
    assert set(forgotten) == gone | {"expired refresh tokens", "expired idempotency keys", "videos of silent workers"}
