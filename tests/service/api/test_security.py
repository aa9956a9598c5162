"""Does the service stand up to the OWASP Top 10 (2021) and API Security Top 10 (2023)? One test or more for each."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from service.runtime import Runtime
from service.security.permissions import GRANTS, Permission, Role

PROJECTS = "/api/v1/projects"
ROOT = Path(__file__).resolve().parents[3]

# SQL, NoSQL, template, command, LDAP and header injection, traversal, XSS, and the encodings that break naive filters.
CORPUS = [
    "' OR '1'='1",
    "'; DROP TABLE project; --",
    "1' UNION SELECT password_hash FROM user -- ",
    "admin'--",
    "\\'; SELECT SLEEP(5); --",
    '" OR ""="',
    "%27%20OR%201=1",
    "1; EXEC xp_cmdshell('dir')",
    '{"$gt": ""}',
    "{{7*7}}${7*7}<%= 7*7 %>#{7*7}",
    "$(touch /tmp/owned)`id`|id;id",
    "*)(uid=*))(|(uid=*",
    "../../../../etc/passwd",
    "..\\..\\windows\\win.ini",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "javascript:alert(1)",
    "<svg/onload=alert(1)>",
    "\u202egnp.exe",
    "\ufeff\u200bzero width",
    "\ufb00 \u0130 \u00df \U0001d54a\U0001d53c\U0001d543\U0001d53c\u2102\U0001d54b",
    "%s%n%x%d",
    "__import__('os').system('id')",
    "é" * 200,
]


def routes(app: FastAPI) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method.upper(), path, operation)
        for path, operations in app.openapi()["paths"].items()
        for method, operation in operations.items()
    ]


@pytest.mark.parametrize("text", CORPUS)
async def test_a03_injection_text_is_stored_and_returned_as_text(
    client: httpx.AsyncClient, meet: Any, text: str
) -> None:
    """Also stored XSS: what comes back is JSON that says so, with nosniff and a policy that runs nothing."""
    ana = await meet()
    title = text if max(text) < "\u017f" else "x"  # what the font lacks is no title
    made = await client.post(PROJECTS, json={"title": title, "description": text}, headers=ana.headers)
    assert made.status_code == 201, made.text
    read = await client.get(made.headers["location"], headers=ana.headers)
    assert read.json()["title"] == title.strip() and read.json()["description"] == text
    assert read.headers["content-type"] == "application/json" and read.headers["x-content-type-options"] == "nosniff"
    assert read.headers["content-security-policy"].startswith("default-src 'none'")
    listed = (await client.get(PROJECTS, headers=ana.headers)).json()["items"]
    assert [row["id"] for row in listed] == [made.json()["id"]]


@pytest.mark.parametrize("text", [text for text in CORPUS if "\u00e9" not in text])
async def test_a03_injection_in_paths_queries_and_headers(client: httpx.AsyncClient, meet: Any, text: str) -> None:
    ana = await meet()
    for answer in (
        await client.get(f"{PROJECTS}/{text.replace('/', '%2f').replace('?', '%3f')}", headers=ana.headers),
        await client.get(PROJECTS, params={"cursor": text, "limit": text}, headers=ana.headers),
        await client.get("/api/v1/audit", params={"actor_id": text}, headers=ana.headers),
        await client.post("/api/v1/sessions", json={"email": text, "password": text}),
        await client.post("/api/v1/sessions/refresh", json={"refresh_token": text}),
        await client.get(PROJECTS, headers=[(b"authorization", b"Bearer " + text.encode())]),
        await client.get("/livez", headers=[(b"x-request-id", text.encode()), (b"x-forwarded-for", text.encode())]),
    ):
        assert answer.status_code in {200, 400, 401, 403, 404, 422}, answer.text
        assert "Traceback" not in answer.text and "SELECT" not in answer.text.upper().replace(text.upper(), "")
        assert "\r" not in answer.headers["x-request-id"]


@pytest.mark.parametrize("text", ["a\r\nset-cookie: owned=1", "a\nb", "a\x00b", "a\x1b[31mb", "a\x7fb"])
async def test_a03_control_characters_never_reach_a_header_or_a_log_line(
    client: httpx.AsyncClient, meet: Any, text: str, log: Any
) -> None:
    ana = await meet()
    assert (await client.post(PROJECTS, json={"title": text}, headers=ana.headers)).status_code == 422
    await client.get("/x", headers=ana.headers | {"user-agent": "a"})
    assert all(isinstance(row, dict) for row in log())


async def test_a01_every_documented_operation_needs_a_token_unless_it_is_named_here(
    client: httpx.AsyncClient, served: FastAPI
) -> None:
    """Broken access control, API2, API5: a route that somebody forgets to protect fails here."""
    open_to_all = {
        ("POST", "/api/v1/users"),
        ("POST", "/api/v1/sessions"),
        ("POST", "/api/v1/sessions/refresh"),
        ("POST", "/api/v1/users/forgotten-password"),
        ("PUT", "/api/v1/users/forgotten-password"),  # what the mail brought is what is needed
        ("PUT", "/api/v1/users/confirmation"),
        ("GET", "/livez"),
        ("GET", "/readyz"),
        ("GET", "/version"),
        ("GET", "/api/v1/shares/{token}"),  # the link is what is needed
    }
    for method, path, _ in routes(served):
        if (method, path) in open_to_all:
            continue
        url = path.format(
            **dict.fromkeys(("project_id", "scene_id", "media_id", "video_id", "user_id", "session_id"), "0" * 32)
        )
        answer = await client.request(method, url)
        assert answer.status_code == 401, f"{method} {path} answers {answer.status_code} to nobody"
        assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("role", [Role.VIEWER, Role.CREATOR])
async def test_a01_functions_of_administrators_are_refused_to_others(
    client: httpx.AsyncClient, meet: Any, served: FastAPI, role: Role
) -> None:
    person, other = await meet(role), await meet()
    found = 0
    for method, path, operation in routes(served):
        if operation.get("tags") == ["administration"]:
            found += 1
            url = path.format(user_id=other.id)
            headers = person.headers | {"if-match": '"1"'}
            assert (await client.request(method, url, json={}, headers=headers)).status_code == 403, path
    assert found >= 3


def test_a01_roles_grow_and_only_administrators_manage() -> None:
    assert GRANTS[Role.VIEWER] < GRANTS[Role.CREATOR] < GRANTS[Role.ADMIN] == set(Permission)
    assert Permission.USERS_MANAGE not in GRANTS[Role.CREATOR]


async def test_a02_no_secret_is_in_an_answer_or_a_log(client: httpx.AsyncClient, log: Any) -> None:
    password = "correct horse battery"
    person = {"email": "secret@example.com", "name": "S", "password": password}
    made = await client.post("/api/v1/users", json=person)
    issued = (await client.post("/api/v1/sessions", json={"email": person["email"], "password": password})).json()
    wrong = await client.post("/api/v1/sessions", json={"email": person["email"], "password": password, "x": password})
    assert password not in made.text + wrong.text
    text = str(log())
    for secret in (password, issued["access_token"], issued["refresh_token"], "$argon2"):
        assert secret not in text


@pytest.mark.parametrize("count", [30])
async def test_a04_api4_consumption_is_bounded(client: httpx.AsyncClient, meet: Any, count: int) -> None:
    """Insecure design: page size, body size, list length, length of text, depth of JSON."""
    ana = await meet()
    assert (await client.get(PROJECTS, params={"limit": 10**9}, headers=ana.headers)).status_code == 422
    assert (await client.post(PROJECTS, json={"title": "x" * 201}, headers=ana.headers)).status_code == 422
    deep = b"[" * 100_000 + b"]" * 100_000
    json = ana.headers | {"content-type": "application/json"}
    assert (await client.post(PROJECTS, content=deep, headers=json)).status_code in {400, 422}
    place = (await client.post(PROJECTS, json={"title": "x"}, headers=ana.headers)).headers["location"]
    order = {"scene_ids": ["0" * 32] * 201}
    assert (await client.put(f"{place}/scenes/order", json=order, headers=ana.headers)).status_code == 422


@pytest.mark.parametrize(
    "path", ["/.env", "/.git/config", "/metrics", "/debug", "/admin", "/server-status", "/docs/assets/x"]
)
async def test_a05_nothing_is_served_that_was_not_meant(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path)).status_code == 404


async def test_a05_errors_tell_nothing_about_the_inside(
    client: httpx.AsyncClient, meet: Any, runtime: Runtime, monkeypatch: Any
) -> None:
    async def fail(*_: Any) -> None:
        raise RuntimeError("mysql://root:hunter2@10.0.0.1/")

    monkeypatch.setattr(runtime.database, "rows", fail)
    answer = await client.get(PROJECTS, headers=(await meet()).headers)
    assert answer.status_code == 500 and "hunter2" not in answer.text and "RuntimeError" not in answer.text


def test_a06_every_dependency_is_locked_by_hash() -> None:
    lock = (ROOT / "requirements/service.txt").read_text()
    packages = [line for line in lock.splitlines() if "==" in line]
    assert packages and lock.count("--hash=sha256:") >= len(packages)


async def test_a07_api2_tokens_of_one_kind_do_not_work_as_another(client: httpx.AsyncClient, meet: Any) -> None:
    ana = await meet()
    access = ana.headers["authorization"].removeprefix("Bearer ")
    assert (await client.post("/api/v1/sessions/refresh", json={"refresh_token": access[:100]})).status_code == 401
    for kind in ("Basic", "Token", ""):
        assert (await client.get(PROJECTS, headers={"authorization": f"{kind} {access}"})).status_code == 401
    assert (await client.get(PROJECTS, params={"access_token": access})).status_code == 401


async def test_a08_a_body_must_be_what_it_says(client: httpx.AsyncClient, meet: Any) -> None:
    """Software and data integrity, and cross-site forms: a form post is not JSON."""
    ana = await meet()
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/octet-stream", "application/xml"):
        headers = ana.headers | {"content-type": kind}
        assert (await client.post(PROJECTS, content=b'{"title":"x"}', headers=headers)).status_code == 422


async def test_a09_who_changed_what_is_on_record(client: httpx.AsyncClient, meet: Any, log: Any) -> None:
    ana, admin = await meet(), await meet(Role.ADMIN)
    headers = ana.headers | {"x-request-id": "audit-1", "x-forwarded-for": "203.0.113.77"}
    made = await client.post(PROJECTS, json={"title": "secret title"}, headers=headers)
    line = (await client.get("/api/v1/audit", params={"actor_id": ana.id}, headers=admin.headers)).json()["items"][0]
    assert (line["action"], line["target_id"]) == ("project.created", made.json()["id"])
    assert (line["address"], line["request_id"]) == ("203.0.113.77", "audit-1")
    assert "secret title" not in str(line) + str(log())


async def test_a10_api7_no_field_makes_the_service_fetch_an_address(served: FastAPI) -> None:
    """Server-side request forgery: no request body of the API takes an address at all."""
    schemas = served.openapi()["components"]["schemas"]
    bodies = {
        operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rsplit("/", 1)[1]
        for _, _, operation in routes(served)
        if "requestBody" in operation and "$ref" in operation["requestBody"]["content"]["application/json"]["schema"]
    }
    fields = {field for body in bodies for field in schemas[body]["properties"]}
    assert bodies and not [field for field in fields if "url" in field or "uri" in field or "callback" in field]


async def test_api1_every_object_is_hidden_from_strangers(
    client: httpx.AsyncClient, meet: Any, served: FastAPI
) -> None:
    """Broken object level authorization, tried on every documented path with an identifier in it."""
    ana, stranger = await meet(), await meet()
    place = (await client.post(PROJECTS, json={"title": "x"}, headers=ana.headers)).headers["location"]
    scene = (await client.post(f"{place}/scenes", json={"title": "x"}, headers=ana.headers)).json()
    video = (await client.post(f"{place}/videos", headers=ana.headers)).json()
    announced = {"name": "a", "content_type": "image/png", "size": 1, "sha256": "0" * 64}
    media = (await client.post("/api/v1/media", json=announced, headers=ana.headers)).json()
    ids = {"project_id": place.rsplit("/", 1)[1], "scene_id": scene["id"], "video_id": video["id"]}
    ids |= {"media_id": media["id"], "session_id": ana.session_id, "user_id": ana.id, "token": "A" * 43}
    bodies: dict[str, Any] = {"SceneOrder": {"scene_ids": []}, "SceneCreate": {"title": "x"}}
    tried = 0
    for method, path, operation in routes(served):
        if "{" not in path:
            continue
        schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
        body = bodies.get(schema.get("$ref", "").rsplit("/", 1)[-1], {})
        headers = stranger.headers | {"if-match": '"1"'}
        answer = await client.request(method, path.format(**ids), json=body, headers=headers)
        expected = 403 if operation["tags"] == ["administration"] else 404
        assert answer.status_code == expected, f"{method} {path}: {answer.status_code} {answer.text}"
        tried += 1
    assert tried >= 15


@pytest.mark.parametrize(
    "field",
    ["id", "owner_id", "version", "scene_count", "created_at", "role", "is_admin", "__class__", "password_hash"],
)
async def test_api3_fields_that_are_not_offered_are_refused(client: httpx.AsyncClient, meet: Any, field: str) -> None:
    """Mass assignment."""
    ana = await meet()
    answer = await client.post(PROJECTS, json={"title": "x", field: "1"}, headers=ana.headers)
    assert answer.status_code == 422
    place = (await client.post(PROJECTS, json={"title": "x"}, headers=ana.headers)).headers["location"]
    change = ana.headers | {"if-match": '"1"'}
    assert (await client.patch(place, json={field: "1"}, headers=change)).status_code == 422
    assert (await client.patch("/api/v1/users/me", json={"name": "x", field: "1"}, headers=change)).status_code == 422


async def test_api6_business_flows_are_bounded(client: httpx.AsyncClient, meet: Any) -> None:
    """Videos are dear: three at a time, whatever the rate."""
    ana = await meet()
    place = (await client.post(PROJECTS, json={"title": "x"}, headers=ana.headers)).headers["location"]
    await client.post(f"{place}/scenes", json={"title": "x"}, headers=ana.headers)
    codes = [(await client.post(f"{place}/videos", headers=ana.headers)).status_code for _ in range(6)]
    assert codes == [202] * 3 + [429] * 3


async def test_api8_methods_that_are_not_offered_are_refused(client: httpx.AsyncClient, meet: Any) -> None:
    ana = await meet()
    for method in ("TRACE", "CONNECT", "PUT", "BREW"):
        assert (await client.request(method, PROJECTS, headers=ana.headers)).status_code == 405


def test_api9_every_route_is_documented_or_named_here(served: FastAPI) -> None:
    """Improper inventory management."""
    unlisted = {"/files/{key:path}", "/openapi.json", "/docs", "/redoc", "/docs/start.js", "/docs/theme.css"}
    unlisted |= {"/docs/assets/{name}", "/", "/page/{name}"}
    documented = set(served.openapi()["paths"])
    for context in served.router.routes:
        inner = getattr(context, "effective_route_contexts", None)
        for route in inner() if inner else [context]:
            original = route.original_route if inner else route
            if isinstance(original, APIRoute):
                assert original.path in documented | unlisted, original.path


async def test_api10_answers_of_other_services_are_not_believed(
    client: httpx.AsyncClient, meet: Any, runtime: Runtime, monkeypatch: Any
) -> None:
    """Unsafe consumption: the store's word on size and checksum is compared with what was announced."""
    from service.data.storage import Stored

    ana = await meet()
    announced = {"name": "a", "content_type": "image/png", "size": 1, "sha256": "0" * 64}
    media = (await client.post("/api/v1/media", json=announced, headers=ana.headers)).json()

    async def lies(_: str) -> Stored:
        return Stored(10**12, "f" * 64)

    monkeypatch.setattr(runtime.storage, "stat", lies)
    assert (await client.post(f"/api/v1/media/{media['id']}/complete", headers=ana.headers)).status_code == 422
