"""Does the service speak HTTP as clients, caches and browsers expect, also when something is refused?"""

from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from service.http.routing import LARGEST_BODY
from service.runtime import Runtime
from tests.service.pictures import PNG, announced

URL = "/api/v1/projects"
PROBLEM = "application/problem+json"


async def create(client: httpx.AsyncClient, person: Any) -> httpx.Response:
    return await client.post(URL, json={"title": "x"}, headers=person.headers)


@pytest.mark.parametrize(
    "path", [URL, "{course}", "{course}/scenes", "/api/v1/catalogue", "/livez", "/docs", "/nowhere"]
)
async def test_head_is_get_without_a_body(client: httpx.AsyncClient, meet: Any, path: str) -> None:
    ana = await meet()
    path = path.format(course=(await create(client, ana)).headers["location"])
    shown, head = [await client.request(method, path, headers=ana.headers) for method in ("GET", "HEAD")]
    assert head.status_code == shown.status_code and head.content == b""
    for name in ("content-length", "content-type", "etag"):
        assert head.headers.get(name) == shown.headers.get(name)


async def test_head_is_counted_as_head_of_its_route(client: httpx.AsyncClient, meet: Any, runtime: Runtime) -> None:
    labels = {"method": "HEAD", "route": URL + "/{project_id}", "status": "4xx"}
    before = runtime.metrics.registry.get_sample_value("http_requests_total", labels) or 0
    await client.head(f"{URL}/{'0' * 32}", headers=(await meet()).headers)
    assert runtime.metrics.registry.get_sample_value("http_requests_total", labels) == before + 1


async def test_what_is_current_is_not_sent_again(client: httpx.AsyncClient, meet: Any) -> None:
    ana = await meet()
    place = (await create(client, ana)).headers["location"]
    for _ in range(2):  # read, and kept since the first time
        shown = await client.get(place, headers=ana.headers)
        tag = shown.headers["etag"]
        for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
            same = await client.get(place, headers=ana.headers | {"if-none-match": known})
            assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag), known
            assert "content-type" not in same.headers and "content-length" not in same.headers
    assert (await client.get(place, headers=ana.headers | {"if-none-match": '"9"'})).json() == shown.json()
    change = ana.headers | {"if-match": tag}
    assert (await client.patch(place, json={"title": "y"}, headers=change)).status_code == 200
    again = await client.get(place, headers=ana.headers | {"if-none-match": tag})
    assert again.status_code == 200 and again.json()["title"] == "y"
    gone = await client.get(f"{URL}/{'0' * 32}", headers=ana.headers | {"if-none-match": "*"})
    assert gone.status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", URL, "GET, POST, HEAD"),
        ("POST", URL + "/{id}", "GET, PATCH, DELETE, HEAD"),
        ("POST", URL + "/{id}/scenes/order", "GET, PUT, PATCH, DELETE, HEAD"),
        ("GET", "/api/v1/sessions/refresh", "POST, DELETE"),
    ],
)
async def test_a_wrong_method_learns_the_right_ones(
    client: httpx.AsyncClient, meet: Any, method: str, path: str, allowed: str
) -> None:
    answer = await client.request(method, path.format(id="0" * 32), headers=(await meet()).headers)
    assert answer.status_code == 405
    assert answer.headers["allow"] == allowed and answer.headers["content-type"] == PROBLEM


@pytest.mark.parametrize(
    "body",
    [b'{"title": ', b"[" * 100_000, b'{"title": "\xff"}', b"{'title': 'x'}"],
    ids=["cut", "too deep", "not UTF-8", "not JSON"],
)
async def test_what_is_no_json_is_a_bad_request(client: httpx.AsyncClient, meet: Any, body: bytes) -> None:
    headers = (await meet()).headers | {"content-type": "application/json"}
    answer = await client.post(URL, content=body, headers=headers)
    assert answer.status_code == 400 and answer.headers["content-type"] == PROBLEM
    assert answer.json()["detail"] == "the body cannot be read as JSON"


