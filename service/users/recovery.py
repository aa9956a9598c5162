"""How does somebody show that a mail reached them? With a signed link that works once.

The signature covers what the link changes, so that using it ends it, and so does every other change of the same.
"""

import time

from fastapi import Request
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from service.data.cache import Admission, Outcome
from service.data.columns import now
from service.http.errors import ProblemError
from service.runtime import Runtime
from service.security import audit
from service.security.tokens import fingerprint
from service.users import sessions
from service.users.models import User

SECONDS = {"password": 3600, "confirmation": 3 * 86400}
MAILS, PER_SECONDS = 3, 3600  # to one address: nobody's mailbox is filled by others


async def forgotten(runtime: Runtime, request: Request, email: str) -> None:
    """Send a link to choose a new password, if there is such an account; nobody is told whether there is."""
    async with runtime.database.reading() as session:
        user = (await session.exec(select(User).where(User.email == email, col(User.active).is_(True)))).first()
    await send(runtime, request, "password", user, email)


async def send(runtime: Runtime, request: Request, purpose: str, user: User | None, email: str) -> None:
    """Send a link of a kind, unless mail is off, nobody is there or the address had its share."""
    if runtime.settings.mail.transport == "none":
        return
    limit = MAILS * runtime.settings.security.rate_factor
    admission = Admission(f"mail:{fingerprint(email)[:32]}", "", PER_SECONDS, limit)
    if (await runtime.cache.admit(admission)).outcome is not Outcome.ADMITTED or user is None:
        return
    language = "en" if request.headers.get("accept-language", "").lower().startswith("en") else "pt"
    # Behind the "#", which is not sent: no log and no other site sees the token.
    link = f"{runtime.settings.mail.site}/#{purpose}={token_for(runtime, purpose, user)}"
    runtime.mail.send(runtime.settings, purpose, language, user.email, link)


def token_for(runtime: Runtime, purpose: str, user: User) -> str:
    """What a link of a kind carries."""
    expires = str(int(time.time()) + SECONDS[purpose])
    return f"{user.id}.{expires}.{runtime.tokens.sign(purpose, user.id, expires, _state(purpose, user))}"


def _state(purpose: str, user: User) -> str:
    return user.password_hash if purpose == "password" else f"{user.email} {user.confirmed_at}"


async def holder(session: AsyncSession, runtime: Runtime, purpose: str, token: str) -> User:
    """The account of a link, locked. Raises ProblemError 403."""
    user_id, expires, signature = token.split(".")
    user = await session.get(User, user_id, with_for_update=True)
    expected = "" if user is None or not user.active else _state(purpose, user)
    genuine = expected and runtime.tokens.signed(signature, purpose, user_id, expires, expected)
    if user is None or not genuine or int(expires) < time.time():
        raise ProblemError(403, "the link is wrong, was used or has expired: ask for another")
    return user


async def choose(runtime: Runtime, request: Request, token: str, password: str) -> None:
    """Set a forgotten password anew; every session is closed. Raises ProblemError 403, 422."""
    async with runtime.database.transaction() as session:
        known = await holder(session, runtime, "password", token)
    digest = await runtime.passwords.choose(password, known.email, known.name)  # no connection is held meanwhile
    async with runtime.database.transaction() as session:
        user = await holder(session, runtime, "password", token)
        user.password_hash, user.confirmed_at = digest, user.confirmed_at or now()
        await sessions.close_all(session, runtime, user.id)
        audit.record(session, request, "user.password_reset", actor=user.id, target=user.id)


async def confirm(runtime: Runtime, request: Request, token: str) -> None:
    """Note that mail reaches an address. Raises ProblemError 403."""
    async with runtime.database.transaction() as session:
        user = await holder(session, runtime, "confirmation", token)
        user.confirmed_at = now()
        audit.record(session, request, "user.confirmed", actor=user.id, target=user.id)
