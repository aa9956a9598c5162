"""Who may talk to whom inside the VPC? Security groups whose rules are complete, described and locked.

A group and its rules are separate steps, because two groups often refer to each other.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import pulumi
import pulumi_aws as aws

Made = TypeVar("Made", aws.vpc.SecurityGroupIngressRule, aws.vpc.SecurityGroupEgressRule)


@dataclass(frozen=True)
class Rule:
    """One allowed flow over TCP.

    name: short and unique among the group's rules. peer: exactly one of a security group's id, a CIDR block,
    a prefix list's id. ValueError when there are none or several.
    """

    name: str
    description: str
    port: int
    group: pulumi.Input[str] | None = None
    cidr: str | None = None
    prefix_list: str | None = None

    def __post_init__(self) -> None:
        if sum(peer is not None for peer in (self.group, self.cidr, self.prefix_list)) != 1:
            raise ValueError(f"rule {self.name} must have exactly one of group, cidr and prefix_list")
        if not self.description:
            raise ValueError(f"rule {self.name} must have a description")


def create(
    name: str, vpc_id: pulumi.Input[str], description: str, opts: pulumi.ResourceOptions
) -> aws.ec2.SecurityGroup:
    """A group that allows nothing yet."""
    return aws.ec2.SecurityGroup(name, vpc_id=vpc_id, description=description, tags={"Name": name}, opts=opts)


def seal(
    name: str,
    group: aws.ec2.SecurityGroup,
    opts: pulumi.ResourceOptions,
    *,
    ingress: Sequence[Rule] = (),
    egress: Sequence[Rule] = (),
) -> None:
    """Give the group these rules, and remove any that is added by hand."""
    entering = _flows(aws.vpc.SecurityGroupIngressRule, f"{name}-from", group, ingress, opts)
    leaving = _flows(aws.vpc.SecurityGroupEgressRule, f"{name}-to", group, egress, opts)
    aws.ec2.VpcSecurityGroupRulesExclusive(
        f"{name}-only",
        security_group_id=group.id,
        ingress_rule_ids=[rule.id for rule in entering],
        egress_rule_ids=[rule.id for rule in leaving],
        opts=opts,
    )


def _flows(
    make: Callable[..., Made],
    prefix: str,
    group: aws.ec2.SecurityGroup,
    rules: Sequence[Rule],
    opts: pulumi.ResourceOptions,
) -> list[Made]:
    return [
        make(
            f"{prefix}-{rule.name}",
            security_group_id=group.id,
            description=rule.description,
            ip_protocol="tcp",
            from_port=rule.port,
            to_port=rule.port,
            referenced_security_group_id=rule.group,
            cidr_ipv4=rule.cidr,
            prefix_list_id=rule.prefix_list,
            opts=opts,
        )
        for rule in rules
    ]
