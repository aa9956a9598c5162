"""How are users and their login sessions stored?"""

from datetime import datetime

from sqlalchemy import Boolean, ForeignKey, Index
from sqlmodel import Field

from service.data.columns import TABLE, Digest, Identified, Key, Moment, Versioned
from service.security.permissions import Role


class User(Versioned, table=True):
    """An account; erasure empties it and keeps the row, so that the audit trail stays whole."""

    __tablename__ = "user"
    __table_args__ = (Index("ix_user_active", "active", "last_active_at"), TABLE)
    email: str = Field(max_length=254, unique=True)
    name: str = Field(max_length=200)
    password_hash: str = Field(max_length=200)
    role: str = Field(default=Role.CREATOR.value, max_length=20)
    active: bool = Field(default=True, sa_type=Boolean)
    confirmed_at: datetime | None = Field(default=None, sa_type=Moment, description="when mail had reached the address")
    erased_at: datetime | None = Field(default=None, sa_type=Moment)
    last_active_at: datetime | None = Field(
        default=None, sa_type=Moment, description="when tokens were last issued: every few minutes of use"
    )


class RefreshToken(Identified, table=True):
    """One refresh token of a session (its family). Used and revoked ones stay until they expire: evidence of reuse."""

    __tablename__ = "refresh_token"
    __table_args__ = (Index("ix_refresh_token_user_id", "user_id", "family_id"), TABLE)
    user_id: str = Field(sa_type=Key, sa_column_args=(ForeignKey("user.id", ondelete="CASCADE"),))
    family_id: str = Field(sa_type=Key, index=True)
    token_hash: str = Field(sa_type=Digest, unique=True)
    expires_at: datetime = Field(sa_type=Moment, index=True)
    used_at: datetime | None = Field(default=None, sa_type=Moment)
    revoked_at: datetime | None = Field(default=None, sa_type=Moment)
    address: str = Field(max_length=64)
    agent: str = Field(max_length=200)
