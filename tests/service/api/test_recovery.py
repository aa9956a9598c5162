"""Can a forgotten password be replaced and an address confirmed, by whoever reads its mail and by nobody else?"""

import email
import email.policy
import re
import time
from collections.abc import Iterator
from email.message import EmailMessage
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
import yaml
from aiosmtpd.controller import Controller
from moto.server import ThreadedMotoServer

from service.runtime import Runtime
from service.settings import MailSettings
from service.users import mail, recovery
from tests.service.servers import free_port

USERS, PROJECTS, SESSIONS = "/api/v1/users", "/api/v1/projects", "/api/v1/sessions"
OLD, NEW = "correct horse battery", "another horse battery"


class Sink:
    """A mail server that keeps what it gets."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []

    async def handle_DATA(self, _: Any, __: Any, envelope: Any) -> str:  # noqa: N802 (aiosmtpd calls it so)
        self.mails.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        return "250 OK"


@pytest.fixture
def sink(runtime: Runtime) -> Iterator[Sink]:
    """Mail goes to a server on loopback."""
    sink = Sink()
    server = Controller(sink, "127.0.0.1", free_port())
    server.start()
    settings = MailSettings(
        transport="smtp", smtp_host="127.0.0.1", smtp_port=server.port, smtp_tls=False, site="https://a.example"
    )
    runtime.settings = runtime.settings.model_copy(update={"mail": settings})
    yield sink
    server.stop()


async def arrived(runtime: Runtime, sink: Sink) -> list[EmailMessage]:
    await runtime.mail.close()
    mails, sink.mails = sink.mails, []
    return mails


def token_in(message: EmailMessage) -> str:
    link = re.search(r"https://a\.example/#(password|confirmation)=(\S+)", message.get_content())
    assert link is not None
    return link[2]


@pytest.fixture
async def ana(client: httpx.AsyncClient, runtime: Runtime) -> dict[str, Any]:
    """Somebody who registered before there was mail."""
    person = {"email": f"ana-{time.time_ns()}@example.com", "name": "Ana", "password": OLD}
    answer = await client.post(USERS, json=person)
    assert answer.status_code == 201
    made: dict[str, Any] = answer.json()
    return made


async def log_in(client: httpx.AsyncClient, ana: dict[str, Any], password: str) -> httpx.Response:
    return await client.post(SESSIONS, json={"email": ana["email"], "password": password})


async def forget(client: httpx.AsyncClient, address: str, **headers: str) -> httpx.Response:
    return await client.post(f"{USERS}/forgotten-password", json={"email": address}, headers=headers)


async def choose(client: httpx.AsyncClient, token: str, password: str = NEW) -> httpx.Response:
    return await client.put(f"{USERS}/forgotten-password", json={"token": token, "new_password": password})


async def test_a_forgotten_password_is_replaced_once_and_closes_every_session(
    client: httpx.AsyncClient, runtime: Runtime, ana: dict[str, Any], sink: Sink
) -> None:
    headers = {"authorization": f"Bearer {(await log_in(client, ana, OLD)).json()['access_token']}"}
    assert (await forget(client, ana["email"].upper())).status_code == 202
    (message,) = await arrived(runtime, sink)
    assert message["to"] == ana["email"] and message["subject"] == "Escolha uma nova senha para o TecnoCursos"
    token = token_in(message)
    weak = await choose(client, token, "senha1234567")
    assert weak.status_code == 422 and "easily guessed" in weak.json()["detail"]
    assert (await choose(client, token)).status_code == 204
    assert (await client.get(f"{USERS}/me", headers=headers)).status_code == 401
    assert (await log_in(client, ana, OLD)).status_code == 401
    headers = {"authorization": f"Bearer {(await log_in(client, ana, NEW)).json()['access_token']}"}
    # Whoever reads the mail holds the address.
    assert (await client.get(f"{USERS}/me", headers=headers)).json()["confirmed_at"] is not None
    assert (await choose(client, token, "yet another horse battery")).status_code == 403


async def test_nobody_learns_whether_there_is_an_account(
    client: httpx.AsyncClient, runtime: Runtime, ana: dict[str, Any], sink: Sink
) -> None:
    answers = [await forget(client, address) for address in (ana["email"], f"nobody-{ana['email']}", "no address")]
    assert {(answer.status_code, answer.content) for answer in answers} == {(202, b"")}
    names = [sorted(set(answer.headers) - {"x-request-id"}) for answer in answers]
    assert names[0] == names[1] == names[2]
    assert [message["to"] for message in await arrived(runtime, sink)] == [ana["email"]]


async def test_the_answer_does_not_wait_for_the_mail(
    client: httpx.AsyncClient, runtime: Runtime, ana: dict[str, Any], sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or its time would tell whether there is an account."""
    import threading

    answered = threading.Event()
    monkeypatch.setattr(mail, "_by_smtp", lambda *_: answered.wait(20))
    assert (await forget(client, ana["email"])).status_code == 202  # or it would wait for ever
    answered.set()
    await runtime.mail.close()


async def test_a_mailbox_is_not_filled_by_others(
    client: httpx.AsyncClient, runtime: Runtime, ana: dict[str, Any], sink: Sink, limits: Any
) -> None:
    limits(1)
    for number in range(6):
        assert (await forget(client, ana["email"], **{"x-forwarded-for": f"198.51.100.{number}"})).status_code == 202
    assert len(await arrived(runtime, sink)) == recovery.MAILS


