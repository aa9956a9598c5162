"""Who deploys, looks for drift, previews and recovers? A role each, for workflows of one GitHub environment each."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from bootstrap import grants, registry
from bootstrap.boundary import Boundaries
from bootstrap.federation import Federation
from bootstrap.grants import Permissions, StateAccess
from infra.foundation import names, roles
from infra.foundation.environment import PROJECT, Environment
from infra.foundation.iam import Statement, document

# What the audit of undeclared resources asks, besides reading what is declared.
INVENTORY = (
    "access-analyzer:ListAnalyzers",
    "cloudtrail:LookupEvents",
    "config:SelectResourceConfig",
    "tag:GetResources",
)
RESTORES = (
    "backup:StartRestoreJob",
    "rds:RestoreDBInstanceFromDBSnapshot",
    "rds:RestoreDBInstanceToPointInTime",
)
WATCH_RESTORES = ("backup:DescribeRestoreJob", "backup:ListRecoveryPointsByBackupVault", "rds:DescribeDBSnapshots")


@dataclass(frozen=True)
class PipelineArgs:
    """builder: the account that builds images."""

    environment: Environment
    permissions: Permissions
    state: StateAccess
    boundaries: Boundaries
    federation: Federation
    builder: str


class Pipeline(pulumi.ComponentResource):
    """The roles' ARNs. Each serves the GitHub environment `<environment>-<purpose>`; deploy, `<environment>`."""

    roles: dict[str, pulumi.Output[str]]

    def __init__(self, name: str, args: PipelineArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tecnocursos:account:Pipeline", name, None, opts)
        self._args = args
        environment, permissions, state = args.environment, args.permissions, args.state
        reads = self._policies("read", permissions.read)
        writes = self._policies("write", [*permissions.write, *grants.guarded(environment, permissions.guarded)])
        looking = [*state.read(), grants.never_encrypts()]
        deploying = [*state.read(), *state.write(PROJECT), *registry.copier(environment, args.builder)]
        on = _restored(environment)
        restoring = [
            Statement("Restore", list(RESTORES), on),
            Statement("WatchRestores", list(WATCH_RESTORES), on),
        ]
        audit = Statement("LookForMore", list(INVENTORY), ["*"])
        self.roles = {
            "preview": self._role("preview", "Shows what a change would do", reads, looking),
            "drift": self._role("drift", "Compares what is there with what is declared", reads, [*looking, audit]),
            "deploy": self._role("deploy", "Deploys the estate", [*reads, *writes], deploying),
            "recovery": self._role(
                "recovery", "Deploys the estate with a restore", [*reads, *writes], [*deploying, *restoring]
            ),
        }
        self.register_outputs({})

    def _policies(self, kind: str, statements: Sequence[Statement]) -> list[aws.iam.Policy]:
        """The statements as managed policies: an inline one holds too little."""
        prefix = self._args.environment.prefix
        return [
            aws.iam.Policy(
                f"{kind}-{number}",
                name=f"{prefix}-{kind}-{number}",
                description=f"What deploying the estate takes: {kind}, part {number}",
                policy=document(*pack),
                opts=pulumi.ResourceOptions(parent=self),
            )
            for number, pack in enumerate(grants.packed(statements), start=1)
        ]

    def _role(
        self, purpose: str, description: str, policies: Sequence[aws.iam.Policy], statements: Sequence[Statement]
    ) -> pulumi.Output[str]:
        args = self._args
        name = args.environment.name
        role = roles.create(
            purpose,
            description,
            args.federation.trust(name if purpose == "deploy" else f"{name}-{purpose}"),
            self,
            statements=statements,
            called=names.account_role(args.environment, purpose),
            boundary=args.boundaries.pipeline,
        )
        for policy in policies:
            aws.iam.RolePolicyAttachment(
                f"{purpose}-{policy._name}",
                role=role.name,
                policy_arn=policy.arn,
                opts=pulumi.ResourceOptions(parent=self),
            )
        return role.arn


def _restored(environment: Environment) -> list[str]:
    """What a restore reads and makes, in both regions."""
    account = environment.account_id
    regions = (environment.region, environment.recovery_region)
    return [f"arn:aws:{service}:{region}:{account}:*" for service in ("backup", "rds") for region in regions] + [
        f"arn:aws:ec2:{region}::snapshot/*" for region in regions
    ]
