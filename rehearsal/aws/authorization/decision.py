"""Would AWS allow a request? Its order of evaluation, with the reason in words.

IAM user guide, "policy evaluation logic" (within one account and across accounts); KMS developer guide, "key policies"
and "grants". In short: an explicit deny anywhere wins; whatever limits must allow; then the identity or the resource
grants, across accounts both; keys and roles always need their own policy's word.
"""

from dataclasses import dataclass, field

from rehearsal.aws.authorization.caller import Kind, Request
from rehearsal.aws.authorization.document import Policy
from rehearsal.aws.authorization.grants import Grant, granted
from rehearsal.aws.authorization.statements import Fit, Match, Reach, matches, reach


@dataclass(frozen=True)
class Policies:
    """Everything that has a say in a request."""

    identity: tuple[Policy, ...] = ()
    boundary: Policy | None = None
    session: tuple[Policy, ...] = ()  # passed when the session was made; any of them may allow
    control: tuple[Policy, ...] = ()  # of the organisation: each must allow
    endpoint: Policy | None = None  # of the VPC endpoint on the way
    resource: Policy | None = None
    grants: tuple[Grant, ...] = ()  # of a key
    resource_account: str = ""  # unset: the account in the resource's ARN, else the caller's own
    resource_decides: bool = False  # keys and roles: without their policy's word nothing is allowed
    unread: tuple[str, ...] = ()  # policies of the identity whose text is not known here, by name


@dataclass(frozen=True)
class Decision:
    """Allowed or not, and why. `by` are the statements that decided, the nearest miss when nothing allowed."""

    allowed: bool
    reason: str
    by: tuple[Match, ...] = field(default=(), compare=False)


def decide(request: Request, policies: Policies) -> Decision:
    """Follow AWS's order. Raises ConditionError where AWS leaves open what a condition means."""
    return _denied(request, policies) or _limited(request, policies) or _granted(request, policies)


def _denied(request: Request, policies: Policies) -> Decision | None:
    every = (
        *policies.control,
        *policies.identity,
        *policies.session,
        *(one for one in (policies.boundary, policies.endpoint, policies.resource) if one),
    )
    for match in matches(every, request, allows=False):
        if match.fit is Fit.APPLIES:
            told = f"denied: {_asked(request)}, by {match.statement.place} (an explicit deny wins)"
            return Decision(False, told, (match,))
    return None


def _limited(request: Request, policies: Policies) -> Decision | None:
    """What limits without granting: the organisation and the endpoint, whoever grants."""
    limits = [("the organisation", (one,)) for one in policies.control if request.caller.kind is not Kind.SERVICE]
    if policies.endpoint:
        limits.append(("the VPC endpoint", (policies.endpoint,)))
    for who, limit in limits:
        if not _allowing(limit, request):
            return _missing(request, who, limit)
    return None


def _granted(request: Request, policies: Policies) -> Decision:
    caller = request.caller
    owner = policies.resource_account or str(request.context.get("aws:resourceaccount", "")) or caller.account
    own = (policies.resource,) if policies.resource else ()
    named = [match for match in _allowing(own, request) if match.statement.principals]
    if grant := granted(policies.grants, request):
        return Decision(True, f"allowed: {_asked(request)}, by {grant}")
    strongest = max((reach(match.statement, caller) for match in named), default=Reach.NOBODY)
    outside = caller.kind in (Kind.SERVICE, Kind.FEDERATED, Kind.ANYONE)  # has no policies of its own
    if named and (outside or (caller.account == owner and strongest is Reach.CALLER)):
        return _allowed(request, named)
    if caller.account == owner and strongest is Reach.ROLE:
        return _limits_of_identity(request, policies) or _allowed(request, named)
    if not named and (outside or policies.resource_decides or caller.account != owner):
        return _missing(request, "the resource's own policy", own)
    return _of_identity(request, policies, named)


def _of_identity(request: Request, policies: Policies, named: list[Match]) -> Decision:
    if request.caller.kind is Kind.ROOT:
        return Decision(True, f"allowed: {_asked(request)}, as the account's root user", tuple(named))
    found = _allowing(policies.identity, request)
    if not found:
        return _missing(request, f"{request.caller}", policies.identity, policies.unread)
    return _limits_of_identity(request, policies) or _allowed(request, [*found, *named])


def _limits_of_identity(request: Request, policies: Policies) -> Decision | None:
    if policies.boundary and not _allowing((policies.boundary,), request):
        return _missing(request, "the permissions boundary", (policies.boundary,))
    if policies.session and not _allowing(policies.session, request):
        return _missing(request, "the session policy", policies.session)
    return None


def _allowing(policies: tuple[Policy, ...], request: Request) -> list[Match]:
    return [match for match in matches(policies, request, allows=True) if match.fit is Fit.APPLIES]


def _allowed(request: Request, by: list[Match]) -> Decision:
    places = " and ".join(dict.fromkeys(match.statement.place for match in by))
    return Decision(True, f"allowed: {_asked(request)}, by {places}", tuple(by))


def _missing(request: Request, who: str, policies: tuple[Policy, ...], unread: tuple[str, ...] = ()) -> Decision:
    """Nothing allows it; the statement that comes nearest says what to look at."""
    nearest = next(iter(matches(policies, request, allows=True)), None)
    told = f"refused: {_asked(request)}, because nothing of {who} allows it"
    if nearest and nearest.fit > Fit.OTHER_ACTION:
        told += f"; nearest is {nearest.statement.place}, but {nearest.why}"
    if unread:
        told += f" (not read: {', '.join(unread)})"
    return Decision(False, told, (nearest,) if nearest else ())


def _asked(request: Request) -> str:
    return f"{request.action} on {request.resource} for {request.caller}"
