"""How does a job reach a worker? SQS for Celery, with a queue for what no worker could do."""

import json
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.data.shape import QueueShape
from infra.foundation import names, tags
from infra.foundation.encryption import KeyClass, Keys
from infra.foundation.environment import Environment
from infra.foundation.iam import ANYONE, Statement, document

DEAD_LETTER_DAYS = 14  # the longest SQS keeps a message
LONG_POLL_SECONDS = 20
DAY = 86_400


@dataclass(frozen=True)
class QueueArgs:
    """What the queues need to know."""

    environment: Environment
    shape: QueueShape
    keys: Keys


class Queue(pulumi.ComponentResource):
    """Jobs, and dead letters."""

    url: pulumi.Output[str]
    arn: pulumi.Output[str]
    name: str
    dead_name: str

    def __init__(self, name: str, args: QueueArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tecnocursos:infra:Queue", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.name = names.resource(args.environment, "jobs")
        self.dead_name = names.resource(args.environment, "jobs-dead")
        labels = tags.data(tags.DataClass.INTERNAL)
        dead = aws.sqs.Queue(
            f"{name}-dead",
            name=self.dead_name,
            message_retention_seconds=DEAD_LETTER_DAYS * DAY,
            kms_master_key_id=args.keys[KeyClass.TRANSIENT].arn,
            kms_data_key_reuse_period_seconds=300,
            tags=labels,
            opts=child,
        )
        jobs = aws.sqs.Queue(
            name,
            name=self.name,
            visibility_timeout_seconds=args.shape.visibility_seconds,
            message_retention_seconds=args.shape.retention_days * DAY,
            receive_wait_time_seconds=LONG_POLL_SECONDS,
            kms_master_key_id=args.keys[KeyClass.TRANSIENT].arn,
            kms_data_key_reuse_period_seconds=300,
            redrive_policy=dead.arn.apply(
                lambda arn: json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": args.shape.max_receives})
            ),
            tags=labels,
            opts=child,
        )
        aws.sqs.RedriveAllowPolicy(
            f"{name}-dead",
            queue_url=dead.url,
            redrive_allow_policy=jobs.arn.apply(
                lambda arn: json.dumps({"redrivePermission": "byQueue", "sourceQueueArns": [arn]})
            ),
            opts=child,
        )
        for label, queue in ((name, jobs), (f"{name}-dead", dead)):
            aws.sqs.QueuePolicy(
                label,
                queue_url=queue.url,
                policy=document(
                    Statement(
                        "RefusePlainHttp",
                        ["sqs:*"],
                        [queue.arn],
                        ANYONE,
                        {"Bool": {"aws:SecureTransport": "false"}},
                        effect="Deny",
                    )
                ),
                opts=child,
            )
        self.url, self.arn = jobs.url, jobs.arn
        self.register_outputs({"url": self.url})
