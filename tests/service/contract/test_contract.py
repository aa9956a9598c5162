"""Does the API keep its own contract? What its examples ask is done, and Schemathesis asks everything else.

Zero answers of 5xx, no undocumented status or header, no answer that differs from its schema. Runs against the
application in this process, on the real database; every operation, with what earlier answers of the same person made.
"""

import asyncio
import copy
import json
import subprocess
import sys
import uuid
import zlib
from collections.abc import Iterator
from typing import Any

import httpx
import orjson
import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core import NOT_SET
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from service.data.cache import Cache
from service.data.columns import new
from service.data.database import Database
from service.security.permissions import Role
from service.users import recovery
from service.users.models import User
from service.videos.models import Files, Video
from tests.service.examples import example_body
from tests.service.pictures import PNG, announced

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
SENT = ("etag", "location", "retry-after", "idempotency-replayed")
PASSWORD = "not the password of the examples"
DOCUMENT = orjson.loads(subprocess.check_output([sys.executable, "-m", "service", "openapi"]))
OPERATIONS = {
    operation["operationId"]: (method.upper(), path, operation)
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
}


class World:
    """One event loop with the application on real pools, and an administrator with something of every kind."""

    def __init__(self, app: FastAPI) -> None:
        self.app, self.runtime = app, app.state.runtime
        self.loop = asyncio.new_event_loop()
        transport = httpx.ASGITransport(app, client=("127.0.0.1", 1))
        self.client = httpx.AsyncClient(transport=transport, base_url="http://service.test")
        self.user = User(email="", name="")
        self.known: dict[str, Any] = {}  # values for what paths and bodies name

    def run(self, task: Any) -> Any:
        return self.loop.run_until_complete(task)

    async def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        return await self.client.request(method, path, **more)

    def headers(self) -> dict[str, str]:
        """A session of its own each time: one of the operations closes the session it is called in."""
        token, _ = self.runtime.tokens.issue(self.user.id, Role.ADMIN, new())
        return {"authorization": f"Bearer {token}"}

    async def furnish(self, status: str = "done", *, completed: bool = True) -> None:
        """Begin anew: another administrator, somebody beside, and what they have; the video is in this state."""
        digest = await self.runtime.passwords.hash(PASSWORD)
        self.user, other = [
            User(email=f"{uuid.uuid4().hex}@example.com", name="Ana", password_hash=digest, role=Role.ADMIN.value)
            for _ in range(2)
        ]
        async with self.runtime.database.transaction() as session:
            session.add_all([self.user, other])
        login = {"email": self.user.email, "password": PASSWORD}
        refresh_token = (await self.request("POST", "/api/v1/sessions", json=login)).json()["refresh_token"]
        post = {"headers": self.headers()}
        sessions = (await self.request("GET", "/api/v1/sessions", **post)).json()["items"]
        place = (await self.request("POST", "/api/v1/projects", json={"title": "x"}, **post)).headers["location"]
        project_id = place.rsplit("/", 1)[1]
        scene = (await self.request("POST", f"{place}/scenes", json={"title": "x"}, **post)).json()
        video = Video(owner_id=self.user.id, project_id=project_id, status=status, attempt=1)
        video.result_key = Files.of(video.id, 1).video
        async with self.runtime.database.transaction() as session:
            session.add(video)
        media = (await self.request("POST", "/api/v1/media", json=announced(), **post)).json()
        sent = {"content": PNG, "headers": media["upload"]["headers"]}
        await self.request("PUT", media["upload"]["url"], **sent)
        if completed:
            await self.request("POST", f"/api/v1/media/{media['id']}/complete", **post)
        shows = {"title": "x", "image_id": media["id"] if completed else None}
        second = (await self.request("POST", f"{place}/scenes", json=shows, **post)).json()
        shared = (await self.request("POST", f"{place}/share", **post)).json()
        self.known = login | {"old_password": PASSWORD, "refresh_token": refresh_token, "user_id": other.id}
        self.known |= {"project_id": project_id, "scene_id": scene["id"], "scene_ids": [scene["id"], second["id"]]}
        self.known |= {"video_id": video.id, "media_id": media["id"], "image_id": media["id"]}
        self.known |= {"session_id": sessions[0]["id"], "token": shared["token"]}


