"""When is somebody told? One CloudWatch alarm per row of the table and per thing that the row watches."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product

import pulumi
import pulumi_aws as aws

from infra.foundation import names
from infra.foundation.environment import Environment
from infra.operations.alarm_table import LITERAL, Alarm, AlarmTable
from infra.operations.notifications import Notifications

MISSING = {"ok": "notBreaching", "bad": "breaching", "ignore": "ignore"}
Targets = Mapping[str, Mapping[str, pulumi.Input[str]]]


@dataclass(frozen=True)
class AlarmsArgs:
    """targets: what can be watched: key of a dimension -> label (empty when there is one) -> name or id in AWS.

    capacities: what thresholds are a percentage of, in the unit of the metric.
    """

    environment: Environment
    table: AlarmTable
    notifications: Notifications
    targets: Targets
    capacities: Mapping[str, float]


class Alarms(pulumi.ComponentResource):
    """The alarms; ValueError when a row names a target that nobody handed over."""

    def __init__(self, name: str, args: AlarmsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tecnocursos:infra:Alarms", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        topics = {"page": args.notifications.page, "ticket": args.notifications.ticket}
        for alarm_name, alarm in args.table.alarms.items():
            for label, dimensions in expand(alarm_name, alarm, args.targets):
                threshold = alarm.above if alarm.above is not None else alarm.below
                if alarm.of is not None and threshold is not None:
                    threshold *= args.capacities[alarm.of] / 100
                percentile = alarm.statistic.startswith("p")
                aws.cloudwatch.MetricAlarm(
                    f"{name}-{label}",
                    name=names.resource(args.environment, label),
                    alarm_description=f"{alarm.severity}: {alarm.meaning}",
                    namespace=alarm.namespace,
                    metric_name=alarm.metric,
                    dimensions=dimensions,
                    statistic=None if percentile else alarm.statistic,
                    extended_statistic=alarm.statistic if percentile else None,
                    comparison_operator="GreaterThanThreshold" if alarm.above is not None else "LessThanThreshold",
                    threshold=threshold,
                    period=alarm.period_seconds,
                    evaluation_periods=alarm.minutes * 60 // alarm.period_seconds,
                    treat_missing_data=MISSING[alarm.missing],
                    alarm_actions=[topics[alarm.severity]],
                    ok_actions=[topics[alarm.severity]],
                    opts=child,
                )
        self.register_outputs({})


def expand(name: str, alarm: Alarm, targets: Targets) -> Iterator[tuple[str, dict[str, pulumi.Input[str]]]]:
    """Name and dimensions of each alarm that a row stands for."""
    choices: list[list[tuple[str, str, pulumi.Input[str]]]] = []
    for dimension, key in alarm.dimensions.items():
        if key.startswith(LITERAL):
            choices.append([(dimension, "", key.removeprefix(LITERAL))])
        elif key in targets:
            choices.append([(dimension, label, value) for label, value in targets[key].items()])
        else:
            raise ValueError(f"alarms.yaml: {name} watches {key!r}, which is not among the targets")
    for chosen in product(*choices):
        labels = [label for _, label, _ in chosen if label]
        yield "-".join([name, *labels]), {dimension: value for dimension, _, value in chosen}
