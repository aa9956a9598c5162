"""Can somebody ask for a video over HTTP, watch it being made and download it, with nothing but `serve`?"""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from websockets.asyncio.client import connect

from service.__main__ import DEMO_EMAIL, DEMO_PASSWORD
from tests.service.servers import free_port


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    ports = free_port(), free_port()
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["TECNOCURSOS_DRAIN_SECONDS"] = "0"
    command = [sys.executable, "-m", "service", "serve", "--port", str(ports[0]), "--metrics-port", str(ports[1])]
    with (tmp_path / "out").open("wb") as out:
        child = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=out, stderr=out)
    yield f"http://127.0.0.1:{ports[0]}"
    child.terminate()
    assert child.wait(60) == 0
    assert not [path for path in (tmp_path / ".service/work").iterdir() if path.name != "cache"]


async def sign_in(client: httpx.AsyncClient) -> None:
    login = {"email": DEMO_EMAIL, "password": DEMO_PASSWORD}
    async with asyncio.timeout(60):
        while True:
            try:
                issued = (await client.post("/api/v1/sessions", json=login)).json()
                break
            except httpx.ConnectError:
                await asyncio.sleep(0.1)
    client.headers["authorization"] = f"Bearer {issued['access_token']}"


async def test_a_video_is_asked_for_watched_and_downloaded(url):
    async with httpx.AsyncClient(base_url=url, timeout=20) as client:
        await sign_in(client)
        project = (await client.post("/api/v1/projects", json={"title": "Fotossíntese"})).json()
        place = f"/api/v1/projects/{project['id']}"
        for number in range(3):
            scene = {"title": f"Cena {number}", "text": "Luz\nÁgua", "narration": "As plantas vivem da luz."}
            assert (await client.post(f"{place}/scenes", json=scene)).status_code == 201
        video = (await client.post(f"{place}/videos")).json()
        token = client.headers["authorization"].removeprefix("Bearer ")
        told = await watch(f"{url.replace('http', 'ws')}/api/v1/videos/{video['id']}/progress", token)
        assert (told[-1]["status"], told[-1]["progress"], told[-1]["message"]) == ("done", 100, "Ready")
        assert all(before["version"] < after["version"] for before, after in pairwise(told))
        polled = (await client.get(f"/api/v1/videos/{video['id']}")).json()
        assert polled == told[-1]
        for part, start in (("result", b"ftyp"), ("captions", b"WEBVTT"), ("thumbnail", b"\xff\xd8")):
            link = (await client.get(f"/api/v1/videos/{video['id']}/{part}")).json()
            content = (await client.get(link["url"])).content
            assert start in content[:12]


async def watch(address: str, token: str) -> list[dict[str, Any]]:
    """Every state that the server tells, until it closes the socket."""
    async with (
        asyncio.timeout(60),
        connect(address, subprotocols=["tecnocursos.progress", f"bearer.{token}"]) as socket,
    ):  # type: ignore[list-item]
        return [orjson.loads(message) async for message in socket]