@pytest.fixture(scope="session")
def world(served: FastAPI, settings: Any) -> Iterator[World]:
    made = World(served)
    runtime = made.runtime
    runtime.settings = settings

    async def connect() -> None:
        runtime.database, runtime.cache = Database(settings, runtime.metrics), Cache(settings, runtime.metrics)

    made.run(connect())
    yield made
    made.run(runtime.close())
    made.loop.close()


@pytest.fixture(scope="session")
def grown(world: World) -> World:
    """A world that keeps what every operation made."""
    made = copy.copy(world)
    made.run(made.furnish())
    return made


contract = schemathesis.openapi.from_dict(DOCUMENT)


def judge(case: schemathesis.Case, answer: httpx.Response, access: dict[str, str]) -> None:
    case.validate_response(schemathesis.Response.from_httpx(answer, verify=False), checks=CHECKS, headers=access)
    documented = case.operation.definition.raw["responses"].get(str(answer.status_code), {}).get("headers", {})
    assert {name for name in SENT if name in answer.headers} <= {name.lower() for name in documented}


@pytest.mark.parametrize("name", OPERATIONS)
def test_what_the_examples_ask_is_done(name: str, world: World) -> None:
    """With values that exist in the place of the examples' identifiers, passwords and versions."""
    method, path, operation = OPERATIONS[name]
    world.run(world.furnish("queued" if name == "cancel_video" else "done", completed=name != "renew_upload"))
    if name == "register":
        world.known["email"] = f"{uuid.uuid4().hex}@example.com"
    body, access = example_body(DOCUMENT, operation), world.headers()
    if isinstance(body, dict):
        body |= {field: world.known[field] for field in body if field in world.known}
    if purpose := {"choose_password": "password", "confirm_address": "confirmation"}.get(name):
        body["token"] = recovery.token_for(world.runtime, purpose, world.user)
    place, headers = path.format(**world.known), dict(access)
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "header":
            headers[parameter["name"]] = parameter["schema"]["examples"][0]
        if parameter["name"] == "if-match":
            current = world.run(world.request("GET", place, headers=access))
            headers["if-match"] = current.headers.get("etag", '"1"')
    answer = world.run(world.request(method, place, headers=headers, json=body))
    assert answer.is_success, answer.text
    judge(contract[path][method].Case(path_parameters=world.known), answer, access)
    promised = {sent.lower() for sent in operation["responses"][str(answer.status_code)].get("headers", {})}
    assert promised & {"etag", "location"} <= set(answer.headers)


@contract.parametrize()
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_every_operation_keeps_its_contract(case: schemathesis.Case, grown: World) -> None:
    headers = {str(name): str(value) for name, value in (case.headers or {}).items()}
    usable = {name: value for name, value in headers.items() if value.isascii() and value.isprintable()}
    # Two such headers would go out, and the first would be taken.
    usable = {name: value for name, value in usable.items() if name.lower() != "authorization"}
    path = case.operation.path.format(**{**(case.path_parameters or {}), **_real(case, grown)})
    content, access = None, grown.headers()
    if case.body is not NOT_SET:
        content = case.body if isinstance(case.body, bytes) else json.dumps(case.body).encode()
        usable = {"content-type": case.media_type or "application/json"} | usable
    answer = grown.run(
        grown.request(
            case.method, path.replace("?", "%3F"), params=case.query, headers=usable | access, content=content
        )
    )
    judge(case, answer, access)
    assert answer.status_code != 401 or "security" not in case.operation.definition.raw


def _real(case: schemathesis.Case, grown: World) -> dict[str, str]:
    """Half of the identifiers are of things that exist: the other half only ever finds 404."""
    parameters = {name: str(value) for name, value in (case.path_parameters or {}).items() if name in grown.known}
    return {name: grown.known[name] for name, value in parameters.items() if zlib.crc32(value.encode()) % 2}
