"""What may each workload of the service do in AWS? Exactly its own part of the estate."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import pulumi

from infra.foundation.environment import Environment
from infra.foundation.iam import Statement

PUBLISHED = "published"  # the part of the media bucket that the distribution may read


class Workload(StrEnum):
    """What runs in the cluster; each has a service account of this name and a role of its own."""

    API = "api"
    WORKER = "worker"
    SWEEPER = "sweeper"
    MIGRATOR = "migrator"
    BOOTSTRAP = "bootstrap"


@dataclass(frozen=True)
class Reach:
    """The parts of the estate that workloads use: ARNs, and the database proxy's id."""

    environment: Environment
    proxy_id: pulumi.Input[str]
    master_secret: pulumi.Input[str]
    cache: pulumi.Input[str]
    cache_user: pulumi.Input[str]
    queue: pulumi.Input[str]
    media: pulumi.Input[str]
    service_secret: pulumi.Input[str]
    media_key: pulumi.Input[str]
    queue_key: pulumi.Input[str]
    secrets_key: pulumi.Input[str]


def of(reach: Reach) -> Mapping[Workload, Sequence[Statement]]:
    """The statements of every workload's role."""
    # Whatever runs the image reads its settings first, and with them the service's own secret.
    settings = read_secrets(reach, reach.service_secret)
    application = [log_in(reach, "service"), *settings]
    return {
        Workload.API: [
            *application,
            use_cache(reach),
            *use_media(reach, "s3:DeleteObject", "s3:GetObject", "s3:PutObject"),
            *use_queue(reach, "sqs:SendMessage"),
        ],
        Workload.WORKER: [
            *application,
            *use_media(reach, "s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:PutObject"),
            *use_queue(reach, "sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:ReceiveMessage"),
        ],
        # It removes what silent workers left behind, and reads nothing.
        Workload.SWEEPER: [*application, objects(reach, "s3:DeleteObject")],
        Workload.MIGRATOR: [log_in(reach, "migrator"), *settings],
        Workload.BOOTSTRAP: read_secrets(reach, reach.service_secret, reach.master_secret),
    }


def log_in(reach: Reach, user: str) -> Statement:
    """To the database through the proxy, as one user."""
    place = reach.environment
    resource = pulumi.Output.concat(
        f"arn:aws:rds-db:{place.region}:{place.account_id}:dbuser:", reach.proxy_id, f"/{user}"
    )
    return Statement("LogInToDatabase", ["rds-db:connect"], [resource])


def use_cache(reach: Reach) -> Statement:
    """Log in to the cache; what may be sent there is the user's access string."""
    return Statement("LogInToCache", ["elasticache:Connect"], [reach.cache, reach.cache_user])


def objects(reach: Reach, *actions: str) -> Statement:
    """Objects of the media bucket."""
    return Statement("Objects", actions, [pulumi.Output.concat(reach.media, "/*")])


def use_media(reach: Reach, *actions: str) -> list[Statement]:
    """Objects, their key, and the list permission that makes a missing object a 404 instead of a 403."""
    return [
        objects(reach, *actions),
        Statement("MissingObjects", ["s3:ListBucket"], [reach.media]),
        _with_key(reach, "MediaKey", "s3", reach.media_key, ["kms:Decrypt", "kms:GenerateDataKey"]),
    ]


def use_queue(reach: Reach, *actions: str) -> list[Statement]:
    """Jobs: put in or taken out, as the actions say; Celery asks for the queue's length in both roles."""
    sending = "sqs:SendMessage" in actions
    key = ["kms:Decrypt", "kms:GenerateDataKey"] if sending else ["kms:Decrypt"]
    return [
        Statement("Jobs", [*actions, "sqs:GetQueueAttributes"], [reach.queue]),
        _with_key(reach, "QueueKey", "sqs", reach.queue_key, key),
    ]


def read_secrets(reach: Reach, *secrets: pulumi.Input[str]) -> list[Statement]:
    """Secrets, and the key that they are encrypted with."""
    return [
        Statement("ReadSecrets", ["secretsmanager:GetSecretValue"], secrets),
        _with_key(reach, "SecretKey", "secretsmanager", reach.secrets_key, ["kms:Decrypt"]),
    ]


def _with_key(reach: Reach, sid: str, service: str, key: pulumi.Input[str], actions: Sequence[str]) -> Statement:
    """Use a key, through one AWS service only."""
    via = f"{service}.{reach.environment.region}.amazonaws.com"
    return Statement(sid, actions, [key], conditions={"StringEquals": {"kms:ViaService": via}})
