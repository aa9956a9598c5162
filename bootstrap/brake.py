"""What stops spending when the budget is spent? A policy that denies what costs, and the role that attaches it.

The estate's budget says when (infra/operations/budget.py). Both are the account's: who deploys may pass the role to AWS
Budgets and change neither.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.foundation import names, roles
from infra.foundation.environment import Environment
from infra.foundation.iam import Statement, document, of_account, trust

BRAKED = (
    "ec2:AllocateAddress",
    "ec2:CreateNatGateway",
    "ec2:RunInstances",
    "eks:CreateCluster",
    "elasticache:CreateReplicationGroup",
    "rds:CreateDBInstance",
    "rds:CreateDBProxy",
)


@dataclass(frozen=True)
class BrakeArgs:
    """braked_roles: ARNs of the roles that may then create nothing more."""

    environment: Environment
    braked_roles: Sequence[str]


class Brake(pulumi.ComponentResource):
    """Both lie where `names.brake` says."""

    def __init__(self, name: str, args: BrakeArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tecnocursos:account:Brake", name, None, opts)
        called = names.brake(args.environment, "policy").rpartition("/")[2]
        policy = aws.iam.Policy(
            name,
            name=called,
            path=names.ACCOUNT_PATH,
            description="Attached by AWS Budgets when the monthly budget is spent",
            policy=document(Statement("NothingNew", list(BRAKED), ["*"], effect="Deny")),
            opts=pulumi.ResourceOptions(parent=self),
        )
        roles.create(
            name,
            "AWS Budgets attaches the brake",
            trust("budgets.amazonaws.com", of_account(args.environment.account_id)),
            self,
            statements=[
                Statement(
                    "AttachTheBrake",
                    ["iam:AttachRolePolicy", "iam:DetachRolePolicy"],
                    list(args.braked_roles),
                    conditions={"ArnEquals": {"iam:PolicyARN": policy.arn}},
                )
            ],
            called=called,
            path=names.ACCOUNT_PATH,
        )
        self.register_outputs({})
