"""Does the API keep its own contract? Schemathesis makes requests from the OpenAPI document, valid and broken ones.

Zero answers of 5xx, no undocumented status, no answer that differs from its schema. Runs against the application in
this process, on the real database; every operation, with what earlier answers of the same person made.
"""

import asyncio
import json
import subprocess
import sys
import uuid
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
from service.users.models import User

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


class World:
    """One event loop with the application on real pools, and an administrator with something of every kind."""

    def __init__(self, app: FastAPI) -> None:
        self.app, self.runtime = app, app.state.runtime
        self.loop = asyncio.new_event_loop()
        self.ids: dict[str, str] = {}
        self.user_id = ""

    def run(self, task: Any) -> Any:
        return self.loop.run_until_complete(task)

    async def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        transport = httpx.ASGITransport(self.app, client=("127.0.0.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://service.test") as client:
            return await client.request(method, path, **more)

    def headers(self) -> dict[str, str]:
        """A session of its own each time: one of the operations closes the session it is called in."""
        token, _ = self.runtime.tokens.issue(self.user_id, Role.ADMIN, new())
        return {"authorization": f"Bearer {token}"}

    async def furnish(self) -> None:
        user = User(email=f"{uuid.uuid4().hex}@example.com", name="Admin", password_hash="!", role=Role.ADMIN.value)
        async with self.runtime.database.transaction() as session:
            session.add(user)
        self.user_id = user.id
        post = {"headers": self.headers()}
        place = (await self.request("POST", "/api/v1/projects", json={"title": "x"}, **post)).headers["location"]
        scene = (await self.request("POST", f"{place}/scenes", json={"title": "x"}, **post)).json()
        video = (await self.request("POST", f"{place}/videos", **post)).json()
        body = {"name": "a", "content_type": "image/png", "size": 1, "sha256": "0" * 64}
        media = (await self.request("POST", "/api/v1/media", json=body, **post)).json()
        self.ids = {"project_id": place.rsplit("/", 1)[1], "scene_id": scene["id"], "video_id": video["id"]}
        self.ids |= {"media_id": media["id"], "user_id": user.id}


@pytest.fixture(scope="session")
def world(served: FastAPI, settings: Any) -> Iterator[World]:
    made = World(served)
    runtime = made.runtime
    runtime.settings = settings

    async def connect() -> None:
        runtime.database, runtime.cache = Database(settings, runtime.metrics), Cache(settings, runtime.metrics)
        await made.furnish()

    made.run(connect())
    yield made
    made.run(runtime.close())
    made.loop.close()


DOCUMENT = orjson.loads(subprocess.check_output([sys.executable, "-m", "service", "openapi"]))
contract = schemathesis.openapi.from_dict(DOCUMENT)


@contract.parametrize()
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_every_operation_keeps_its_contract(case: schemathesis.Case, world: World) -> None:
    headers = {str(name): str(value) for name, value in (case.headers or {}).items()}
    usable = {name: value for name, value in headers.items() if value.isascii() and value.isprintable()}
    path = case.operation.path.format(**{**(case.path_parameters or {}), **_real(case, world)})
    content, access = None, world.headers()
    if case.body is not NOT_SET:
        content = case.body if isinstance(case.body, bytes) else json.dumps(case.body).encode()
        usable = {"content-type": case.media_type or "application/json"} | usable
    answer = world.run(
        world.request(
            case.method, path.replace("?", "%3F"), params=case.query, headers=usable | access, content=content
        )
    )
    case.validate_response(
        schemathesis.Response.from_httpx(answer, verify=False),
        checks=CHECKS,
        headers=access,
    )


def _real(case: schemathesis.Case, world: World) -> dict[str, str]:
    """Half of the identifiers are of things that exist: the other half only ever finds 404."""
    parameters = case.path_parameters or {}
    return {name: world.ids[name] for name, value in parameters.items() if name in world.ids and hash(str(value)) % 2}
