"""Do videos behave as documented? Queueing, limits, cancelling, results, and progress by socket or by asking again."""

import asyncio
import time
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import orjson
import pytest
from fastapi import FastAPI
from sqlmodel import select

from service.data.columns import now
from service.media.models import Media
from service.plans import allowances
from service.plans.models import Plan
from service.runtime import Runtime
from service.scenes.models import Scene
from service.security.permissions import Role
from service.videos import progress
from service.videos.models import Files, Share, Video


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


async def finish(runtime: Runtime, video: Any) -> None:
    """What a worker leaves."""
    files = Files.of(video["id"], 1)
    for key in files.all:
        path = runtime.storage.path(key)  # type: ignore[attr-defined]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(key.encode())
    await write(runtime, video["id"], status="done", attempt=1, result_key=files.video, finished_at=now())


async def test_whoever_may_read_a_published_course_watches_its_newest_video(
    client: httpx.AsyncClient, course: Any, meet: Any, runtime: Runtime
) -> None:
    viewer = await meet(Role.VIEWER)
    place = f"{course[1]}/watch"
    assert (await client.get(place, headers=viewer.headers)).status_code == 404
    assert (await client.get(place, headers=course[0].headers)).status_code == 404  # nothing is finished
    older, newer = await ask(client, course), await ask(client, course)
    await finish(runtime, older)
    await finish(runtime, newer)
    tag = (await client.get(course[1], headers=course[0].headers)).headers["etag"]
    change = {"status": "published"}
    await client.patch(course[1], json=change, headers=course[0].headers | {"if-match": tag})
    seen = (await client.get(place, headers=viewer.headers)).json()
    assert seen["title"] == "Luz"
    for part, kind in (("video", "video/mp4"), ("captions", "text/vtt"), ("thumbnail", "image/jpeg")):
        got = await client.get(seen[part]["url"])
        assert newer["id"].encode() in got.content and got.headers["content-type"].startswith(kind)
        assert got.headers["content-disposition"].startswith("inline; filename*=UTF-8''Luz.")


async def test_a_shared_link_needs_no_account_and_can_be_withdrawn(
    client: httpx.AsyncClient, course: Any, meet: Any, runtime: Runtime
) -> None:
    await finish(runtime, await ask(client, course))
    place = f"{course[1]}/share"
    assert (await client.post(place, headers=(await meet()).headers)).status_code == 404
    first, second = [(await client.post(place, headers=course[0].headers)).json() for _ in range(2)]
    assert (await client.get(first["url"])).status_code == 404  # the second has replaced it
    assert (await client.get(second["url"])).json()["title"] == "Luz"
    assert (await client.delete(place, headers=course[0].headers)).status_code == 204
    assert (await client.get(second["url"])).status_code == 404
    async with runtime.database.reading() as session:
        assert second["token"] not in str((await session.exec(select(Share))).all())


async def test_readers_of_a_course_see_its_pictures_and_no_others(
    client: httpx.AsyncClient, course: Any, meet: Any, runtime: Runtime
) -> None:
    owner, reader = course[0].id, await meet(Role.VIEWER)
    rows = [
        Media(owner_id=owner, name=f"{n}.png", content_type="image/png", size=1, sha256="0" * 64, status="ready")
        for n in range(2)
    ]
    async with runtime.database.transaction() as session:
        session.add_all(rows)
    await client.post(f"{course[1]}/scenes", json={"title": "x", "image_id": rows[0].id}, headers=course[0].headers)
    shown, hidden = (f"{course[1]}/pictures/{row.id}" for row in rows)
    assert (await client.get(shown, headers=reader.headers)).status_code == 404
    tag = (await client.get(course[1], headers=course[0].headers)).headers["etag"]
    change = {"status": "published"}
    await client.patch(course[1], json=change, headers=course[0].headers | {"if-match": tag})
    assert (await client.get(shown, headers=reader.headers)).status_code == 200
    assert (await client.get(hidden, headers=reader.headers)).status_code == 404


async def test_a_finished_video_is_deleted_with_its_files(
    client: httpx.AsyncClient, course: Any, runtime: Runtime
) -> None:
    video = await ask(client, course)
    place, headers = f"/api/v1/videos/{video['id']}", course[0].headers
    assert (await client.delete(place, headers=headers | {"if-match": '"1"'})).status_code == 409
    await finish(runtime, video)
    tag = (await client.get(place, headers=headers)).headers["etag"]
    assert (await client.delete(place, headers=headers | {"if-match": '"1"'})).status_code == 412
    assert (await client.delete(place, headers=headers | {"if-match": tag})).status_code == 204
    assert (await client.get(place, headers=headers)).status_code == 404
    assert [await runtime.storage.stat(key) for key in Files.of(video["id"], 1).all] == [None] * 3


