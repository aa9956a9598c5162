"""How does data come back? AWS Backup: vaults in two regions, plans, a lock, and restores that are tried."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.foundation import names, protection, roles, tags
from infra.foundation.encryption import KeyClass, Keys
from infra.foundation.environment import Environment
from infra.foundation.iam import ANYONE, Statement, document, trust
from infra.operations.backup_plan import BackupPlan, Row
from infra.operations.shape import BackupShape

MANAGED = (
    "service-role/AWSBackupServiceRolePolicyForBackup",
    "service-role/AWSBackupServiceRolePolicyForRestores",
    "AWSBackupServiceRolePolicyForS3Backup",
    "AWSBackupServiceRolePolicyForS3Restore",
)
COOLING_OFF_DAYS = 7  # until then a compliance lock can still be taken off
SHORTEST_DAYS, LONGEST_DAYS = 7, 400
START_MINUTES, COMPLETE_MINUTES = 60, 360
# What the vault tells itself; of jobs it tells successes as well, so that their failures come over EventBridge.
EVENTS = ["S3_BACKUP_OBJECT_FAILED", "S3_RESTORE_OBJECT_FAILED"]
# AWS Backup developer guide, "Monitoring AWS Backup events using Amazon EventBridge": restores have a status, others a
# state. EXPIRED is a job that did not begin in time.
FAILURES = {
    "source": ["aws.backup"],
    "detail-type": [f"{kind} Job State Change" for kind in ("Backup", "Copy", "Restore")],
    "detail": {"$or": [{field: ["FAILED", "ABORTED", "EXPIRED"]} for field in ("state", "status")]},
}
RESTORE_TEST_HOURS = 4


@dataclass(frozen=True)
class BackupArgs:
    """alerts: the topic that hears of failures. saved: ARN of what each row of the plan saves.

    database_subnet_group: where a restored database is put for its test.
    """

    environment: Environment
    shape: BackupShape
    plan: BackupPlan
    keys: Keys
    alerts: pulumi.Input[str]
    saved: Mapping[str, pulumi.Input[str]]
    database_subnet_group: pulumi.Input[str]


class Backup(pulumi.ComponentResource):
    """The vault, and its copy in the recovery region or None."""

    vault_name: pulumi.Output[str]
    vault: aws.backup.Vault
    copy: aws.backup.Vault | None

    def __init__(self, name: str, args: BackupArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tecnocursos:infra:Backup", name, None, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        self.vault = self._vault(name, args.keys[KeyClass.BACKUP].arn, None)
        self.copy = None
        if args.shape.copied:
            self.copy = self._vault(
                f"{name}-copy", args.keys[KeyClass.BACKUP].replica_arn, args.environment.recovery_region
            )
        self.vault_name = self.vault.name
        aws.backup.VaultNotifications(
            name,
            backup_vault_name=self.vault.name,
            sns_topic_arn=args.alerts,
            backup_vault_events=EVENTS,
            opts=self._child,
        )
        rule = aws.cloudwatch.EventRule(
            name,
            description="Backups, copies and restores that failed",
            event_pattern=json.dumps(FAILURES),
            opts=self._child,
        )
        aws.cloudwatch.EventTarget(name, rule=rule.name, arn=args.alerts, opts=self._child)
        self._role = roles.create(
            name, "AWS Backup reads, stores and restores", trust("backup.amazonaws.com"), self, managed=MANAGED
        )
        for row_name, row in args.plan.vaulted().items():
            self._plan(row_name, row)
        if args.shape.restore_tests:
            self._restore_tests()
        self.register_outputs({"vault": self.vault_name})

    def _vault(self, label: str, key_arn: pulumi.Input[str], region: str | None) -> aws.backup.Vault:
        """A vault whose recovery points nobody deletes before their time."""
        environment, lock = self._args.environment, self._args.shape.lock
        vault = aws.backup.Vault(
            label,
            name=names.resource(environment, label),
            kms_key_arn=key_arn,
            force_destroy=protection.discard_contents(environment),
            tags=tags.data(tags.DataClass.PERSONAL),
            region=region,
            opts=protection.stateful(environment, self),
        )
        if environment.protected:
            aws.backup.VaultPolicy(
                label,
                backup_vault_name=vault.name,
                policy=document(
                    Statement(
                        "KeepRecoveryPoints",
                        [
                            "backup:DeleteRecoveryPoint",
                            "backup:PutBackupVaultAccessPolicy",
                            "backup:UpdateRecoveryPointLifecycle",
                        ],
                        ["*"],
                        ANYONE,
                        {
                            "ArnNotLike": {
                                "aws:PrincipalArn": f"arn:aws:iam::{environment.account_id}:role/*break-glass*"
                            }
                        },
                        effect="Deny",
                    )
                ),
                region=region,
                opts=self._child,
            )
        if lock != "none":
            aws.backup.VaultLockConfiguration(
                label,
                backup_vault_name=vault.name,
                min_retention_days=SHORTEST_DAYS,
                max_retention_days=LONGEST_DAYS,
                # With a cooling-off period the lock becomes irreversible when it ends; without, it can be lifted.
                changeable_for_days=COOLING_OFF_DAYS if lock == "compliance" else None,
                region=region,
                opts=self._child,
            )
        return vault

    def _plan(self, row_name: str, row: Row) -> None:
        """One plan per row of the table, for the resource that it names; that carries the row's name in a tag."""
        label = f"{self._name}-{row_name}"
        rule: aws.backup.PlanRuleArgsDict = {
            "rule_name": row_name,
            "target_vault_name": self.vault.name,
            "schedule": row.schedule,
            "start_window": START_MINUTES,
            "completion_window": COMPLETE_MINUTES,
            "lifecycle": {"delete_after": row.retention_days},
        }
        if self.copy is not None:
            rule["copy_actions"] = [
                {"destination_vault_arn": self.copy.arn, "lifecycle": {"delete_after": row.retention_days}}
            ]
        plan = aws.backup.Plan(
            label, name=names.resource(self._args.environment, row_name), rules=[rule], opts=self._child
        )
        aws.backup.Selection(
            label,
            name=row_name,
            plan_id=plan.id,
            iam_role_arn=self._role.arn,
            # By ARN: what is selected by tags alone is left out where the account has not opted in to its service.
            resources=[self._args.saved[row_name]],
            opts=pulumi.ResourceOptions(parent=self, depends_on=[*self._role.ready]),
        )

    def _restore_tests(self) -> None:
        """Every week the newest recovery points are restored, timed and thrown away.

        Of each kind the row that says so: a restored bucket is a whole one, so the small one stands for the large.
        """
        name, args = self._name, self._args
        underscored = args.environment.prefix.replace("-", "_")
        plan = aws.backup.RestoreTestingPlan(
            f"{name}-restore",
            name=f"{underscored}_weekly",
            schedule_expression="cron(0 7 ? * SUN *)",
            start_window_hours=1,
            recovery_point_selection={
                "algorithm": "LATEST_WITHIN_WINDOW",
                "include_vaults": [self.vault.arn],
                "recovery_point_types": ["SNAPSHOT"],
                "selection_window_days": 7,
            },
            opts=self._child,
        )
        overrides = {"database": {"dbSubnetGroupName": args.database_subnet_group, "publiclyAccessible": "false"}}
        for row_name, row in args.plan.vaulted().items():
            if not row.restore_test:
                continue
            aws.backup.RestoreTestingSelection(
                f"{name}-restore-{row_name}",
                name=row_name.replace("-", "_"),
                restore_testing_plan_name=plan.name,
                protected_resource_type=row.service,
                protected_resource_arns=[args.saved[row_name]],
                iam_role_arn=self._role.arn,
                validation_window_hours=RESTORE_TEST_HOURS,
                restore_metadata_overrides=overrides.get(row_name),
                opts=pulumi.ResourceOptions(parent=self, depends_on=[*self._role.ready]),
            )
