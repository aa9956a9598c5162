"""Do videos behave as documented? Queueing, limits, cancelling, results, and progress by socket or by asking again."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from fastapi import FastAPI

from service.data.columns import now
from service.runtime import Runtime
from service.security.permissions import Role
from service.videos import progress
from service.videos.models import Files, Video


@pytest.fixture
async def course(client: httpx.AsyncClient, meet: Any) -> Any:
    ana = await meet()
    place = (await client.post("/api/v1/projects", json={"title": "Luz"}, headers=ana.headers)).headers["location"]
    await client.post(f"{place}/scenes", json={"title": "Fóton"}, headers=ana.headers)
    return ana, place


async def ask(client: httpx.AsyncClient, course: Any) -> Any:
    answer = await client.post(f"{course[1]}/videos", headers=course[0].headers)
    assert answer.status_code == 202, answer.text
    return answer.json()


async def write(runtime: Runtime, video_id: str, **values: Any) -> None:
    """What a worker would write."""
    async with runtime.database.transaction() as session:
        (await session.get_one(Video, video_id)).sqlmodel_update(values)


async def test_a_video_waits_and_says_so(client: httpx.AsyncClient, course: Any) -> None:
    answer = await client.post(f"{course[1]}/videos", headers=course[0].headers)
    assert answer.status_code == 202
    seen = await client.get(answer.headers["location"], headers=course[0].headers)
    assert seen.json()["status"] == "queued" and seen.json()["message"] == "Waiting for a worker"
    assert seen.json()["progress"] == 0 and seen.headers["retry-after"] == "2"
    result = await client.get(f"{answer.headers['location']}/result", headers=course[0].headers)
    assert result.status_code == 409 and "queued" in result.json()["detail"]
    project = course[1].rsplit("/", 1)[1]
    for query, number in (({}, 1), ({"project_id": project}, 1), ({"project_id": "0" * 32}, 0)):
        listed = await client.get("/api/v1/videos", params=query, headers=course[0].headers)
        assert len(listed.json()["items"]) == number


async def test_an_empty_course_gives_no_video(client: httpx.AsyncClient, meet: Any) -> None:
    ana = await meet()
    place = (await client.post("/api/v1/projects", json={"title": "x"}, headers=ana.headers)).headers["location"]
    assert (await client.post(f"{place}/videos", headers=ana.headers)).status_code == 409


async def test_three_at_a_time(client: httpx.AsyncClient, course: Any) -> None:
    made = [await ask(client, course) for _ in range(3)]
    fourth = await client.post(f"{course[1]}/videos", headers=course[0].headers)
    assert fourth.status_code == 429 and fourth.headers["retry-after"] == "60"
    cancelled = await client.post(f"/api/v1/videos/{made[0]['id']}/cancel", headers=course[0].headers)
    assert cancelled.json()["status"] == "cancelled"
    await ask(client, course)
    assert (await client.post(f"/api/v1/videos/{made[0]['id']}/cancel", headers=course[0].headers)).status_code == 409


async def test_a_running_video_is_asked_to_stop(client: httpx.AsyncClient, course: Any, runtime: Runtime) -> None:
    video = await ask(client, course)
    await write(runtime, video["id"], status="running", progress=40)
    answer = await client.post(f"/api/v1/videos/{video['id']}/cancel", headers=course[0].headers)
    assert answer.json()["status"] == "running" and answer.json()["message"] == "Cancelling"
    async with runtime.database.reading() as session:
        assert (await session.get_one(Video, video["id"])).cancel_requested


async def test_the_results_are_links(client: httpx.AsyncClient, course: Any, runtime: Runtime, tmp_path: Path) -> None:
    video = await ask(client, course)
    files = Files.of(video["id"], 1)
    (tmp_path / "made").write_bytes(b"made")
    for key in files.all:
        await runtime.storage.put(key, "video/mp4", tmp_path / "made")
    result = {"status": "done", "progress": 100, "attempt": 1, "result_key": files.video, "finished_at": now()}
    await write(runtime, video["id"], **result)
    links = []
    for part, kind in (("captions", "text/vtt"), ("thumbnail", "image/jpeg"), ("result", "video/mp4")):
        link = (await client.get(f"/api/v1/videos/{video['id']}/{part}", headers=course[0].headers)).json()
        got = await client.get(link["url"])
        assert got.content == b"made" and got.headers["content-type"].startswith(kind)
        links.append(link["url"])
    seen = await client.get(f"/api/v1/videos/{video['id']}", headers=course[0].headers)
    assert "retry-after" not in seen.headers
    tag = (await client.get(course[1], headers=course[0].headers)).headers["etag"]
    await client.delete(course[1], headers=course[0].headers | {"if-match": tag})
    assert [(await client.get(link)).status_code for link in links] == [404, 404, 404]


async def test_strangers_videos_are_not_found(client: httpx.AsyncClient, course: Any, meet: Any) -> None:
    video, stranger, viewer = await ask(client, course), await meet(), await meet(Role.VIEWER)
    place = f"/api/v1/videos/{video['id']}"
    for method, url in (("GET", place), ("POST", f"{place}/cancel"), ("GET", f"{place}/result")):
        assert (await client.request(method, url, headers=stranger.headers)).status_code == 404
        assert (await client.request(method, url, headers=viewer.headers)).status_code == 403
    assert (await client.post(f"{course[1]}/videos", headers=stranger.headers)).status_code == 404


class Socket:
    """A WebSocket client that speaks ASGI."""

    def __init__(self, app: FastAPI, path: str, protocols: list[str], **headers: str) -> None:
        self.sent: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.received: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        scope = {
            **{"type": "websocket", "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": ""},
            **{"scheme": "ws", "server": ("service.test", 80), "client": ("127.0.0.1", 1), "subprotocols": protocols},
            "headers": [(b"host", b"service.test"), *((k.encode(), v.encode()) for k, v in headers.items())],
        }
        self.sent.put_nowait({"type": "websocket.connect"})
        self.task = asyncio.create_task(app(scope, self.sent.get, self.received.put))  # type: ignore[arg-type]

    async def next(self) -> dict[str, Any]:
        return await asyncio.wait_for(self.received.get(), 20)


def offered(person: Any) -> list[str]:
    return [progress.PROTOCOL, "bearer." + person.headers["authorization"].removeprefix("Bearer ")]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "INTERVAL", 0.01)


@pytest.mark.usefixtures("quick")
async def test_a_socket_tells_every_change_until_the_end(
    client: httpx.AsyncClient, course: Any, runtime: Runtime, served: FastAPI
) -> None:
    video = await ask(client, course)
    socket = Socket(served, f"/api/v1/videos/{video['id']}/progress", offered(course[0]))
    assert (await socket.next()) == {"type": "websocket.accept", "subprotocol": progress.PROTOCOL, "headers": []}
    assert orjson.loads((await socket.next())["text"]) == video
    await write(runtime, video["id"], status="running", progress=50, message="Scene 1 of 2")
    changed = orjson.loads((await socket.next())["text"])
    assert (changed["progress"], changed["message"]) == (50, "Scene 1 of 2")
    await write(runtime, video["id"], status="done", progress=100)
    assert orjson.loads((await socket.next())["text"])["status"] == "done"
    assert (await socket.next())["code"] == 1000
    await socket.task


@pytest.mark.usefixtures("quick")
async def test_a_draining_process_sends_sockets_away(
    client: httpx.AsyncClient, course: Any, runtime: Runtime, served: FastAPI
) -> None:
    video = await ask(client, course)
    socket = Socket(served, f"/api/v1/videos/{video['id']}/progress", offered(course[0]))
    await socket.next()
    await socket.next()
    runtime.draining = True
    assert (await socket.next())["code"] == 1012


@pytest.mark.usefixtures("quick")
async def test_a_client_that_leaves_is_noticed(
    client: httpx.AsyncClient, course: Any, runtime: Runtime, served: FastAPI
) -> None:
    video = await ask(client, course)
    gauge = runtime.metrics.gauges["progress_streams"]
    socket = Socket(served, f"/api/v1/videos/{video['id']}/progress", offered(course[0]))
    await socket.next()
    await socket.next()
    assert gauge._value.get() == 1
    socket.sent.put_nowait({"type": "websocket.disconnect", "code": 1001})
    await asyncio.wait_for(socket.task, 20)
    assert gauge._value.get() == 0


@pytest.mark.parametrize(
    ("case", "code"), [("nobody", 4401), ("viewer", 4403), ("another site", 4403), ("stranger", 4404)]
)
async def test_sockets_are_for_those_who_may(
    *, client: httpx.AsyncClient, course: Any, meet: Any, served: FastAPI, case: str, code: int
) -> None:
    video = await ask(client, course)
    people = {"nobody": None, "viewer": await meet(Role.VIEWER), "stranger": await meet()}
    person = people.get(case, course[0])
    headers = {"origin": "https://evil.example"} if case == "another site" else {"origin": "https://service.test"}
    socket = Socket(served, f"/api/v1/videos/{video['id']}/progress", offered(person) if person else [], **headers)
    answer = await socket.next()
    if answer["type"] == "websocket.accept":
        answer = await socket.next()
    assert answer["code"] == code