async def stored(client: httpx.AsyncClient, person: Any) -> tuple[dict[str, Any], str]:
    """An upload, and a link to its bytes."""
    media = (await client.post("/api/v1/media", json=announced(), headers=person.headers)).json()
    await client.put(media["upload"]["url"], content=PNG, headers=media["upload"]["headers"])
    await client.post(f"/api/v1/media/{media['id']}/complete", headers=person.headers)
    link = await client.get(f"/api/v1/media/{media['id']}/download", headers=person.headers)
    return media, link.json()["url"]


@pytest.mark.parametrize(("wanted", "status"), [("bytes=99-", 416), ("bytes=x-y", 400), ("bytes=1-2", 206)])
async def test_a_wrong_range_is_explained(client: httpx.AsyncClient, meet: Any, wanted: str, status: int) -> None:
    _, link = await stored(client, await meet())
    answer = await client.get(link, headers={"range": wanted})
    assert answer.status_code == status
    assert status == 206 or (answer.headers["content-type"] == PROBLEM and answer.json()["status"] == status)
    assert status != 416 or answer.headers["content-range"] == f"bytes */{len(PNG)}"


@pytest.mark.parametrize("path", ["/docs/assets/other.js", "/nowhere", URL + "/"])
async def test_what_is_not_there_is_explained_and_nobody_is_sent_elsewhere(
    client: httpx.AsyncClient, path: str
) -> None:
    answer = await client.get(path, headers={"host": "evil.example"})
    assert answer.status_code == 404 and answer.headers["content-type"] == PROBLEM
    assert "evil.example" not in str(answer.headers)


async def test_an_upload_that_breaks_off_is_no_error_of_ours(
    served: FastAPI, client: httpx.AsyncClient, meet: Any, log: Any
) -> None:
    body = {"name": "a.png", "content_type": "image/png", "size": 4, "sha256": "0" * 64}
    media = (await client.post("/api/v1/media", json=body, headers=(await meet()).headers)).json()
    url = httpx.URL(media["upload"]["url"])
    scope = {
        **{"type": "http", "asgi": {"version": "3.0"}, "method": "PUT", "path": url.path, "raw_path": url.raw_path},
        **{"query_string": url.query, "root_path": "", "scheme": "http", "http_version": "1.1"},
        **{
            "headers": [(b"content-length", b"4"), (b"content-type", b"image/png")],
            "server": ("x", 80),
            "client": ("127.0.0.1", 1),
            "state": {},
        },
    }
    parts = [{"type": "http.request", "body": b"\x89P", "more_body": True}, {"type": "http.disconnect"}]
    sent: list[Any] = []

    async def receive() -> Any:
        return parts.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    await served(scope, receive, send)
    assert sent[0]["status"] == 400
    assert not [row for row in log() if row["event"] == "unhandled"]


async def test_pages_of_other_origins_read_refusals_too(another: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    app = another(security={"cors_origins": ["https://app.example"]})
    own = {"origin": "https://app.example", "content-type": "application/json"}

    async def fail(*_: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(app.state.runtime.database, "reading", fail)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://service.test") as client:
        large = await client.post("/api/v1/users", content=b" " * (LARGEST_BODY + 1), headers=own)
        broken = await client.post(
            "/api/v1/users",
            json={"email": "ana@example.com", "name": "Ana", "password": "correct horse battery"},
            headers=own,
        )
        refused = await client.options(URL, headers={"origin": "https://evil.example"} | PREFLIGHT)
    assert (large.status_code, broken.status_code) == (413, 500)
    for answer in (large, broken):
        assert answer.headers["access-control-allow-origin"] == "https://app.example"
        assert answer.headers["content-type"] == PROBLEM
    assert refused.status_code == 400 and refused.headers["content-type"] == PROBLEM


PREFLIGHT = {"access-control-request-method": "POST"}
