"""Does a statement speak about a request? And if not, what of it does not fit?"""

import enum
from dataclasses import dataclass

from rehearsal.aws.authorization.caller import Caller, Kind, Request
from rehearsal.aws.authorization.document import Choice, Policy, Principals, Statement
from rehearsal.aws.authorization.matching import arn_like, like, resolved


class Fit(enum.IntEnum):
    """How far a statement is from a request: the later in the list, the nearer."""

    OTHER_ACTION = 0
    OTHER_PRINCIPAL = 1
    OTHER_RESOURCE = 2
    CONDITION_FAILS = 3
    APPLIES = 4


@dataclass(frozen=True)
class Match:
    """A statement beside a request; `why` is empty when it applies."""

    statement: Statement
    fit: Fit
    why: str = ""


class Reach(enum.IntEnum):
    """Whom a resource's policy names, as far as it covers a caller; more is closer to the caller itself."""

    NOBODY = 0
    ACCOUNT = 1  # the caller's account: it may hand the permission on by its own policies
    ROLE = 2  # the role: what limits the role limits the grant
    CALLER = 3  # this session, user or service itself; or everybody, which no boundary limits either


def compare(statement: Statement, request: Request) -> Match:
    """How a statement relates to a request. Raises ConditionError where AWS leaves the answer open."""
    if not _action(statement.actions, request.action):
        return Match(statement, Fit.OTHER_ACTION, f"it is not about {request.action}")
    if statement.principals is not None and reach(statement, request.caller) is Reach.NOBODY:
        return Match(statement, Fit.OTHER_PRINCIPAL, f"it does not name {request.caller}")
    if statement.resources is not None and not _resource(statement, statement.resources, request):
        named = ", ".join(statement.resources.values)
        but = "all but " if statement.resources.excluded else ""
        return Match(statement, Fit.OTHER_RESOURCE, f"it names {but}{named}, not {request.resource}")
    for condition in statement.conditions:
        if not condition.holds(request.context, variables=statement.variables):
            actual = request.context.get(condition.key)
            told = f"{condition.key} is {'not in the request' if actual is None else actual}"
            return Match(statement, Fit.CONDITION_FAILS, f"its condition {condition} does not hold: {told}")
    return Match(statement, Fit.APPLIES)


def matches(policies: tuple[Policy, ...], request: Request, *, allows: bool) -> list[Match]:
    """Every statement of one effect beside a request, the nearest first."""
    found = [
        compare(statement, request)
        for policy in policies
        for statement in policy.statements
        if statement.allows is allows
    ]
    return sorted(found, key=lambda match: match.fit, reverse=True)


def reach(statement: Statement, caller: Caller) -> Reach:
    """How a statement of a resource's policy covers a caller; an identity's own policies name nobody."""
    principals = statement.principals
    if principals is None:
        return Reach.NOBODY
    if not principals.excluded:
        return _named(principals, caller)
    # Everybody but those named. AWS asks to name session, role and account for an exception from a Deny; one alone does
    # not save the caller. From an Allow (which AWS advises against) any of them takes it out: the careful reading.
    names = {name for listed in principals.by_kind.values() for name in listed}
    chain = [{caller.arn}, *([{caller.role}] if caller.role else [])]
    chain += [{caller.account, f"arn:aws:iam::{caller.account}:root"}] if caller.account else []
    every = all if not statement.allows else any
    return Reach.NOBODY if every(names & one for one in chain) else Reach.CALLER


def _named(principals: Principals, caller: Caller) -> Reach:
    names = principals.by_kind
    if caller.kind is Kind.SERVICE:
        return Reach.CALLER if caller.arn in names.get("Service", ()) or "*" in names.get("AWS", ()) else Reach.NOBODY
    if caller.kind is Kind.FEDERATED:
        return Reach.CALLER if caller.arn in names.get("Federated", ()) else Reach.NOBODY
    aws = names.get("AWS", ())
    if "*" in aws or (caller.arn in aws and caller.kind in (Kind.SESSION, Kind.USER)):
        return Reach.CALLER
    if caller.role and caller.role in aws:
        return Reach.ROLE
    if caller.account and any(name == caller.account or _is_root(name, caller.account) for name in aws):
        return Reach.ACCOUNT
    return Reach.NOBODY


def _is_root(name: str, account: str) -> bool:
    fields = name.split(":")
    return len(fields) == 6 and fields[2] == "iam" and fields[4] == account and fields[5] == "root"


def _action(choice: Choice, action: str) -> bool:
    return any(like(pattern, action, any_case=True) for pattern in choice.values) is not choice.excluded


def _resource(statement: Statement, choice: Choice, request: Request) -> bool:
    known = request.context if statement.variables else None
    found = any(arn_like(pattern, request.resource, context=known) for pattern in choice.values)
    if not choice.excluded:
        return found
    return not found and all(resolved(pattern, known) for pattern in choice.values)
