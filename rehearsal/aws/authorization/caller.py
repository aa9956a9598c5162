"""Who asks for what? A caller as AWS knows it once the signature is verified, and one request of theirs."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from rehearsal.aws.authorization.matching import Context, Value


class Kind(enum.StrEnum):
    """What kind of principal asks; the value is that of aws:PrincipalType where AWS sends one."""

    SESSION = "AssumedRole"
    USER = "User"
    ROOT = "Account"
    SERVICE = "Service"
    FEDERATED = "FederatedUser"  # a token of an identity provider, before it is exchanged for a session
    ANYONE = "Anonymous"


@dataclass(frozen=True)
class Caller:
    """A principal. `arn` is a session's, user's or provider's, or a service's name; `role` the ARN behind a session."""

    kind: Kind
    arn: str
    account: str = ""
    role: str = ""
    context: Context = field(default_factory=dict)  # what it brings to every request: its tags, a token's claims

    @classmethod
    def session(cls, role: str, name: str = "session", tags: Mapping[str, str] | None = None) -> Self:
        """A role's session; `tags` are the role's and the session's own."""
        account = role.split(":")[4]
        arn = f"arn:{role.split(':')[1]}:sts::{account}:assumed-role/{role.rpartition('/')[2]}/{name}"
        known = {f"aws:PrincipalTag/{key}": value for key, value in (tags or {}).items()}
        return cls(Kind.SESSION, arn, account, role, context(known))

    @classmethod
    def user(cls, arn: str, tags: Mapping[str, str] | None = None) -> Self:
        """An IAM user."""
        known = {f"aws:PrincipalTag/{key}": value for key, value in (tags or {}).items()}
        return cls(Kind.USER, arn, arn.split(":")[4], "", context({**known, "aws:username": arn.rpartition("/")[2]}))

    @classmethod
    def service(cls, name: str) -> Self:
        """An AWS service with its own principal, such as `cloudfront.amazonaws.com`."""
        return cls(Kind.SERVICE, name, context=context({"aws:PrincipalServiceName": name}))

    @classmethod
    def federated(cls, provider: str, claims: Mapping[str, str]) -> Self:
        """Somebody with a verified token of an OIDC provider (its ARN); `claims` such as sub and aud."""
        host = provider.partition(":oidc-provider/")[2]
        known = {f"{host}:{name}": value for name, value in claims.items()}
        return cls(Kind.FEDERATED, provider, provider.split(":")[4], "", context(known))

    @property
    def identity(self) -> str:
        """The ARN that aws:PrincipalArn holds: of the role, not of its session."""
        return self.role or self.arn

    def __str__(self) -> str:
        """For people: the role, user or service."""
        return self.identity.partition(":iam::")[2].partition(":")[2] or self.identity or "anybody"


@dataclass(frozen=True)
class Request:
    """One action on one resource (`*` where the action has none) and what else AWS would know of the call."""

    caller: Caller
    action: str
    resource: str = "*"
    context: Context = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Complete the context with what AWS derives by itself; what is given wins."""
        caller, fields = self.caller, self.resource.split(":")
        derived: dict[str, Value] = {
            "aws:ViaAWSService": "false",
            "aws:PrincipalIsAWSService": "true" if caller.kind is Kind.SERVICE else "false",
        }
        if caller.account and caller.kind is not Kind.FEDERATED:
            derived |= {
                "aws:PrincipalArn": caller.identity,
                "aws:PrincipalAccount": caller.account,
                "aws:PrincipalType": caller.kind.value,
            }
        if len(fields) > 4:
            derived |= {"aws:RequestedRegion": fields[3]} if fields[3] else {}
            derived |= {"aws:ResourceAccount": fields[4]} if fields[4] else {}
        object.__setattr__(self, "context", {**context(derived), **caller.context, **context(self.context)})


def context(values: Mapping[str, Value]) -> dict[str, Value]:
    """A context by lower-case key: keys have no case, their values do."""
    return {key.lower(): value for key, value in values.items()}
