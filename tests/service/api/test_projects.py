"""Do courses behave as documented? Creation, reading, changing, pages, ownership, and the cache that must never lie."""

from typing import Any

import httpx
import pytest

from service.runtime import Runtime
from service.security.permissions import Role

URL = "/api/v1/projects"


async def create(client: httpx.AsyncClient, person: Any, title: str = "Fotossíntese") -> dict[str, Any]:
    answer = await client.post(URL, json={"title": title}, headers=person.headers)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def test_a_course_is_created_read_changed_and_deleted(client: httpx.AsyncClient, meet: Any) -> None:
    ana = await meet()
    answer = await client.post(URL, json={"title": "  Álgebra — ção 🌱 "}, headers=ana.headers)
    assert answer.status_code == 201
    place, tag = answer.headers["location"], answer.headers["etag"]
    assert answer.json()["title"] == "Álgebra — ção 🌱"
    read = await client.get(place, headers=ana.headers)
    assert read.json() == answer.json() and read.headers["etag"] == tag
    changed = await client.patch(place, json={"title": "Geometria"}, headers=ana.headers | {"if-match": tag})
    assert changed.status_code == 200 and changed.json()["title"] == "Geometria"
    assert changed.json()["version"] == 2 and changed.json()["language"] == "pt-BR"
    assert (await client.get(place, headers=ana.headers)).json() == changed.json()
    gone = await client.delete(place, headers=ana.headers | {"if-match": changed.headers["etag"]})
    assert gone.status_code == 204
    assert (await client.get(place, headers=ana.headers)).status_code == 404


async def test_a_change_needs_the_version_that_was_read(client: httpx.AsyncClient, meet: Any) -> None:
    ana = await meet()
    place = f"{URL}/{(await create(client, ana))['id']}"
    assert (await client.patch(place, json={"title": "x"}, headers=ana.headers)).status_code == 428
    for wrong in ('"2"', "*", 'W/"1"', "", "9" * 30):
        answer = await client.patch(place, json={"title": "x"}, headers=ana.headers | {"if-match": wrong})
        assert answer.status_code == 412, wrong
    assert (await client.get(place, headers=ana.headers)).json()["version"] == 1


async def test_pages_show_every_course_once_newest_first(client: httpx.AsyncClient, meet: Any) -> None:
    ana = await meet()
    made = [(await create(client, ana, f"course {number}"))["id"] for number in range(7)]
    seen: list[str] = []
    cursor: str | None = None
    for _ in range(4):
        query = {"limit": 3} | ({"cursor": cursor} if cursor else {})
        page = (await client.get(URL, params=query, headers=ana.headers)).json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == sorted(made, reverse=True)
    assert (await client.get(URL, params={"limit": 101}, headers=ana.headers)).status_code == 422


async def test_a_cached_page_is_the_same_and_never_older_than_a_write(
    client: httpx.AsyncClient, meet: Any, runtime: Runtime
) -> None:
    ana = await meet()
    first = await create(client, ana)
    hits = runtime.metrics.counters["cache_requests_total"].labels("hit")
    cold = await client.get(URL, headers=ana.headers)
    before = hits._value.get()
    warm = await client.get(URL, headers=ana.headers)
    assert hits._value.get() == before + 1
    assert warm.content == cold.content and warm.headers["content-type"] == cold.headers["content-type"]
    second = await create(client, ana)
    listed = (await client.get(URL, headers=ana.headers)).json()["items"]
    assert [item["id"] for item in listed] == [second["id"], first["id"]]


async def test_a_page_read_before_a_write_is_not_kept_after_it(runtime: Runtime, meet: Any) -> None:
    """The reader reads, the writer writes and outdates, then the reader stores what it read: nobody may see that."""
    from service.data.cache import Admission

    ana = await meet()
    admission = Admission(ana.id, "", 10, 100, "/page")
    asked = await runtime.cache.admit(admission)
    await runtime.cache.outdate(ana.id)
    await runtime.cache.fill(ana.id, asked.generation, "/page", b"old")
    assert (await runtime.cache.admit(admission)).page is None


@pytest.mark.parametrize("role", [Role.CREATOR, Role.VIEWER])
async def test_strangers_neither_see_nor_change_a_draft(client: httpx.AsyncClient, meet: Any, role: Role) -> None:
    ana, stranger = await meet(), await meet(role)
    place = f"{URL}/{(await create(client, ana))['id']}"
    assert (await client.get(place, headers=stranger.headers)).status_code == 404
    change = {"if-match": '"1"'} | stranger.headers
    expected = 404 if role is Role.CREATOR else 403
    assert (await client.patch(place, json={"title": "mine"}, headers=change)).status_code == expected
    assert (await client.delete(place, headers=change)).status_code == expected
    assert (await client.get(URL, headers=stranger.headers)).json()["items"] == []


async def test_a_published_course_is_in_everybodys_catalogue(client: httpx.AsyncClient, meet: Any) -> None:
    ana, viewer = await meet(), await meet(Role.VIEWER)
    course = await create(client, ana)
    place = f"{URL}/{course['id']}"
    publish = {"json": {"status": "published"}}
    empty = await client.patch(place, **publish, headers=ana.headers | {"if-match": '"1"'})
    assert empty.status_code == 409
    await client.post(f"{place}/scenes", json={"title": "Luz"}, headers=ana.headers)
    tag = (await client.get(place, headers=ana.headers)).headers["etag"]
    assert (await client.patch(place, **publish, headers=ana.headers | {"if-match": tag})).status_code == 200
    assert (await client.get(place, headers=viewer.headers)).json()["status"] == "published"
    listed = (await client.get("/api/v1/catalogue", headers=viewer.headers)).json()["items"]
    assert course["id"] in [item["id"] for item in listed]


async def test_an_administrator_may_change_what_others_own(client: httpx.AsyncClient, meet: Any) -> None:
    ana, admin = await meet(), await meet(Role.ADMIN)
    place = f"{URL}/{(await create(client, ana))['id']}"
    await client.get(place, headers=ana.headers)
    answer = await client.patch(place, json={"status": "archived"}, headers=admin.headers | {"if-match": '"1"'})
    assert answer.status_code == 200
    assert (await client.get(place, headers=ana.headers)).json()["status"] == "archived"


@pytest.mark.parametrize("field", ["title", "description", "language", "status"])
async def test_what_a_course_must_have_cannot_be_null(client: httpx.AsyncClient, meet: Any, field: str) -> None:
    ana = await meet()
    place = f"{URL}/{(await create(client, ana))['id']}"
    answer = await client.patch(place, json={field: None}, headers=ana.headers | {"if-match": '"1"'})
    assert answer.status_code == 422 and answer.json()["errors"][0]["field"] == f"body.{field}"