async def test_the_owner_sees_and_cancels_what_an_administrator_asked_for(
    client: httpx.AsyncClient, course: Any, meet: Any
) -> None:
    admin = await meet(Role.ADMIN)
    video = (await client.post(f"{course[1]}/videos", headers=admin.headers)).json()
    listed = (await client.get("/api/v1/videos?status=queued", headers=course[0].headers)).json()["items"]
    assert [row["id"] for row in listed] == [video["id"]]
    answer = await client.post(f"/api/v1/videos/{video['id']}/cancel", headers=course[0].headers)
    assert answer.json()["status"] == "cancelled"
    assert (await client.get("/api/v1/videos?status=queued", headers=course[0].headers)).json()["items"] == []


async def test_a_course_is_checked_without_rendering_it(
    client: httpx.AsyncClient, course: Any, runtime: Runtime
) -> None:
    empty = (await client.post("/api/v1/projects", json={"title": "x"}, headers=course[0].headers)).headers["location"]
    good, bad = [(await client.get(f"{p}/check", headers=course[0].headers)).json() for p in (course[1], empty)]
    assert good == {"ready": True, "problem": None}
    assert bad["ready"] is False and bad["problem"]
    scene = Scene(project_id=course[1].rsplit("/", 1)[1], position=9999, title="W" * 200)  # of before there were limits
    async with runtime.database.transaction() as session:
        session.add(scene)
    late = (await client.get(f"{course[1]}/check", headers=course[0].headers)).json()
    assert late["ready"] is False and late["problem"].startswith("cena 2, título: texto demais para um slide")


async def test_videos_a_day_are_counted_by_plan(client: httpx.AsyncClient, course: Any, runtime: Runtime) -> None:
    most = allowances.table()[Plan.FREE].videos_a_day
    project = course[1].rsplit("/", 1)[1]
    rows = [Video(owner_id=course[0].id, project_id=project, status="failed") for _ in range(most)]
    async with runtime.database.transaction() as session:
        session.add_all(rows)
    refused = await client.post(f"{course[1]}/videos", headers=course[0].headers)
    assert refused.status_code == 429 and f"{most} videos" in refused.json()["detail"]
    assert 86_000 < int(refused.headers["retry-after"]) <= 86_401
    await write(runtime, rows[0].id, created_at=now() - timedelta(hours=25))
    assert (await client.post(f"{course[1]}/videos", headers=course[0].headers)).status_code == 202


async def test_no_race_gets_a_fourth_video(racing: httpx.AsyncClient, meet_unshared: Any) -> None:
    ana = await meet_unshared()
    places = []
    for _ in range(8):
        made = await racing.post("/api/v1/projects", json={"title": "Luz"}, headers=ana.headers)
        places.append(made.headers["location"])
        await racing.post(f"{places[-1]}/scenes", json={"title": "Fóton"}, headers=ana.headers)
    answers = await asyncio.gather(*(racing.post(f"{place}/videos", headers=ana.headers) for place in places))
    assert sorted(answer.status_code for answer in answers) == [202] * 3 + [429] * 5


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


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("ended", ["logged out", "expired"])
async def test_a_socket_ends_with_its_session(
    *, client: httpx.AsyncClient, course: Any, served: FastAPI, monkeypatch: pytest.MonkeyPatch, ended: str
) -> None:
    video = await ask(client, course)
    socket = Socket(served, f"/api/v1/videos/{video['id']}/progress", offered(course[0]))
    await socket.next()
    await socket.next()
    if ended == "expired":
        later = time.time() + 86400
        monkeypatch.setattr(progress, "time", SimpleNamespace(time=lambda: later))
    else:
        assert (await client.delete("/api/v1/sessions/current", headers=course[0].headers)).status_code == 204
    assert (await socket.next())["code"] == 4401
    await socket.task


@pytest.mark.usefixtures("quick")
async def test_a_person_follows_so_many_videos_at_once(
    client: httpx.AsyncClient, course: Any, runtime: Runtime, served: FastAPI
) -> None:
    video = await ask(client, course)
    path = f"/api/v1/videos/{video['id']}/progress"
    open_ = [Socket(served, path, offered(course[0])) for _ in range(progress.MOST_STREAMS)]
    assert {(await socket.next())["type"] for socket in open_} == {"websocket.accept"}
    assert (await Socket(served, path, offered(course[0])).next())["code"] == 4429
    open_[0].sent.put_nowait({"type": "websocket.disconnect", "code": 1001})
    await asyncio.wait_for(open_[0].task, 20)
    open_[0] = Socket(served, path, offered(course[0]))
    assert (await open_[0].next())["type"] == "websocket.accept"
    await write(runtime, video["id"], status="done")  # lets all of them go
    for socket in open_:
        await asyncio.wait_for(socket.task, 20)


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
