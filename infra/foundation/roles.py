"""What is a role made of? Its trust, one document of its own, and AWS-managed policies where a service needs them."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.foundation.iam import Statement, document

MANAGED = "arn:aws:iam::aws:policy/"


@dataclass(frozen=True)
class Role:
    """ready: what must exist before the role can be used, and outlive its use."""

    name: pulumi.Output[str]
    arn: pulumi.Output[str]
    ready: Sequence[pulumi.Resource]


def create(
    name: str,
    description: str,
    trusted: pulumi.Output[str],
    parent: pulumi.Resource,
    *,
    statements: Sequence[Statement] = (),
    managed: Sequence[str] = (),
    called: str | None = None,
    path: str | None = None,
    boundary: pulumi.Input[str] | None = None,
) -> Role:
    """A role with these statements and these AWS-managed policies (paths after `policy/`).

    called, path: its name in AWS, where others refer to it. boundary: what it may never exceed; the estate's roles get
    theirs from `foundation.boundary`.
    """
    child = pulumi.ResourceOptions(parent=parent)
    role = aws.iam.Role(
        name,
        name=called,
        path=path,
        assume_role_policy=trusted,
        description=description,
        max_session_duration=3600,
        permissions_boundary=boundary,
        opts=child,
    )
    ready: list[pulumi.Resource] = [
        aws.iam.RolePolicyAttachment(
            f"{name}-{policy.rsplit('/', 1)[-1]}", role=role.name, policy_arn=f"{MANAGED}{policy}", opts=child
        )
        for policy in managed
    ]
    if statements:
        ready.append(aws.iam.RolePolicy(name, role=role.id, policy=document(*statements), opts=child))
    return Role(role.name, role.arn, ready)
