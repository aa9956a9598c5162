"""What does every request get? Id, headers, caps, one log line, compression, CORS, and an answer to any failure."""

import asyncio
import gzip
from typing import Any

import httpx
import pytest
import sqlalchemy
from fastapi import FastAPI

from service.http import edge, probes
from service.http.routing import LARGEST_BODY
from service.runtime import Runtime

URL = "/api/v1/projects"


@pytest.mark.parametrize("path", ["/livez", URL, "/nowhere", "/docs"])
async def test_every_answer_carries_the_security_headers(client: httpx.AsyncClient, path: str) -> None:
    headers = (await client.get(path)).headers
    assert headers["strict-transport-security"].startswith("max-age=63072000")
    assert headers["x-content-type-options"] == "nosniff" and headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers.get_list("content-security-policy")[0].startswith("default-src 'none'")
    assert len(headers.get_list("content-security-policy")) == 1
    assert "server" not in headers


async def test_a_request_id_is_kept_returned_and_logged(client: httpx.AsyncClient, meet: Any, log: Any) -> None:
    ana = await meet()
    headers = ana.headers | {"x-request-id": "trace-42", "x-forwarded-for": "203.0.113.9"}
    answer = await client.get(URL, headers=headers)
    assert answer.headers["x-request-id"] == "trace-42"
    line = next(row for row in log() if row.get("request_id") == "trace-42")
    assert line["event"] == "request" and line["status"] == 200 and line["route"] == URL
    assert line["address"] == "203.0.113.9" and line["user_id"] == ana.id and line["milliseconds"] > 0
    assert line["timestamp"].endswith("+00:00")


@pytest.mark.parametrize("hostile", ["x" * 65, "a b", 'a"b', "", "../..", "é"])
async def test_a_hostile_request_id_is_replaced(client: httpx.AsyncClient, hostile: str) -> None:
    answer = await client.get("/livez", headers=[(b"x-request-id", hostile.encode())])
    given = answer.headers["x-request-id"]
    assert given != hostile or hostile == "../.."
    assert edge._REQUEST_ID.fullmatch(given.encode())


async def test_a_problem_names_the_request(client: httpx.AsyncClient) -> None:
    answer = await client.get("/nowhere", headers={"x-request-id": "trace-43"})
    assert answer.status_code == 404 and answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {"type": "about:blank", "title": "Not Found", "status": 404} | {
        "detail": "Not Found",
        "request_id": "trace-43",
    }


@pytest.mark.parametrize("declared", [True, False])
async def test_a_large_body_is_refused_before_it_is_read(client: httpx.AsyncClient, meet: Any, declared: bool) -> None:
    ana = await meet()
    body = b'{"title":"' + b"x" * LARGEST_BODY + b'"}'
    sent = 0

    async def stream() -> Any:
        nonlocal sent
        for start in range(0, len(body), 65536):
            sent += 1
            yield body[start : start + 65536]

    headers = ana.headers | {"content-type": "application/json"}
    if declared:
        headers["content-length"] = str(len(body))
    answer = await client.post(URL, content=stream(), headers=headers)
    assert answer.status_code == 413 and answer.json()["title"]


