"""Is a person told everything that is stored, and is nothing left after an erasure? Wherever something is kept."""

import asyncio
import hashlib
import json
import os
import shutil
import time
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis
import sqlalchemy
from fastapi import FastAPI
from sqlmodel import SQLModel

from service import sweep
from service.projects.models import Project
from service.runtime import Runtime
from service.scenes.models import Scene
from service.security.permissions import Role
from service.videos.models import Files, Video

REDIS = os.environ.get("TECNOCURSOS_TEST_REDIS")
USERS, PROJECTS = "/api/v1/users", "/api/v1/projects"
PASSWORD = "correct horse battery"
PLANTED = "plantedxyzzy"  # stands in everything that the person writes


async def stored(runtime: Runtime) -> str:
    """Every column of every row of every table that the database has."""
    async with runtime.database.connection(runtime.database.writer) as connection:
        names = await connection.run_sync(lambda sync: sqlalchemy.inspect(sync).get_table_names())
        assert set(names) >= set(SQLModel.metadata.tables)
        every = [sqlalchemy.select(sqlalchemy.text("*")).select_from(sqlalchemy.table(name)) for name in names]
        return repr([(await connection.execute(rows)).all() for rows in every])


def kept(folder: Path) -> bytes:
    """Names and contents of all files."""
    return b"\n".join(str(path).encode() + path.read_bytes() for path in folder.rglob("*") if path.is_file())


def remembered(runtime: Runtime) -> Iterator[tuple[str, float]]:
    """Keys under which the cache or the queue still holds the planted text, and for how many seconds."""
    if REDIS is None:
        yield from ((key, 0) for key, (_, value) in runtime.cache.local._values.items() if PLANTED in f"{key}{value}")
        return
    with redis.Redis.from_url(REDIS.replace("//service:", "//admin:")) as server:
        for key in server.scan_iter():
            kind = server.type(key)
            value = server.get(key) if kind == b"string" else server.lrange(key, 0, -1) if kind == b"list" else kind
            if PLANTED in f"{key!r}{value!r}":
                yield key.decode(), float(server.ttl(key))


class Someone:
    """A person who has used everything, and whose course an administrator has worked with."""

    def __init__(self, client: httpx.AsyncClient, runtime: Runtime, admin: dict[str, str]) -> None:
        self.client, self.runtime, self.admin = client, runtime, admin
        self.headers: dict[str, str] = {}

    async def post(self, path: str, body: Any, **headers: str) -> Any:
        answer = await self.client.post(path, json=body, headers=self.headers | headers)
        assert answer.is_success, answer.text
        return answer.json()

    async def live(self) -> None:
        email = f"{PLANTED}@example.com"
        self.me = await self.post(USERS, {"email": email, "name": PLANTED, "password": PASSWORD})
        agent = {"user-agent": PLANTED, "x-forwarded-for": "198.51.100.77"}
        login = await self.post("/api/v1/sessions", {"email": email, "password": PASSWORD}, **agent)
        self.headers = {"authorization": f"Bearer {login['access_token']}"}
        keyed = {"idempotency-key": f"{PLANTED}-1"}
        body = {"title": PLANTED, "description": PLANTED}
        self.course = await self.post(PROJECTS, body, **keyed)
        scene = {"title": PLANTED, "text": PLANTED, "narration": PLANTED}
        place = f"{PROJECTS}/{self.course['id']}"
        self.scene = await self.post(f"{place}/scenes", scene)
        content = PLANTED.encode()
        digest = hashlib.sha256(content).hexdigest()
        sound = {"name": PLANTED, "content_type": "image/png", "size": len(content), "sha256": digest}
        self.upload = await self.post("/api/v1/media", sound)
        self.late = await self.post("/api/v1/media", sound)
        link = self.upload["upload"]
        sent = await self.client.put(link["url"], content=content, headers=link["headers"])
        assert sent.status_code == 204, sent.text
        self.queued = await self.post(f"{place}/videos", {})
        answer = await self.client.post(f"{place}/videos", json={}, headers=self.admin)
        self.foreign = answer.json()
        await self.rendered(self.foreign["id"])
        for path in (PROJECTS, place, f"{place}/scenes"):
            await self.client.get(path, headers=self.headers)

    async def rendered(self, video_id: str) -> None:
        """What a worker does, as far as the store is concerned; the second attempt was the good one."""
        files = Files.of(video_id, 2)
        async with self.runtime.database.transaction() as session:
            video = await session.get_one(Video, video_id)
            video.status, video.attempt, video.result_key = "done", 2, files.video
        for key in (*files.all, Files.of(video_id, 1).video):
            path = self.runtime.settings.media.folder / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(PLANTED)


@pytest.fixture
async def someone(client: httpx.AsyncClient, runtime: Runtime, meet: Any) -> AsyncIterator[Someone]:
    person = Someone(client, runtime, (await meet(Role.ADMIN)).headers)
    await person.live()
    yield person
    shutil.rmtree(runtime.settings.media.folder)


async def test_the_export_tells_everything(someone: Someone, client: httpx.AsyncClient) -> None:
    answer = await client.get(f"{USERS}/me/export", headers=someone.headers)
    told = answer.json()
    assert told["user"] == someone.me and told["last_active_at"].endswith("Z")
    ids = {kind: {row["id"] for row in told[kind]} for kind in ("projects", "scenes", "videos", "media")}
    assert ids == {
        "projects": {someone.course["id"]},
        "scenes": {someone.scene["id"]},
        "videos": {someone.queued["id"], someone.foreign["id"]},  # whoever asked for it
        "media": {someone.upload["id"], someone.late["id"]},
    }
    assert [row["agent"] for row in told["sessions"]] == [PLANTED] and told["audit"]
    assert "token_hash" not in answer.text and "password_hash" not in answer.text


