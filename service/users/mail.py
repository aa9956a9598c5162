"""How does a person get a mail? By SMTP or SES, in their language, without anybody waiting for it."""

import asyncio
import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from functools import cache
from importlib.resources import files
from typing import Any

import structlog
import yaml
from email_validator import validate_email

from service.settings import Settings

PATIENCE = 10  # seconds for each answer of a mail server


class Mailer:
    """Sends beside the request that asks for it: how long it takes tells nothing about who has an account."""

    def __init__(self) -> None:
        self._sending: set[asyncio.Task[None]] = set()

    def send(self, settings: Settings, text: str, language: str, address: str, link: str) -> None:
        """Begin to send a text of mails.yaml; a mail that fails is logged, and can be asked for again."""
        task = asyncio.create_task(self._send(settings, _message(settings, text, language, address, link)))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def close(self) -> None:
        """Wait for what is being sent."""
        await asyncio.gather(*self._sending)

    async def _send(self, settings: Settings, message: EmailMessage) -> None:
        by = _by_ses if settings.mail.transport == "ses" else _by_smtp
        try:
            await asyncio.to_thread(by, settings, message)
        except Exception as error:  # each transport has its own
            structlog.get_logger().error("a mail was not sent", kind=type(error).__name__)


@cache
def _texts() -> Any:
    return yaml.safe_load(files("service.users").joinpath("mails.yaml").read_text(encoding="utf-8"))


def _message(settings: Settings, text: str, language: str, address: str, link: str) -> EmailMessage:
    words = _texts()[text][language]
    message = EmailMessage()
    message["Subject"], message["From"] = words["subject"], settings.mail.sender
    message["To"] = validate_email(address, check_deliverability=False).ascii_email
    message["Date"], message["Message-ID"] = formatdate(), make_msgid(domain="tecnocursos")
    message["Auto-Submitted"] = "auto-generated"
    # Nothing that the person wrote, such as a name: whoever registers somebody's address must not write them mails.
    message.set_content(words["body"].format(link=link))
    return message


def _by_smtp(settings: Settings, message: EmailMessage) -> None:
    mail = settings.mail
    with smtplib.SMTP(mail.smtp_host, mail.smtp_port, timeout=PATIENCE) as server:
        if mail.smtp_tls:
            server.starttls(context=ssl.create_default_context())
        if mail.smtp_password is not None:
            server.login(mail.smtp_user, mail.smtp_password.get_secret_value())
        server.send_message(message)


def _by_ses(settings: Settings, message: EmailMessage) -> None:
    import boto3  # noqa: PLC0415 (half a second that only this needs)

    client: Any = boto3.client("sesv2", region_name=settings.region, endpoint_url=settings.mail.ses_endpoint)
    content = {"Raw": {"Data": message.as_bytes()}}
    client.send_email(Destination={"ToAddresses": [message["To"]]}, Content=content)
