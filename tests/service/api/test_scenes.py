"""Do scenes behave as documented? Order, pictures, limits, and counts that stay right."""

from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.projects.models import Project
from service.runtime import Runtime
from service.scenes import service


@pytest.fixture
async def course(client: httpx.AsyncClient, meet: Any) -> tuple[str, dict[str, str]]:
    ana = await meet()
    made = await client.post("/api/v1/projects", json={"title": "Luz"}, headers=ana.headers)
    return str(made.headers["location"]), ana.headers


async def add(client: httpx.AsyncClient, course: tuple[str, dict[str, str]], title: str, **more: Any) -> Any:
    answer = await client.post(f"{course[0]}/scenes", json={"title": title} | more, headers=course[1])
    assert answer.status_code == 201, answer.text
    return answer.json()


async def titles(client: httpx.AsyncClient, course: tuple[str, dict[str, str]]) -> list[str]:
    answer = await client.get(f"{course[0]}/scenes", headers=course[1])
    return [scene["title"] for scene in answer.json()["items"]]


async def test_scenes_keep_their_order(client: httpx.AsyncClient, course: Any) -> None:
    ids = [(await add(client, course, title))["id"] for title in "abc"]
    assert await titles(client, course) == ["a", "b", "c"]
    wanted = {"scene_ids": [ids[2], ids[0], ids[1]]}
    answer = await client.put(f"{course[0]}/scenes/order", json=wanted, headers=course[1])
    assert answer.status_code == 200 and [row["title"] for row in answer.json()["items"]] == ["c", "a", "b"]
    await add(client, course, "d")
    assert await titles(client, course) == ["c", "a", "b", "d"]


@pytest.mark.parametrize("wrong", ["missing", "twice", "foreign"])
async def test_an_order_names_every_scene_once(client: httpx.AsyncClient, course: Any, wrong: str) -> None:
    ids = [(await add(client, course, title))["id"] for title in "ab"]
    sent = {"missing": ids[:1], "twice": [ids[0], ids[0]], "foreign": [ids[0], "0" * 32]}[wrong]
    answer = await client.put(f"{course[0]}/scenes/order", json={"scene_ids": sent}, headers=course[1])
    assert answer.status_code == 409
    assert await titles(client, course) == ["a", "b"]


async def test_a_scene_changes_and_goes_and_the_course_counts(client: httpx.AsyncClient, course: Any) -> None:
    scene = await add(client, course, "a", narration="Olá")
    place = f"{course[0]}/scenes/{scene['id']}"
    change = course[1] | {"if-match": '"1"'}
    answer = await client.patch(place, json={"text": "Luz\nÁgua"}, headers=change)
    assert answer.json()["text"] == "Luz\nÁgua" and answer.json()["narration"] == "Olá"
    assert (await client.patch(place, json={"title": None}, headers=course[1] | {"if-match": '"2"'})).status_code == 422
    assert (await client.get(place, headers=course[1])).json() == answer.json()
    assert (await client.get(course[0], headers=course[1])).json()["scene_count"] == 1
    assert (await client.delete(place, headers=change)).status_code == 412
    assert (await client.delete(place, headers=course[1] | {"if-match": '"2"'})).status_code == 204
    assert (await client.get(course[0], headers=course[1])).json()["scene_count"] == 0
    assert (await client.get(place, headers=course[1])).status_code == 404


async def test_scenes_of_another_course_are_not_found(client: httpx.AsyncClient, course: Any, meet: Any) -> None:
    scene = await add(client, course, "a")
    stranger = await meet()
    other = (await client.post("/api/v1/projects", json={"title": "x"}, headers=stranger.headers)).headers["location"]
    for base in (course[0], other):
        place = f"{base}/scenes/{scene['id']}"
        assert (await client.get(place, headers=stranger.headers)).status_code == 404
        change = stranger.headers | {"if-match": '"1"'}
        assert (await client.patch(place, json={"title": "mine"}, headers=change)).status_code == 404
        assert (await client.delete(place, headers=change)).status_code == 404
    assert (await client.post(f"{course[0]}/scenes", json={"title": "x"}, headers=stranger.headers)).status_code == 404
    assert (await client.get(f"{course[0]}/scenes", headers=stranger.headers)).status_code == 404


async def test_a_cached_list_is_never_older_than_a_write(
    client: httpx.AsyncClient, course: Any, runtime: Runtime
) -> None:
    hits = runtime.metrics.counters["cache_requests_total"].labels("hit")

    async def asked_twice() -> list[str]:
        cold, before = await titles(client, course), hits._value.get()
        assert await titles(client, course) == cold
        assert hits._value.get() == before + 1
        return cold

    assert await asked_twice() == []
    first, second = await add(client, course, "a"), await add(client, course, "b")
    assert await asked_twice() == ["a", "b"]
    place, change = f"{course[0]}/scenes/{first['id']}", course[1] | {"if-match": '"1"'}
    assert (await client.patch(place, json={"title": "c"}, headers=change)).status_code == 200
    assert await asked_twice() == ["c", "b"]
    order = {"scene_ids": [second["id"], first["id"]]}
    assert (await client.put(f"{course[0]}/scenes/order", json=order, headers=course[1])).status_code == 200
    assert await asked_twice() == ["b", "c"]
    version = (await client.get(place, headers=course[1])).headers["etag"]
    assert (await client.delete(place, headers=course[1] | {"if-match": version})).status_code == 204
    assert await asked_twice() == ["b"]


async def test_a_long_list_is_answered_but_not_kept(
    client: httpx.AsyncClient, course: Any, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.http.gate.LARGEST_KEPT", 1000)
    await add(client, course, "a", narration="Luz " * 300)
    hits = runtime.metrics.counters["cache_requests_total"].labels("hit")
    before = hits._value.get()
    assert await titles(client, course) == await titles(client, course) == ["a"]
    assert hits._value.get() == before


async def test_a_picture_is_the_callers_completed_upload(client: httpx.AsyncClient, course: Any, meet: Any) -> None:
    body = {"name": "a.png", "content_type": "image/png", "size": 4, "sha256": "0" * 64}
    mine = (await client.post("/api/v1/media", json=body, headers=course[1])).json()["id"]
    foreign = (await client.post("/api/v1/media", json=body, headers=(await meet()).headers)).json()["id"]
    for image in (mine, foreign, "0" * 32):
        answer = await client.post(f"{course[0]}/scenes", json={"title": "x", "image_id": image}, headers=course[1])
        assert answer.status_code == 422 and "image_id" in answer.json()["detail"]


async def test_a_course_has_an_end(
    client: httpx.AsyncClient, course: Any, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "MOST", 1)
    await add(client, course, "a")
    answer = await client.post(f"{course[0]}/scenes", json={"title": "b"}, headers=course[1])
    assert answer.status_code == 409
    async with runtime.database.reading() as session:
        assert (await session.get_one(Project, course[0].rsplit("/", 1)[1])).scene_count == 1


@given(st.permutations(range(6)))
def test_any_order_of_positions_is_the_order_asked_for(order: list[int]) -> None:
    """Positions are multiples of STEP in the wanted order: sorting by them gives the order back."""
    positions = {scene: number * service.STEP for number, scene in enumerate(order, 1)}
    assert sorted(positions, key=positions.__getitem__) == order