@pytest.mark.parametrize(("courses", "scenes"), [(0, 0), (1, 20), (3, 41), (25, 1)])
async def test_the_export_is_whole_at_every_size(
    client: httpx.AsyncClient, runtime: Runtime, meet: Any, courses: int, scenes: int
) -> None:
    ana = await meet()
    made = await fill(runtime, ana.id, courses, scenes, 10)
    told = (await client.get(f"{USERS}/me/export", headers=ana.headers)).json()
    assert sorted(row["id"] for row in told["scenes"]) == sorted(made)
    assert len(told["projects"]) == courses


async def fill(runtime: Runtime, owner: str, courses: int, scenes: int, characters: int) -> list[str]:
    """Rows without the API, which would take half an hour for the largest account."""
    owned = [Project(owner_id=owner, title="Luz", scene_count=scenes) for _ in range(courses)]
    text = {"text": "é" * (characters // 2), "narration": "é" * (characters // 2)}
    rows = [Scene(project_id=course.id, position=n, title="x", **text) for course in owned for n in range(scenes)]
    async with runtime.database.transaction() as session:
        connection = await session.connection()
        for table, batch in ((Project, owned), (Scene, rows)):
            if batch:
                await connection.execute(sqlalchemy.insert(table), [row.model_dump() for row in batch])
    return [row.id for row in rows]


async def test_a_large_export_is_never_in_memory_as_a_whole(
    served: FastAPI, runtime: Runtime, meet: Any, client: httpx.AsyncClient
) -> None:
    ana, sent, most = await meet(), 0, 0
    await fill(runtime, ana.id, 4, 200, 20_000)
    headers = [(name.encode(), value.encode()) for name, value in ana.headers.items()]
    scope = {"type": "http", "method": "GET", "path": f"{USERS}/me/export", "query_string": b"", "headers": headers}

    async def receive() -> dict[str, Any]:
        await asyncio.Event().wait()  # somebody who stays
        return {}

    async def send(message: Any) -> None:
        nonlocal sent, most
        sent, most = sent + len(message.get("body", b"")), max(most, len(message.get("body", b"")))

    tracemalloc.start()
    try:
        await served(scope | {"client": ("127.0.0.1", 1), "http_version": "1.1", "raw_path": b""}, receive, send)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert sent > 800 * 2 * 20_000 and most < 2**20  # two bytes a letter
    assert peak < 12 * 2**20, f"{peak / 2**20:.1f} MiB for {sent / 2**20:.1f} MiB"


async def test_erasure_leaves_nothing_anywhere(someone: Someone, client: httpx.AsyncClient, runtime: Runtime) -> None:
    folder = runtime.settings.media.folder
    assert PLANTED in await stored(runtime) and PLANTED.encode() in kept(folder) and list(remembered(runtime))
    refused = await client.post(f"{USERS}/me/erasure", json={"password": "wrong"}, headers=someone.headers)
    assert refused.status_code == 403
    headers = someone.headers | {"x-forwarded-for": "198.51.100.77"}
    erased = await client.post(f"{USERS}/me/erasure", json={"password": PASSWORD}, headers=headers)
    assert erased.status_code == 204, erased.text
    left = await stored(runtime)
    assert PLANTED not in left and "198.51.100.77" not in left
    assert PLANTED.encode() not in kept(folder)
    assert (await client.get(f"{USERS}/me", headers=someone.headers)).status_code == 401
    # Copies of pages are found by nobody any more, and end by themselves.
    for key, seconds in remembered(runtime):
        assert "page:" in key and seconds <= runtime.settings.cache.page_seconds
    # A link that was given out before brings nothing back.
    link = someone.late["upload"]
    late = await client.put(link["url"], content=PLANTED.encode(), headers=link["headers"])
    assert late.status_code in {403, 404, 409}
    assert PLANTED.encode() not in kept(folder)
    # The address is free again.
    again = {"email": someone.me["email"], "name": "B", "password": PASSWORD}
    assert (await client.post(USERS, json=again)).status_code == 201


async def test_an_erased_administrator_takes_nothing_of_others_along(
    client: httpx.AsyncClient, runtime: Runtime, meet: Any
) -> None:
    digest = await runtime.passwords.hash(PASSWORD)
    ana, admin = await meet(), await meet(Role.ADMIN, digest=digest)
    course = (await client.post(PROJECTS, json={"title": "Luz"}, headers=ana.headers)).json()
    await client.post(f"{PROJECTS}/{course['id']}/scenes", json={"title": "x"}, headers=ana.headers)
    video = (await client.post(f"{PROJECTS}/{course['id']}/videos", json={}, headers=admin.headers)).json()
    await Someone(client, runtime, {}).rendered(video["id"])
    erased = await client.post(f"{USERS}/me/erasure", json={"password": PASSWORD}, headers=admin.headers)
    assert erased.status_code == 204
    assert (runtime.settings.media.folder / Files.of(video["id"], 2).video).exists()
    assert json.loads((await client.get(PROJECTS, headers=ana.headers)).text)["items"][0]["id"] == course["id"]


async def test_what_workers_keep_of_rendered_scenes_outlives_its_last_use_by_a_day_at_most(
    unshared: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = unshared.settings.worker.model_copy(update={"folder": tmp_path})
    monkeypatch.setattr(unshared, "settings", unshared.settings.model_copy(update={"worker": worker}))
    for name, hours in (("used", 23), ("left", 25)):
        folder = tmp_path / "cache" / name
        folder.mkdir(parents=True)
        (folder / "sound.aac").write_text(PLANTED)
        moment = time.time() - hours * 3600
        os.utime(folder, (moment, moment))
    await sweep.silent_workers(unshared)  # every worker looks so every few seconds
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["used"]
