"""Who may take a role, and who are they then? Trust policies, session tags and tokens of identity providers.

IAM user guide, "using IAM roles", "passing session tags in AWS STS", "OIDC federation". A role's own policy always
decides; a principal of another account, or one that the policy reaches through its account only, needs its own
permission as well.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from rehearsal.aws.authorization.caller import Caller, Kind, Request, context
from rehearsal.aws.authorization.decision import Decision, Policies, decide
from rehearsal.aws.authorization.document import Policy
from rehearsal.aws.authorization.matching import Context


@dataclass(frozen=True)
class Role:
    """A role as it is declared.

    attached, bounded_by: ARNs of its managed policies and of its boundary. unread: those whose text is not known here.
    """

    arn: str
    trust: Policy
    policies: tuple[Policy, ...] = ()
    boundary: Policy | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    attached: tuple[str, ...] = ()
    bounded_by: str = ""
    unread: tuple[str, ...] = ()


@dataclass(frozen=True)
class Assumed:
    """The answer to AssumeRole: a session when it is allowed."""

    decision: Decision
    session: Caller | None = None


def assume(
    role: Role,
    caller: Caller,
    *,
    own: Policies | None = None,
    name: str = "session",
    tags: Mapping[str, str] | None = None,
    extra: Context | None = None,
) -> Assumed:
    """AssumeRole, or AssumeRoleWithWebIdentity for a token.

    own: the caller's policies. tags: of the session. extra: what else the request holds, such as aws:SourceAccount or
    sts:ExternalId.
    """
    tags = tags or {}
    known = {f"aws:RequestTag/{key}": value for key, value in tags.items()}
    told = context({**known, "sts:RoleSessionName": name, **(extra or {})})
    if tags:
        told["aws:tagkeys"] = tuple(tags)
    policies = replace(own or Policies(), resource=role.trust, resource_decides=True)
    action = "sts:AssumeRoleWithWebIdentity" if caller.kind is Kind.FEDERATED else "sts:AssumeRole"
    for needed in (action, *(["sts:TagSession"] if tags else [])):
        decision = decide(Request(caller, needed, role.arn, told), policies)
        if not decision.allowed:
            return Assumed(decision)
    return Assumed(decision, Caller.session(role.arn, name, {**role.tags, **tags}))
