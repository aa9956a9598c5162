"""May this caller do what they ask? The account's policies of this moment; every answer is kept for the audit."""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from threading import Lock

from rehearsal.aws.authorization.account import Account
from rehearsal.aws.authorization.caller import Caller, Request
from rehearsal.aws.authorization.decision import Decision, decide
from rehearsal.aws.authorization.document import Statement
from rehearsal.aws.authorization.matching import Context, arn_like, like
from rehearsal.aws.authorization.trust import Role
from rehearsal.live.stand_ins.aws.calls import Call, Need
from rehearsal.live.stand_ins.aws.sessions import CredentialsError, Sessions
from rehearsal.live.stand_ins.aws.signature import verify_token
from rehearsal.live.stand_ins.judge import Denied


@dataclass(frozen=True)
class Answer:
    """One question that was asked of the account, and how it was answered."""

    caller: Caller
    action: str
    resource: str
    decision: Decision


@dataclass(frozen=True)
class Permission:
    """One action on one resource pattern, as a statement of a role's policy gives it."""

    role: str  # ARN
    place: str
    action: str
    resource: str

    def covers(self, action: str, resource: str) -> bool:
        """Whether it is what allows this."""
        return like(self.action, action, any_case=True) and arn_like(self.resource, resource)


@dataclass
class Audit:
    """Everything that was asked; callers may share one over threads."""

    answers: list[Answer] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock, repr=False)

    def add(self, answer: Answer) -> None:
        """Keep one answer."""
        with self._lock:
            self.answers.append(answer)

    def refused(self) -> list[Answer]:
        """What was not allowed, each question once."""
        found: dict[tuple[str, str, str], Answer] = {}
        for one in self.answers:
            if not one.decision.allowed:
                found.setdefault((one.caller.identity, one.action, one.resource), one)
        return list(found.values())

    def unused(self, roles: Mapping[str, Role]) -> list[Permission]:
        """The permissions of these roles that no allowed request took."""
        asked: dict[str, set[tuple[str, str]]] = {}
        for one in self.answers:
            if one.decision.allowed:
                asked.setdefault(one.caller.role, set()).add((one.action, one.resource))
        return [
            given for given in permissions(roles) if not any(given.covers(*one) for one in asked.get(given.role, ()))
        ]


def permissions(roles: Mapping[str, Role]) -> Iterator[Permission]:
    """Every action on every resource that roles' own policies allow, as written."""
    for arn, role in roles.items():
        for policy in role.policies:
            for statement in policy.statements:
                if statement.allows:
                    yield from _written(arn, statement)


def _written(role: str, statement: Statement) -> Iterator[Permission]:
    resources = statement.resources.values if statement.resources else ("*",)
    for action in statement.actions.values:
        for resource in resources:
            yield Permission(role, statement.place, action, resource)


class Judgement:
    """Judges by `account`, which is asked anew each time: what is declared may change while pods run."""

    def __init__(self, account: Callable[[], Account], sessions: Sessions, audit: Audit | None = None) -> None:
        self.account, self.sessions, self.audit = account, sessions, audit or Audit()

    def call(self, caller: Caller, call: Call, context: Context) -> None:
        """Everything that a call needs. Raises Denied at the first that is refused."""
        for need in call.needs:
            self.need(caller, need, context)

    def need(self, caller: Caller, need: Need, context: Context | None = None) -> None:
        """One permission. Raises Denied."""
        account = self.account()
        request = Request(caller, need.action, need.resource, {**(context or {}), **need.context})
        decision = decide(request, account.policies(caller, need.resource))
        self.audit.add(Answer(caller, need.action, need.resource, decision))
        if not decision.allowed:
            raise Denied(decision.reason)

    def connection(self, token: str, service: str) -> tuple[Caller, Mapping[str, str]]:
        """Whose token for a database (`rds-db`) or cache (`elasticache`) this is, and its request. Raises Denied."""
        try:
            signed, asked = verify_token(token, service, self.sessions, dt.datetime.now(dt.UTC))
        except CredentialsError as error:
            raise Denied(f"{error.code}: {error}") from None
        return signed.caller, asked

    def check(self, caller: Caller, action: str, resource: str) -> None:
        """One permission of a connection, which is always encrypted. Raises Denied."""
        self.need(caller, Need(action, resource, {"aws:SecureTransport": "true"}))

    def role(self, arn: str) -> Caller:
        """The session of a service's own role. Raises Denied when there is no such role."""
        found = self.account().roles.get(arn)
        if found is None:
            raise Denied(f"there is no role {arn}")
        return Caller.session(arn, tags=found.tags)
