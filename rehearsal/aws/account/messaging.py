"""What do SQS and SNS refuse? Queues of one name that differ, and partners of another kind."""

import json

from rehearsal.answers import Refused
from rehearsal.aws.account.request import Request, Rule
from rehearsal.values import Value

_QUEUE = "aws:sqs/queue:Queue"
_REDRIVE = "aws:sqs/redrivePolicy:RedrivePolicy"
_TOPIC = "aws:sns/topic:Topic"
_TAGS = ("tags", "tagsAll", "__defaults")


def queue_exists_with_other_settings(request: Request) -> Refused | None:
    """A queue, or topic, of the same name with another setting; with the same ones the request changes nothing."""
    name = request.inputs.get("name")
    for other in request.others(request.token):
        if other.inputs.get("name") != name:
            continue
        names = (other.inputs.keys() | request.inputs.keys()) - set(_TAGS)
        differing = sorted(one for one in names if other.inputs.get(one) != request.inputs.get(one))
        if differing and request.token == _QUEUE:
            says = (
                f"A queue already exists with the same name and a different value for attribute {differing[0]}: {name}"
            )
            return Refused("QueueAlreadyExists", says, "name")
        if differing:
            says = f"Invalid parameter: Attributes Reason: Topic already exists with different attributes: {name}"
            return Refused("InvalidParameter", says, "name")
    return None


def dead_letters_go_to_another_kind(request: Request) -> Refused | None:
    """A dead-letter queue of the other kind, or of another region."""
    queue = request.find(request.inputs.get("queueUrl")) if request.token == _REDRIVE else None
    fifo = queue.outputs.get("fifoQueue", False) if queue else request.inputs.get("fifoQueue", False)
    arn = _target(request.inputs.get("redrivePolicy"))
    parts = str(arn).split(":")
    if len(parts) < 6 or (request.token == _REDRIVE and queue is None):
        return None
    says = f"Value for parameter RedrivePolicy is invalid. Reason: Dead letter target must be {{}}: {arn}"
    if parts[3] != request.context.region:
        return Refused("InvalidParameterValue", says.format(f"in {request.context.region}"), "redrivePolicy")
    if parts[5].endswith(".fifo") != bool(fifo):
        kind = "a FIFO queue" if fifo else "a standard queue"
        return Refused("InvalidParameterValue", says.format(kind), "redrivePolicy")
    return None


def topic_cannot_reach_the_queue(request: Request) -> Refused | None:
    """A FIFO queue under a standard topic."""
    topic, queue = str(request.inputs.get("topic")), str(request.inputs.get("endpoint"))
    if request.inputs.get("protocol") == "sqs" and queue.endswith(".fifo") and not topic.endswith(".fifo"):
        says = (
            f"Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics: {queue}"
        )
        return Refused("InvalidParameter", says, "endpoint")
    return None


def _target(policy: Value) -> Value:
    try:
        parsed = json.loads(policy) if isinstance(policy, str) else policy
    except ValueError:
        return None
    return parsed.get("deadLetterTargetArn") if isinstance(parsed, dict) else None


CHANGE: dict[str, tuple[Rule, ...]] = {
    _QUEUE: (queue_exists_with_other_settings, dead_letters_go_to_another_kind),
    _REDRIVE: (dead_letters_go_to_another_kind,),
    _TOPIC: (queue_exists_with_other_settings,),
    "aws:sns/topicSubscription:TopicSubscription": (topic_cannot_reach_the_queue,),
}
DELETION: dict[str, tuple[Rule, ...]] = {}