async def test_an_address_is_confirmed_once_and_may_publish_then(
    client: httpx.AsyncClient, runtime: Runtime, sink: Sink
) -> None:
    person = {"email": f"bia-{time.time_ns()}@example.com", "name": "Bia http://evil.example", "password": OLD}
    made = await client.post(USERS, json=person, headers={"accept-language": "en-GB,en;q=0.9"})
    assert made.json()["confirmed_at"] is None
    (message,) = await arrived(runtime, sink)
    assert message["subject"] == "Confirm your e-mail address at TecnoCursos"
    assert "evil.example" not in message.as_string()
    headers = {"authorization": f"Bearer {(await log_in(client, person, OLD)).json()['access_token']}"}
    course = (await client.post(PROJECTS, json={"title": "Luz"}, headers=headers)).json()
    place = f"{PROJECTS}/{course['id']}"
    await client.post(f"{place}/scenes", json={"title": "x"}, headers=headers)
    tag = (await client.get(place, headers=headers)).headers["etag"]
    publish = {"json": {"status": "published"}, "headers": headers | {"if-match": tag}}
    refused = await client.patch(place, **publish)  # type: ignore[arg-type]
    assert refused.status_code == 403 and "confirm your address" in refused.json()["detail"]
    assert (await client.post(f"{USERS}/me/confirmation", headers=headers)).status_code == 202
    token = token_in((await arrived(runtime, sink))[0])
    assert (await client.put(f"{USERS}/confirmation", json={"token": token})).status_code == 204
    assert (await client.put(f"{USERS}/confirmation", json={"token": token})).status_code == 403
    assert (await client.patch(place, **publish)).status_code == 200  # type: ignore[arg-type]
    assert (await client.post(f"{USERS}/me/confirmation", headers=headers)).status_code == 202
    assert await arrived(runtime, sink) == []  # there is nothing to confirm


@pytest.mark.parametrize("case", ["late", "another person", "another purpose", "forged", "closed"])
async def test_other_links_do_nothing(
    client: httpx.AsyncClient,
    runtime: Runtime,
    ana: dict[str, Any],
    sink: Sink,
    *,
    meet: Any,
    monkeypatch: pytest.MonkeyPatch,
    case: str,
) -> None:
    await forget(client, ana["email"])
    token = token_in((await arrived(runtime, sink))[0])
    user_id, expires, signature = token.split(".")
    if case == "late":
        monkeypatch.setattr(recovery, "time", SimpleNamespace(time=lambda: time.time() + 3601))
    if case == "another person":
        token = f"{(await meet()).id}.{expires}.{signature}"
    if case == "another purpose":
        assert (await client.put(f"{USERS}/confirmation", json={"token": token})).status_code == 403
        return
    if case == "forged":
        token = f"{user_id}.{int(expires) + 1}.{signature}"
    if case == "closed":
        async with runtime.database.transaction() as session:
            (await session.get_one(recovery.User, ana["id"])).active = False
    assert (await choose(client, token)).status_code == 403
    assert (await client.put(f"{USERS}/forgotten-password", json={"token": "x"})).status_code == 422


async def test_without_mail_nothing_is_sent_and_publishing_needs_no_address(
    client: httpx.AsyncClient, runtime: Runtime, ana: dict[str, Any]
) -> None:
    assert (await forget(client, ana["email"])).status_code == 202
    assert runtime.mail._sending == set()


async def test_a_mail_server_that_is_away_fails_no_request(
    client: httpx.AsyncClient, runtime: Runtime, ana: dict[str, Any], sink: Sink, log: Any
) -> None:
    settings = runtime.settings.mail.model_copy(update={"smtp_port": free_port()})
    runtime.settings = runtime.settings.model_copy(update={"mail": settings})
    assert (await forget(client, ana["email"])).status_code == 202
    await runtime.mail.close()
    (line,) = [line for line in log() if line["event"] == "a mail was not sent"]
    assert line["kind"] == "ConnectionRefusedError" and "#password" not in str(log())


async def test_ses_gets_the_same_mail(
    client: httpx.AsyncClient, runtime: Runtime, ana: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    endpoint = "http://{}:{}".format(*server.get_host_and_port())
    sender = "no-reply@a.example"
    settings = MailSettings(transport="ses", ses_endpoint=endpoint, sender=sender, site="https://a.example")
    runtime.settings = runtime.settings.model_copy(update={"mail": settings})
    try:
        import boto3

        boto3.client("ses", region_name="us-east-1", endpoint_url=endpoint).verify_email_identity(EmailAddress=sender)
        assert (await forget(client, ana["email"])).status_code == 202
        await runtime.mail.close()
        async with httpx.AsyncClient() as plain:
            sent = (await plain.get(f"{endpoint}/moto-api/data.json")).json()["ses"]["RawMessage"]
    finally:
        server.stop()
    assert ana["email"] in str(sent)


def test_every_text_is_there_in_both_languages() -> None:
    texts = yaml.safe_load(mail.files("service.users").joinpath("mails.yaml").read_text(encoding="utf-8"))
    assert set(texts) == set(recovery.SECONDS)
    for languages in texts.values():
        assert set(languages) == {"pt", "en"}
        assert all(words["body"].count("{link}") == 1 and words["subject"] for words in languages.values())
