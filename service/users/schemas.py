"""What do requests and answers about users and sessions look like?"""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr, StringConstraints

from service.http.pages import Body, Line, Public
from service.security.permissions import Role
from service.users.email import comparable, deliverable

Email = Annotated[str, StringConstraints(max_length=254), AfterValidator(deliverable)]
AnyEmail = Annotated[str, StringConstraints(max_length=254), AfterValidator(comparable)]


def _long_enough(value: SecretStr) -> SecretStr:
    if not 12 <= len(value.get_secret_value()) <= 128:
        raise ValueError("a password has 12 to 128 characters")
    return value


Password = Annotated[
    SecretStr, AfterValidator(_long_enough), Field(json_schema_extra={"minLength": 12, "maxLength": 128})
]
AnyPassword = Annotated[SecretStr, Field(max_length=1000)]
EXAMPLE_ID = "0190c0de7a5e7000a000000000000001"
EXAMPLE_TIME = "2026-01-01T12:00:00Z"


class Registration(Body):
    """A new account; it may create courses."""

    email: Email = Field(examples=["ana@example.com"])
    name: Line = Field(examples=["Ana"])
    password: Password = Field(examples=["correct horse battery"])


class Login(Body):
    """Who logs in, and where the refresh token shall live."""

    email: AnyEmail = Field(examples=["ana@example.com"])
    password: AnyPassword = Field(examples=["correct horse battery"])
    transport: Literal["body", "cookie"] = Field(
        default="body", description="browsers: `cookie`, out of reach of scripts"
    )


class Refresh(Body):
    """The refresh token, unless it is in the cookie."""

    refresh_token: Annotated[str, StringConstraints(max_length=100)] | None = Field(default=None, examples=[None])


class Issued(Public):
    """What a client may do next and for how long."""

    access_token: str = Field(examples=["eyJhbGciOiJIUzI1NiIsImtpZCI6Ij..."])
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 (the name of a scheme)
    expires_in: int = Field(description="seconds", examples=[900])
    refresh_token: str | None = Field(default=None, description="absent when it is in the cookie", examples=["kq3V..."])


class SessionPublic(Public):
    """A login session."""

    id: str = Field(examples=[EXAMPLE_ID])
    created_at: datetime = Field(examples=[EXAMPLE_TIME])
    expires_at: datetime = Field(examples=[EXAMPLE_TIME])
    address: str = Field(examples=["203.0.113.7"])
    agent: str = Field(examples=["Mozilla/5.0"])
    current: bool = Field(examples=[True])


class SessionList(Public):
    """All open sessions of the caller."""

    items: list[SessionPublic]


class UserPublic(Public):
    """An account as its owner and administrators see it."""

    id: str = Field(examples=[EXAMPLE_ID])
    email: str = Field(examples=["ana@example.com"])
    name: str = Field(examples=["Ana"])
    role: Role = Field(examples=["creator"])
    active: bool = Field(examples=[True])
    confirmed_at: datetime | None = Field(description="when mail had reached the address", examples=[None])
    created_at: datetime = Field(examples=[EXAMPLE_TIME])
    version: int = Field(examples=[1])


class Profile(Body):
    """What users change about themselves."""

    name: Line = Field(examples=["Ana Luz"])


class PasswordChange(Body):
    """The old password proves who asks; every other session is closed."""

    old_password: AnyPassword = Field(examples=["correct horse battery"])
    new_password: Password = Field(examples=["another horse battery"])


class Forgotten(Body):
    """Whose password is forgotten."""

    email: AnyEmail = Field(examples=["ana@example.com"])


class Mailed(Body):
    """What a mail brought: the link's part behind the last `=`."""

    token: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}\.\d{1,12}\.[0-9a-f]{64}$")] = Field(
        examples=[f"{EXAMPLE_ID}.1893456000.{'5e' * 32}"]
    )


class NewPassword(Mailed):
    """The password to have from now on."""

    new_password: Password = Field(examples=["another horse battery"])


class Erasure(Body):
    """The password proves who asks: erasure cannot be undone."""

    password: AnyPassword = Field(examples=["correct horse battery"])


class Administration(Body):
    """What administrators change about others."""

    role: Role | None = Field(default=None, examples=["viewer"])
    active: bool | None = Field(default=None, examples=[True])


class Export(Public):
    """Everything stored about a person (GDPR, articles 15 and 20)."""

    user: UserPublic
    last_active_at: datetime | None = Field(description="when tokens were last issued", examples=[EXAMPLE_TIME])
    sessions: list[dict[str, object]] = Field(examples=[[]])
    plans: list[dict[str, object]] = Field(examples=[[]])
    projects: list[dict[str, object]] = Field(examples=[[]])
    scenes: list[dict[str, object]] = Field(examples=[[]])
    media: list[dict[str, object]] = Field(examples=[[]])
    videos: list[dict[str, object]] = Field(examples=[[]])
    audit: list[dict[str, object]] = Field(examples=[[]])