async def test_long_answers_are_compressed_for_those_who_ask(client: httpx.AsyncClient, meet: Any) -> None:
    ana = await meet()
    for number in range(8):
        await client.post(URL, json={"title": f"course {number}"}, headers=ana.headers)
    async with client.stream("GET", URL, headers=ana.headers | {"accept-encoding": "gzip"}) as answer:
        raw = b"".join([chunk async for chunk in answer.aiter_raw()])
    assert answer.headers["content-encoding"] == "gzip"
    assert b"course 7" in gzip.decompress(raw) and len(raw) < 1000
    plain = await client.get(URL, headers=ana.headers | {"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers


async def test_cors_admits_configured_origins_only(another: Any) -> None:
    app = another(security={"cors_origins": ["https://app.example"]})
    preflight = {"access-control-request-method": "POST", "access-control-request-headers": "authorization"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service.test") as client:
        own = await client.options(URL, headers=preflight | {"origin": "https://app.example"})
        other = await client.options(URL, headers=preflight | {"origin": "https://evil.example"})
        limited = await client.get(URL, headers={"origin": "https://app.example"})
    assert own.status_code == 200 and own.headers["access-control-allow-origin"] == "https://app.example"
    assert other.status_code == 400 and "access-control-allow-origin" not in other.headers
    assert limited.status_code == 401 and limited.headers["access-control-allow-origin"] == "https://app.example"


class OperationalError(Exception):
    """As drivers name it."""


LOST = sqlalchemy.exc.OperationalError("SELECT 1", {}, OperationalError(2013, "lost"))
WRONG = sqlalchemy.exc.ProgrammingError("SELECT secret", {}, Exception(1064, "syntax"))


@pytest.mark.parametrize(
    ("failure", "status"),
    [(RuntimeError("a secret"), 500), (WRONG, 500), (LOST, 503), (sqlalchemy.exc.TimeoutError(), 503)],
)
async def test_whatever_fails_is_answered_without_details(
    *,
    client: httpx.AsyncClient,
    meet: Any,
    runtime: Runtime,
    log: Any,
    monkeypatch: Any,
    failure: Exception,
    status: int,
) -> None:
    ana = await meet()

    async def fail(*_: Any) -> None:
        raise failure

    monkeypatch.setattr(runtime.database, "rows", fail)
    answer = await client.get(URL, headers=ana.headers)
    assert answer.status_code == status and answer.headers.get("retry-after") == ("1" if status == 503 else None)
    assert answer.headers["content-type"] == "application/problem+json" and "secret" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert status == 503 or any(row["level"] == "error" for row in log())


async def test_the_log_hides_what_is_named_like_a_secret(runtime: Runtime, log: Any) -> None:
    import logging

    import structlog

    structlog.get_logger().info("login", password="hunter2", api_token="abc", email="ana@example.com")
    logging.getLogger("library").warning("from %s", "elsewhere")
    rows = log()
    assert {"password": "(hidden)", "api_token": "(hidden)", "email": "ana@example.com"}.items() <= rows[-2].items()
    assert rows[-1]["event"] == "from elsewhere" and rows[-1]["logger"] == "library"


async def test_a_draining_process_is_unready_and_closes_connections(
    client: httpx.AsyncClient, runtime: Runtime
) -> None:
    assert (await client.get("/readyz")).json() == {"status": "ready", "database": True, "cache": True}
    runtime.draining = True
    answer = await client.get("/readyz")
    assert answer.status_code == 503 and answer.json()["status"] == "draining"
    assert answer.headers["connection"] == "close"
    assert (await client.get("/livez")).status_code == 200


async def test_a_process_is_ready_once_it_has_seen_its_database_and_stays_so_without_it(
    client: httpx.AsyncClient, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: Any) -> Any:
        raise OSError("connection refused")

    monkeypatch.setattr(probes, "FRESH", -1)
    monkeypatch.setattr(runtime.database, "connection", refused)
    answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"status": "starting", "database": False, "cache": True})
    assert (await client.get("/livez")).status_code == 200
    monkeypatch.undo()
    monkeypatch.setattr(probes, "FRESH", -1)
    assert (await client.get("/readyz")).status_code == 200
    monkeypatch.setattr(runtime.database, "connection", refused)
    answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (200, "without its database")


async def test_many_probes_ask_the_database_once(client: httpx.AsyncClient, runtime: Runtime) -> None:
    before = runtime.metrics.registry.get_sample_value("database_queries_total", {"operation": "select"}) or 0
    for _ in range(5):
        await asyncio.gather(*(client.get("/readyz") for _ in range(5)))
    after = runtime.metrics.registry.get_sample_value("database_queries_total", {"operation": "select"})
    assert after - before <= 2, "an answer is kept for a second"


async def test_the_version_is_told(client: httpx.AsyncClient) -> None:
    assert (await client.get("/version")).json() == {"version": "development", "environment": "dev"}


async def test_half_an_answer_is_not_finished_with_another(runtime: Runtime) -> None:
    """The server must close the connection: a client that got a 200 cannot be told 500 any more."""

    async def app(_: Any, __: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError("midway")

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/livez", "headers": [], "client": None}
    with pytest.raises(RuntimeError, match="midway"):
        await edge.Edge(app, runtime)(scope, FastAPI, send)  # type: ignore[arg-type]
    assert [message["type"] for message in sent] == ["http.response.start"]
