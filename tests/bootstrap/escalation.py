"""Who can become whom? Every way in which IAM lets a role end up with the permissions of another, or with more.

After the ways that are publicly known for AWS: assuming, rewriting trust, growing policies, taking a boundary off, and
passing a role to a service that runs what one gives it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from rehearsal.aws.authorization.account import Account
from rehearsal.aws.authorization.caller import Caller, context
from rehearsal.aws.authorization.document import parse
from rehearsal.aws.authorization.matching import Context
from rehearsal.aws.authorization.trust import Role

SECURE = {"aws:SecureTransport": "true"}
# On the role itself: what lets one write what it may do, or who may take it.
ON_ROLE = (
    "iam:AttachRolePolicy",
    "iam:DeleteRolePermissionsBoundary",
    "iam:DeleteRolePolicy",
    "iam:DetachRolePolicy",
    "iam:PutRolePermissionsBoundary",
    "iam:PutRolePolicy",
    "iam:UpdateAssumeRolePolicy",
)
# On a managed policy that the role has, or is bounded by.
ON_POLICY = ("iam:CreatePolicyVersion", "iam:DeletePolicyVersion", "iam:SetDefaultPolicyVersion")
# A service that runs what one gives it with a role that is passed: what must be allowed besides iam:PassRole.
RUNS: Mapping[str, tuple[str, ...]] = {
    "lambda.amazonaws.com": ("lambda:CreateFunction", "lambda:InvokeFunction"),
    "ec2.amazonaws.com": ("ec2:RunInstances",),
    "codebuild.amazonaws.com": ("codebuild:CreateProject", "codebuild:StartBuild"),
    "ecs-tasks.amazonaws.com": ("ecs:RegisterTaskDefinition", "ecs:RunTask"),
    "glue.amazonaws.com": ("glue:CreateJob", "glue:StartJobRun"),
    "sagemaker.amazonaws.com": ("sagemaker:CreateNotebookInstance",),
    "cloudformation.amazonaws.com": ("cloudformation:CreateStack",),
    "states.amazonaws.com": ("states:CreateStateMachine", "states:StartExecution"),
    "ssm.amazonaws.com": ("ssm:StartAutomationExecution",),
    "scheduler.amazonaws.com": ("scheduler:CreateSchedule",),
    "pods.eks.amazonaws.com": ("eks:CreatePodIdentityAssociation",),
}


@dataclass(frozen=True)
class Way:
    """`who` can have what `whom` may, or make it more."""

    who: str
    whom: str
    how: str


def ways(account: Account, who: Role) -> Iterator[Way]:
    """Every way from one role to any role of the account, itself included."""
    caller = Caller.session(who.arn, tags=who.tags)

    def may(action: str, resource: str, known: Context | None = None) -> bool:
        return account.decide(caller, action, resource, context({**SECURE, **(known or {})})).allowed

    for whom in account.roles.values():
        known: Context = {"iam:PermissionsBoundary": whom.bounded_by} if whom.bounded_by else {}
        if whom is not who and account.assume(whom.arn, caller).decision.allowed:
            yield Way(who.arn, whom.arn, "sts:AssumeRole")
        for action in ON_ROLE:
            other = {"iam:PermissionsBoundary": "arn:aws:iam::aws:policy/AdministratorAccess"}
            attached = {"iam:PolicyARN": "arn:aws:iam::aws:policy/AdministratorAccess"}
            told = other if action == "iam:PutRolePermissionsBoundary" else {**known, **attached}
            if may(action, whom.arn, told):
                yield Way(who.arn, whom.arn, action)
        for policy in {*whom.attached, whom.bounded_by} - {""}:
            for action in ON_POLICY:
                if may(action, policy):
                    yield Way(who.arn, whom.arn, f"{action} of {policy.rpartition('/')[2]}")
        for service, actions in RUNS.items():
            passed = may("iam:PassRole", whom.arn, {"iam:PassedToService": service})
            if passed and all(any(may(action, on) for on in _somewhere(who)) for action in actions):
                yield Way(who.arn, whom.arn, f"iam:PassRole to {service}")


def at_most(account: Account, role: Role) -> Account:
    """The account in which a role was given everything that its boundary leaves it."""
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    grown = replace(role, policies=(parse({"Version": "2012-10-17", "Statement": everything}, "everything"),))
    return replace(account, roles={**account.roles, role.arn: grown})


def _somewhere(who: Role) -> set[str]:
    """Resources that a role's policies speak of: an action that is allowed at all is allowed on one of them."""
    named = [
        pattern
        for policy in who.policies
        for statement in policy.statements
        if statement.resources
        for pattern in statement.resources.values
    ]
    return {pattern.replace("*", "x") if pattern != "*" else pattern for pattern in named}
