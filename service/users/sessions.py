"""How is a login session opened, renewed and closed? Rotating refresh tokens in families, reuse revokes the family."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from fastapi import Request
from sqlalchemy import delete, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from service.data.columns import new, now
from service.http.errors import ProblemError
from service.runtime import Runtime
from service.security import audit, tokens
from service.security.permissions import Role
from service.users.models import RefreshToken, User

# An answer that was lost, or two tabs that refresh together: who asks again meanwhile is no thief and gets the same.
GRACE = timedelta(seconds=20)
UNAUTHENTICATED = {"www-authenticate": "Bearer"}
_LIVE = select(RefreshToken).where(col(RefreshToken.used_at).is_(None), col(RefreshToken.revoked_at).is_(None))


@dataclass(frozen=True, slots=True)
class Opened:
    """A session's new tokens."""

    access_token: str
    seconds: int
    refresh_token: str
    session_id: str


async def open_session(
    session: AsyncSession, request: Request, runtime: Runtime, user: User, follows: tuple[str, str] | None = None
) -> Opened:
    """Issue tokens of a new family, or of the family that follows with this refresh token."""
    family_id, token = follows or (new(), tokens.opaque())
    # Before the token's row, whose foreign key locks the user's row for sharing: two logins at once would deadlock.
    # Being active is no change of the account: neither its version nor the moment of its change moves.
    await session.exec(
        update(User).where(col(User.id) == user.id).values(last_active_at=now(), updated_at=User.updated_at)
    )
    session.add(
        RefreshToken(
            user_id=user.id,
            family_id=family_id,
            token_hash=tokens.fingerprint(token),
            expires_at=now() + timedelta(days=runtime.settings.security.refresh_days),
            address=request.state.address,
            agent=request.headers.get("user-agent", "")[:200],
        )
    )
    access, seconds = runtime.tokens.issue(user.id, Role(user.role), family_id)
    return Opened(access, seconds, token, family_id)


async def refresh(request: Request, runtime: Runtime, token: str) -> Opened:
    """Exchange a refresh token for its successor, which follows from it and from our key.

    One conditional UPDATE decides who wins a race; who comes within the grace gets the same successor, unless that was
    used already. Raises ProblemError 401 (unknown, expired, revoked, reused). The revocation is committed before the
    refusal is raised.
    """
    digest, successor = tokens.fingerprint(token), runtime.tokens.sign("refresh", token)
    async with runtime.database.transaction() as session:
        moment = now()
        claimed = await session.exec(
            update(RefreshToken)
            .where(
                col(RefreshToken.token_hash) == digest,
                col(RefreshToken.used_at).is_(None),
                col(RefreshToken.revoked_at).is_(None),
                col(RefreshToken.expires_at) > moment,
            )
            .values(used_at=moment)
        )
        row = (await session.exec(select(RefreshToken).where(RefreshToken.token_hash == digest))).one_or_none()
        if row is None:
            raise ProblemError(401, "unknown refresh token: log in", UNAUTHENTICATED)
        family, owner = row.family_id, row.user_id
        first = claimed.rowcount == 1
        recent = not first and row.used_at is not None and moment - row.used_at < GRACE
        if first or (recent and await live(session, successor)):
            user = await session.get_one(User, owner)
            if not user.active:
                raise ProblemError(401, "the account is closed", UNAUTHENTICATED)
            if first:
                runtime.metrics.count("sessions_total", event="refreshed")
                return await open_session(session, request, runtime, user, (family, successor))
            return Opened(*runtime.tokens.issue(owner, Role(user.role), family), successor, family)
        reused = row.used_at is not None and row.revoked_at is None
    if reused:
        runtime.metrics.count("sessions_total", event="reuse_detected")
        async with runtime.database.transaction() as session:  # its own transaction: nothing below can undo it
            audit.record(session, request, "session.reuse_detected", actor=owner, target=family)
            await _revoke(session, family)
        await runtime.cache.revoke([family])
    raise ProblemError(401, "the session is closed: log in", UNAUTHENTICATED)


async def close(session: AsyncSession, runtime: Runtime, families: Sequence[str]) -> None:
    """Close sessions; their access tokens stop working at once."""
    await _revoke(session, *families)
    await runtime.cache.revoke(families)


async def _revoke(session: AsyncSession, *families: str) -> None:
    await session.exec(
        update(RefreshToken)
        .where(col(RefreshToken.family_id).in_(families), col(RefreshToken.revoked_at).is_(None))
        .values(revoked_at=now())
    )


async def open_sessions(session: AsyncSession, user_id: str) -> Sequence[RefreshToken]:
    """The newest token of every open session of a user."""
    mine = _LIVE.where(col(RefreshToken.user_id) == user_id, col(RefreshToken.expires_at) > now())
    return (await session.exec(mine.order_by(col(RefreshToken.id).desc()))).all()


async def live(session: AsyncSession, token: str) -> RefreshToken | None:
    """The stored row of a refresh token that may still be used."""
    mine = _LIVE.where(RefreshToken.token_hash == tokens.fingerprint(token), col(RefreshToken.expires_at) > now())
    return (await session.exec(mine)).first()


async def close_all(session: AsyncSession, runtime: Runtime, user_id: str, *, keep: str = "") -> None:
    """Close every session of a user but `keep`."""
    families = {row.family_id for row in await open_sessions(session, user_id)} - {keep}
    if families:
        await close(session, runtime, sorted(families))


async def purge(session: AsyncSession) -> int:
    """Forget expired refresh tokens; how many."""
    result = await session.exec(delete(RefreshToken).where(col(RefreshToken.expires_at) < now()))
    return int(result.rowcount)
