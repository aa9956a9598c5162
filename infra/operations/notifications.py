"""Whom does an alarm reach? One topic for what wakes a person, one for what can wait."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.foundation import names
from infra.foundation.encryption import PUBLISHERS, SILENT_PUBLISHERS, KeyClass, Keys
from infra.foundation.environment import Environment
from infra.foundation.iam import ANYONE, Statement, document
from infra.operations.shape import AlarmShape


@dataclass(frozen=True)
class NotificationsArgs:
    """What the topics need to know."""

    environment: Environment
    shape: AlarmShape
    keys: Keys


class Notifications(pulumi.ComponentResource):
    """The two topics, by their ARNs."""

    page: pulumi.Output[str]
    ticket: pulumi.Output[str]

    def __init__(self, name: str, args: NotificationsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tecnocursos:infra:Notifications", name, None, opts)
        self.page = self._topic(f"{name}-page", "page", args.shape.page, args)
        self.ticket = self._topic(f"{name}-ticket", "ticket", args.shape.ticket, args)
        self.register_outputs({"page": self.page, "ticket": self.ticket})

    def _topic(
        self, name: str, purpose: str, addresses: tuple[str, ...], args: NotificationsArgs
    ) -> pulumi.Output[str]:
        child = pulumi.ResourceOptions(parent=self)
        topic = aws.sns.Topic(
            name,
            name=names.resource(args.environment, purpose),
            kms_master_key_id=args.keys[KeyClass.OPERATIONS].arn,
            signature_version=2,
            opts=child,
        )
        own = {"StringEquals": {"aws:SourceAccount": args.environment.account_id}}
        aws.sns.TopicPolicy(
            name,
            arn=topic.arn,
            policy=document(
                Statement(
                    "ServicesPublish",
                    # The second is asked for by managed Prometheus; its user guide, "Authorize SNS".
                    ["sns:Publish", "sns:GetTopicAttributes"],
                    [topic.arn],
                    {"Service": [f"{service}.amazonaws.com" for service in PUBLISHERS]},
                    own,
                ),
                Statement(
                    "SilentServicesPublish",
                    ["sns:Publish"],
                    [topic.arn],
                    {"Service": [f"{service}.amazonaws.com" for service in SILENT_PUBLISHERS]},
                ),
                Statement(
                    "EventRulesPublish",
                    ["sns:Publish"],
                    [topic.arn],
                    {"Service": ["events.amazonaws.com"]},
                    {"ArnLike": {"aws:SourceArn": rules_of(args.environment)}},
                ),
                Statement(
                    "RefusePlainHttp",
                    ["sns:Publish"],
                    [topic.arn],
                    ANYONE,
                    {"Bool": {"aws:SecureTransport": "false"}},
                    effect="Deny",
                ),
            ),
            opts=child,
        )
        for number, address in enumerate(addresses):
            aws.sns.TopicSubscription(
                f"{name}-{number}", topic=topic.arn, protocol="email", endpoint=address, opts=child
            )
        return topic.arn


def rules_of(environment: Environment) -> str:
    """The EventBridge rules of the account, as an ARN pattern."""
    return f"arn:aws:events:{environment.region}:{environment.account_id}:rule/*"
