"""What may the environment cost? A budget that warns early, a brake where configured, and an eye on the unusual."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.foundation import names
from infra.foundation.environment import Environment
from infra.operations.shape import BudgetShape

FORECAST_PERCENT = (80, 100)
SPENT_PERCENT = 100
CREATE = "create"


@dataclass(frozen=True)
class BudgetArgs:
    """alerts: the topic that is told. braked_roles: ARNs of the roles that may create nothing more."""

    environment: Environment
    shape: BudgetShape
    alerts: pulumi.Input[str]
    braked_roles: tuple[str, ...]


class Budget(pulumi.ComponentResource):
    """The budget, its brake, and the anomaly monitor."""

    limit_usd: int

    def __init__(self, name: str, args: BudgetArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tecnocursos:infra:Budget", name, None, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self.limit_usd = args.shape.monthly_usd
        notifications: list[aws.budgets.BudgetNotificationArgsDict] = [
            {
                "comparison_operator": "GREATER_THAN",
                "notification_type": kind,
                "threshold": percent,
                "threshold_type": "PERCENTAGE",
                "subscriber_sns_topic_arns": [args.alerts],
            }
            for kind, percent in (*(("FORECASTED", percent) for percent in FORECAST_PERCENT), ("ACTUAL", SPENT_PERCENT))
        ]
        budget = aws.budgets.Budget(
            name,
            name=names.resource(args.environment, "monthly"),
            budget_type="COST",
            time_unit="MONTHLY",
            limit_amount=str(args.shape.monthly_usd),
            limit_unit="USD",
            notifications=notifications,
            opts=self._child,
        )
        if args.shape.deny_when_spent:
            self._brake(name, args, budget)
        aws.costexplorer.AnomalySubscription(
            name,
            name=names.resource(args.environment, "anomalies"),
            frequency="IMMEDIATE",
            monitor_arn_lists=[self._monitor(name, args)],
            subscribers=[{"type": "SNS", "address": args.alerts}],
            threshold_expression={
                "dimension": {
                    "key": "ANOMALY_TOTAL_IMPACT_ABSOLUTE",
                    "match_options": ["GREATER_THAN_OR_EQUAL"],
                    "values": [str(args.shape.anomaly_usd)],
                }
            },
            opts=self._child,
        )
        self.register_outputs({})

    def _monitor(self, name: str, args: BudgetArgs) -> pulumi.Input[str]:
        """The account's monitor of services: one at most, and AWS makes it when Cost Explorer is first used."""
        if args.shape.anomaly_monitor != CREATE:
            return args.shape.anomaly_monitor
        return aws.costexplorer.AnomalyMonitor(
            name,
            name=names.resource(args.environment, "services"),
            monitor_type="DIMENSIONAL",
            monitor_dimension="SERVICE",
            opts=self._child,
        ).arn

    def _brake(self, name: str, args: BudgetArgs, budget: aws.budgets.Budget) -> None:
        """When the money is spent, the deploying roles can change what is there but add nothing that costs.

        What is attached, and who attaches it, are the account's (bootstrap/brake.py): a deployer cannot change them.
        Auto Mode goes on launching nodes for pods that ask for some: its node pools have limits of their own.
        """
        aws.budgets.BudgetAction(
            f"{name}-brake",
            budget_name=budget.name,
            action_type="APPLY_IAM_POLICY",
            approval_model="AUTOMATIC",
            notification_type="ACTUAL",
            execution_role_arn=names.brake(args.environment, "role"),
            action_threshold={"action_threshold_type": "PERCENTAGE", "action_threshold_value": SPENT_PERCENT},
            definition={
                "iam_action_definition": {
                    "policy_arn": names.brake(args.environment, "policy"),
                    "roles": [arn.rsplit("/", 1)[-1] for arn in args.braked_roles],
                }
            },
            subscribers=[{"subscription_type": "SNS", "address": args.alerts}],
            opts=self._child,
        )
