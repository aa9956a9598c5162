"""Who may do everything when nothing else helps? One role, for named people, whose every use pages somebody."""

from dataclasses import dataclass

import pulumi

from bootstrap.shape import PeopleShape
from infra.foundation import names, roles
from infra.foundation.environment import Environment
from infra.foundation.iam import Statement, account_root, document

PURPOSE = "break-glass"


@dataclass(frozen=True)
class BreakGlassArgs:
    """people: whose roles may use it."""

    environment: Environment
    people: PeopleShape


class BreakGlass(pulumi.ComponentResource):
    """An administrator for an hour, without a boundary: who takes one off must be able to."""

    arn: pulumi.Output[str]

    def __init__(self, name: str, args: BreakGlassArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tecnocursos:account:BreakGlass", name, None, opts)
        environment = args.environment
        trusted = document(
            Statement(
                "PeopleAssume",
                ["sts:AssumeRole"],
                # Roles of IAM Identity Center end in letters that nobody knows before: a pattern, in this account only.
                principals={"AWS": [account_root(environment.account_id)]},
                conditions={"ArnLike": {"aws:PrincipalArn": list(args.people.break_glass)}},
            )
        )
        self.arn = roles.create(
            name,
            "Everything, for an emergency; each use pages",
            trusted,
            self,
            managed=["AdministratorAccess"],
            called=names.account_role(environment, PURPOSE),
        ).arn
        self.register_outputs({"arn": self.arn})
