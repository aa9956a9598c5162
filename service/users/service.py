"""What are the rules of accounts? Registration, authentication and administration."""

from fastapi import Request
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from service.http.dependencies import UnitOfWork
from service.http.errors import ProblemError
from service.plans import service as plans
from service.runtime import Runtime
from service.security import audit
from service.security.audit import AuditEvent
from service.security.permissions import Caller, Role
from service.users import attempts, sessions
from service.users.email import comparable
from service.users.models import User
from service.users.schemas import Administration, Registration

EXPORTED = 10_000  # rows of a kind; more is asked of support, not of one request


async def register(runtime: Runtime, request: Request, body: Registration, role: Role = Role.CREATOR) -> User:
    """Create an account. Raises ProblemError 409 when the address is taken."""
    taken = select(User.id).where(col(User.email) == body.email)
    async with runtime.database.reading() as session:
        if (await session.exec(taken)).first() is not None:
            raise ProblemError(409, "there is an account with this email")
    # Hashing may queue for its share of CPU: no connection is held meanwhile.
    digest = await runtime.passwords.choose(body.password.get_secret_value(), body.email, body.name)
    user = User(email=body.email, name=body.name, password_hash=digest, role=role.value)
    async with runtime.database.transaction() as session:
        session.add(user)
        await session.flush()
        audit.record(session, request, "user.registered", actor=user.id, target=user.id)
    runtime.metrics.count("users_registered_total")
    return user


async def authenticate(runtime: Runtime, request: Request, email: str, password: str) -> User | None:
    """The account if the password is right; the time taken does not tell whether the account exists.

    No connection is held while the password is checked. Raises ProblemError 429 after too many wrong ones.
    """
    charged = await attempts.charge(runtime, request, email)
    async with runtime.database.reading() as session:
        user = (await session.exec(select(User).where(col(User.email) == email))).first()
    usable = user is not None and user.active
    matches, renewed = await runtime.passwords.verify(password, user.password_hash if user and usable else None)
    if user is None or not matches:
        return None
    await attempts.forgive(runtime, charged)
    if renewed is not None:
        async with runtime.database.transaction() as session:
            stored = await session.get_one(User, user.id)
            stored.password_hash = renewed
    return user


async def change_password(runtime: Runtime, request: Request, caller: Caller, old: str, new: str) -> None:
    """Replace the password and close every other session. Raises ProblemError 403 for a wrong old password."""
    known = await confirm(runtime, request, caller, old)
    digest = await runtime.passwords.choose(new, known.email, known.name)
    async with runtime.database.transaction() as session:
        user = await account(session, caller.user_id)
        user.password_hash = digest
        await sessions.close_all(session, runtime, user.id, keep=caller.session_id)
        audit.record(session, request, "user.password_changed", actor=user.id, target=user.id)


async def account(session: AsyncSession, user_id: str) -> User:
    """The caller's own row. Raises ProblemError 401 when it was closed while a token still lives."""
    user = await session.get(User, user_id)
    if user is None or not user.active:
        raise ProblemError(401, "the account is closed", {"www-authenticate": "Bearer"})
    return user


async def found(session: AsyncSession, user_id: str) -> User:
    """Somebody's row, for administrators. Raises ProblemError 404."""
    if (user := await session.get(User, user_id)) is None:
        raise ProblemError(404, "no such user")
    return user


async def confirm(runtime: Runtime, request: Request, caller: Caller, password: str) -> User:
    """The caller's account, if the person at the keyboard knows the password. Raises ProblemError 403, 429."""
    async with runtime.database.reading() as session:
        user = await account(session, caller.user_id)
    charged = await attempts.charge(runtime, request, user.email)
    if not (await runtime.passwords.verify(password, user.password_hash))[0]:
        raise ProblemError(403, "the password is not right")
    await attempts.forgive(runtime, charged)
    return user


async def grant_administration(runtime: Runtime, email: str) -> None:
    """Make somebody an administrator, from a shell: the first one has nobody to ask. Raises ValueError for nobody."""
    async with runtime.database.transaction() as session:
        mine = select(User).where(User.email == comparable(email), col(User.active).is_(True)).with_for_update()
        if (user := (await session.exec(mine)).first()) is None:
            raise ValueError("there is no open account with this e-mail address: register it first")
        user.role = Role.ADMIN.value
        await sessions.close_all(session, runtime, user.id)  # their tokens carry the old role
        session.add(AuditEvent(action="user.administered", target_id=user.id, address="", request_id="shell"))


async def administer(work: UnitOfWork, user: User, change: Administration) -> None:
    """Change role or activity; tokens carry the old role, so every session is closed; a closed account pays nothing."""
    if user.id == work.caller.user_id:
        raise ProblemError(409, "administrators do not change themselves: the last one would lock everybody out")
    fields = change.model_dump(exclude_none=True)
    user.sqlmodel_update(fields)
    if not user.active:
        await plans.end(work, user.id)
    await sessions.close_all(work.session, work.runtime, user.id)
    work.record("user.administered", user.id, fields=sorted(fields))
