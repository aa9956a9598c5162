"""How often may a wrong password be tried? Failures count by account and address, and by account from everywhere.

A try is charged before the password is looked at, so that many at once do not slip through, and given back when it was
right. Whoever tries from elsewhere never locks an address out that the account was used from.
"""

from collections.abc import Sequence
from dataclasses import replace

from fastapi import Request
from sqlmodel import col, select

from service.data.cache import Admission, Outcome
from service.http.errors import ProblemError
from service.runtime import Runtime
from service.security.tokens import fingerprint
from service.users.models import RefreshToken, User

WINDOW = 300  # seconds
FROM_ONE_ADDRESS, FROM_ANYWHERE = 10, 50  # per window


async def charge(runtime: Runtime, request: Request, email: str) -> Sequence[Admission]:
    """Count a try on an account, which need not exist; what `forgive` takes back. Raises ProblemError 429."""
    account, address = f"password:{fingerprint(email)[:32]}", request.state.address
    factor, charged = runtime.settings.security.rate_factor, []
    for subject, limit in ((f"{account}:{address}", FROM_ONE_ADDRESS), (account, FROM_ANYWHERE)):
        admission = Admission(subject, "", WINDOW, limit * factor)
        decision = await runtime.cache.admit(admission)
        if decision.outcome is Outcome.ADMITTED:
            charged.append(admission)
        elif subject != account or not await _known(runtime, email, address):
            detail = f"too many wrong passwords: wait {decision.wait} seconds"
            raise ProblemError(429, detail, {"retry-after": str(decision.wait)})
    return charged


async def forgive(runtime: Runtime, charged: Sequence[Admission]) -> None:
    """The password was right."""
    for admission in charged:
        await runtime.cache.admit(replace(admission, cost=-1))


async def _known(runtime: Runtime, email: str, address: str) -> bool:
    used = select(RefreshToken.id).join(User).where(col(User.email) == email, col(RefreshToken.address) == address)
    async with runtime.database.reading() as session:
        return (await session.exec(used.limit(1))).first() is not None
