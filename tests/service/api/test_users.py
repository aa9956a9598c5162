"""Do accounts behave as documented? Registration, profile, password, administration, export and erasure."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlmodel import col, select

from service.data.columns import now
from service.runtime import Runtime
from service.security import audit
from service.security.audit import AuditEvent
from service.security.permissions import Role
from service.users import service
from service.users.models import User

URL = "/api/v1/users"
PASSWORD = "correct horse battery"
NEW = {"email": "Bia@Example.com", "name": "Bia", "password": PASSWORD}


async def register(client: httpx.AsyncClient, **change: str) -> httpx.Response:
    return await client.post(URL, json=NEW | change)


async def log_in(client: httpx.AsyncClient, email: str, password: str) -> httpx.Response:
    return await client.post("/api/v1/sessions", json={"email": email, "password": password})


async def token_of(client: httpx.AsyncClient, email: str, password: str = PASSWORD) -> dict[str, str]:
    answer = await log_in(client, email, password)
    assert answer.status_code == 201, answer.text
    return {"authorization": f"Bearer {answer.json()['access_token']}"}


async def test_registration_then_login(client: httpx.AsyncClient) -> None:
    answer = await register(client)
    assert answer.status_code == 201 and answer.json()["email"] == "bia@example.com"
    assert answer.json()["role"] == "creator" and "password" not in answer.text
    assert (await register(client, email="BIA@example.com ")).status_code == 409
    headers = await token_of(client, "bia@example.com")
    assert (await client.get(f"{URL}/me", headers=headers)).json() == answer.json()


async def test_the_stored_password_is_argon2id_with_owasps_parameters(
    client: httpx.AsyncClient, runtime: Runtime
) -> None:
    await register(client)
    async with runtime.database.reading() as session:
        stored = (await session.exec(select(User.password_hash).where(col(User.email) == "bia@example.com"))).one()
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$") and PASSWORD not in stored


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"email": "no address"}, "body.email"),
        ({"email": "a@b"}, "body.email"),
        ({"email": "a@b..example"}, "body.email"),
        ({"email": "\u200bana@example.com"}, "body.email"),
        ({"email": "víctoria@example.com"}, "body.email"),
        ({"email": "ana@example.com\nbia@example.com"}, "body.email"),
        ({"email": "0" * 32 + "@erased.invalid"}, "body.email"),
        ({"password": "short"}, "body.password"),
        ({"password": "x" * 129}, "body.password"),
        ({"name": ""}, "body.name"),
        ({"name": "a\u0000b"}, "body.name"),
        ({"name": "a\r\nset-cookie: x"}, "body.name"),
        ({"role": "admin"}, "body.role"),
    ],
)
async def test_refused_registrations_name_the_field_and_not_the_value(
    client: httpx.AsyncClient, change: dict[str, str], field: str
) -> None:
    answer = await register(client, **change)
    assert answer.status_code == 422 and answer.headers["content-type"] == "application/problem+json"
    assert [row["field"] for row in answer.json()["errors"]] == [field]
    assert PASSWORD not in answer.text and "x" * 129 not in answer.text


@pytest.mark.parametrize(
    "password", ["a" * 12, " " * 12, "password1234", "minhasenha123", "abcdabcdabcd", "bia@example.com", "x" * 128]
)
async def test_passwords_that_are_easily_guessed_are_refused_wherever_one_is_chosen(
    client: httpx.AsyncClient, password: str
) -> None:
    answer = await register(client, password=password)
    assert answer.status_code == 422 and "easily guessed" in answer.json()["detail"]
    await register(client)
    headers = await token_of(client, "bia@example.com")
    body = {"old_password": PASSWORD, "new_password": password}
    answer = await client.put(f"{URL}/me/password", json=body, headers=headers)
    assert answer.status_code == 422 and "easily guessed" in answer.json()["detail"]
    await token_of(client, "bia@example.com")


async def test_an_address_with_an_accent_is_another_one(client: httpx.AsyncClient, meet: Any, runtime: Runtime) -> None:
    """On MySQL as well, whose own collations take é for e and both for É."""
    digest = await runtime.passwords.hash(PASSWORD)
    async with runtime.database.transaction() as session:  # from a time when such addresses were taken
        session.add(User(email="victória@example.com", name="V", password_hash=digest))
    await register(client, email="victoria@example.com", password="another horse battery")
    assert (await log_in(client, "victoria@example.com", PASSWORD)).status_code == 401
    assert (await log_in(client, "victòria@example.com", PASSWORD)).status_code == 401
    for spelling in ("victória@example.com", "VICTO\u0301RIA@example.com"):  # one letter, or one and its accent
        me = await client.get(f"{URL}/me", headers=await token_of(client, spelling))
        assert me.json()["email"] == "victória@example.com"


async def test_the_profile_changes_with_its_version(client: httpx.AsyncClient, meet: Any) -> None:
    ana = await meet()
    tag = (await client.get(f"{URL}/me", headers=ana.headers)).headers["etag"]
    answer = await client.patch(f"{URL}/me", json={"name": "Ana Luz"}, headers=ana.headers | {"if-match": tag})
    assert answer.json()["name"] == "Ana Luz" and answer.headers["etag"] != tag
    stale = await client.patch(f"{URL}/me", json={"name": "x"}, headers=ana.headers | {"if-match": tag})
    assert stale.status_code == 412
    trail = (await client.get(f"{URL}/me/export", headers=ana.headers)).json()["audit"]
    assert [(line["action"], line["detail"]) for line in trail] == [("user.changed", {"fields": ["name"]})]


async def test_a_new_password_closes_the_other_sessions(client: httpx.AsyncClient) -> None:
    await register(client)
    here, there = await token_of(client, "bia@example.com"), await token_of(client, "bia@example.com")
    body = {"old_password": "wrong", "new_password": "another horse battery"}
    assert (await client.put(f"{URL}/me/password", json=body, headers=here)).status_code == 403
    body["old_password"] = PASSWORD
    assert (await client.put(f"{URL}/me/password", json=body, headers=here)).status_code == 204
    assert (await client.get(f"{URL}/me", headers=here)).status_code == 200
    assert (await client.get(f"{URL}/me", headers=there)).status_code == 401
    await token_of(client, "bia@example.com", "another horse battery")


async def test_administrators_change_roles_and_close_accounts(client: httpx.AsyncClient, meet: Any) -> None:
    admin = await meet(Role.ADMIN)
    bia = (await register(client)).json()
    headers = await token_of(client, bia["email"])
    place = f"{URL}/{bia['id']}"
    change = {"if-match": f'"{bia["version"]}"'} | admin.headers
    answer = await client.patch(place, json={"role": "viewer"}, headers=change)
    assert answer.status_code == 200 and answer.json()["role"] == "viewer"
    # The old token says "creator": it must not work any more.
    assert (await client.post("/api/v1/projects", json={"title": "x"}, headers=headers)).status_code == 401
    headers = await token_of(client, bia["email"])
    assert (await client.post("/api/v1/projects", json={"title": "x"}, headers=headers)).status_code == 403
    again = admin.headers | {"if-match": answer.headers["etag"]}
    assert (await client.patch(place, json={"active": False}, headers=again)).json()["active"] is False
    refused = await client.post("/api/v1/sessions", json={"email": bia["email"], "password": PASSWORD})
    assert refused.status_code == 401
    assert (await client.patch(f"{URL}/{'0' * 32}", json={}, headers=change)).status_code == 404
    own = await client.patch(f"{URL}/{admin.id}", json={"role": "viewer"}, headers=admin.headers | {"if-match": '"1"'})
    assert own.status_code == 409
    trail = (await client.get("/api/v1/audit", params={"actor_id": admin.id}, headers=admin.headers)).json()["items"]
    assert [line["action"] for line in trail] == ["user.administered"] * 2
    assert [line["detail"] for line in trail] == [{"fields": ["active"]}, {"fields": ["role"]}]


async def test_lists_of_people_and_of_the_trail_are_for_administrators(client: httpx.AsyncClient, meet: Any) -> None:
    ana, admin = await meet(), await meet(Role.ADMIN)
    for url in (URL, "/api/v1/audit"):
        assert (await client.get(url, headers=ana.headers)).status_code == 403
        assert (await client.get(url)).status_code == 401
    listed = (await client.get(URL, params={"limit": 2}, headers=admin.headers)).json()
    assert [row["id"] for row in listed["items"]] == [admin.id, ana.id]
    assert all("password" not in key for row in listed["items"] for key in row)
    assert (await client.get("/api/v1/audit", headers=admin.headers)).status_code == 200


async def test_an_erased_person_cannot_act_with_a_token_that_still_lives(
    client: httpx.AsyncClient, meet: Any, runtime: Runtime
) -> None:
    ana = await meet()
    async with runtime.database.transaction() as session:
        (await session.get_one(User, ana.id)).active = False
    for method, url in (("GET", f"{URL}/me"), ("GET", f"{URL}/me/export")):
        assert (await client.request(method, url, headers=ana.headers)).status_code == 401


async def test_administrators_find_a_person(client: httpx.AsyncClient, meet: Any) -> None:
    admin, ana = await meet(Role.ADMIN), await meet()
    bia = (await register(client)).json()
    found = await client.get(URL, params={"email": " BIA@example.com"}, headers=admin.headers)
    assert found.json() == {"items": [bia], "next_cursor": None}
    nobody = await client.get(URL, params={"email": "nobody"}, headers=admin.headers)
    assert nobody.json()["items"] == []
    answer = await client.get(f"{URL}/{bia['id']}", headers=admin.headers)
    assert answer.json() == bia and answer.headers["etag"] == f'"{bia["version"]}"'
    assert (await client.get(f"{URL}/{'0' * 32}", headers=admin.headers)).status_code == 404
    for params, path in (({"email": bia["email"]}, URL), ({}, f"{URL}/{bia['id']}")):
        assert (await client.get(path, params=params, headers=ana.headers)).status_code == 403


async def test_the_first_administrator_is_made_from_a_shell(client: httpx.AsyncClient, runtime: Runtime) -> None:
    bia = (await register(client)).json()
    headers = await token_of(client, bia["email"])
    await service.grant_administration(runtime, "BIA@example.com")
    assert (await client.get(f"{URL}/me", headers=headers)).status_code == 401  # the old token says "creator"
    headers = await token_of(client, bia["email"])
    trail = (await client.get("/api/v1/audit", headers=headers)).json()["items"]
    assert ("user.administered", bia["id"], "") in [(row["action"], row["target_id"], row["address"]) for row in trail]
    with pytest.raises(ValueError, match="no open account"):
        await service.grant_administration(runtime, "nobody@example.com")


async def test_old_lines_of_the_trail_are_forgotten(client: httpx.AsyncClient, runtime: Runtime) -> None:
    await register(client)
    async with runtime.database.transaction() as session:
        old = f"{int((now() - timedelta(days=400)).timestamp() * 1000):012x}" + "7" + "0" * 19
        session.add(AuditEvent(id=old, action="user.changed", address="", request_id=""))
        await session.flush()
        assert await audit.purge(session, 365) == 1
        assert await audit.purge(session, 365) == 0
        kept = (await session.exec(select(AuditEvent.action))).all()
    assert "user.registered" in kept
