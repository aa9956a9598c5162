"""Where are the objects, messages and secret values of the emulated account? In moto, filled as the world says.

What moto is told is what a program declares of buckets, queues, topics and secrets; who may use them is not its matter:
the gateway before it judges every call.
"""

import asyncio
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from rehearsal.cluster import processes
from rehearsal.errors import RehearsalError
from rehearsal.live.stand_ins.secret_values import SecretValues
from rehearsal.live.view import View
from rehearsal.world import Row

_NAME = "moto"
_PATIENCE = 60.0
_BUCKET, _QUEUE, _SECRET = "aws:s3/bucket:Bucket", "aws:sqs/queue:Queue", "aws:secretsmanager/secret:Secret"
_TOPIC, _INSTANCE = "aws:sns/topic:Topic", "aws:rds/instance:Instance"
_ATTRIBUTES = {
    "VisibilityTimeout": "visibilityTimeoutSeconds",
    "MessageRetentionPeriod": "messageRetentionSeconds",
    "ReceiveMessageWaitTimeSeconds": "receiveWaitTimeSeconds",
    "MaximumMessageSize": "maxMessageSize",
    "DelaySeconds": "delaySeconds",
    "RedrivePolicy": "redrivePolicy",
}


class Store:
    """moto as a server below a folder."""

    def __init__(self, folder: Path, place: tuple[str, int], values: SecretValues, say: Callable[[str], None]) -> None:
        self._folder, self._place, self._values, self._say = folder, place, values, say
        self.url = f"http://{place[0]}:{place[1]}"
        self._known: dict[tuple[str, str], str] = {}
        self._clients: dict[tuple[str, str], Any] = {}

    async def start(self, account: str) -> None:
        """Run it where it does not, for one account, and wait until it answers. Raises RehearsalError."""
        self._folder.mkdir(parents=True, exist_ok=True)
        if not processes.alive(_NAME, self._folder):
            line = [sys.executable, "-m", "moto.server", "-H", self._place[0], "-p", str(self._place[1])]
            processes.spawn(_NAME, line, self._folder, {"MOTO_ACCOUNT_ID": account})
            self._known.clear()
        deadline = asyncio.get_running_loop().time() + _PATIENCE
        while True:
            try:
                _, writer = await asyncio.open_connection(*self._place)
            except OSError as error:
                late = asyncio.get_running_loop().time() > deadline
                if late or not processes.alive(_NAME, self._folder):
                    said = processes.tail(_NAME, self._folder)
                    raise RehearsalError(f"moto does not start: {said}") from error
                await asyncio.sleep(0.1)
            else:
                writer.close()
                return

    async def settle(self, view: View) -> None:
        """Fill it."""
        await asyncio.to_thread(self._settle, view)

    def stop(self) -> None:
        """End it."""
        processes.stop(_NAME, self._folder)

    def _settle(self, view: View) -> None:
        wanted = {("bucket", row.outputs["bucket"]): row for row in view.all(_BUCKET)}
        wanted |= {("topic", row.outputs["name"]): row for row in view.all(_TOPIC)}
        # A queue before those that hand their dead messages to it.
        queues = sorted(view.all(_QUEUE), key=lambda row: bool(row.outputs.get("redrivePolicy")))
        wanted |= {("queue", row.outputs["name"]): row for row in queues}
        for (kind, name), row in wanted.items():
            if (kind, name) not in self._known:
                self._try(kind, name, row)
        for kind, name in set(self._known) - set(wanted):
            if kind != "secret":
                self._forget(kind, name)
        self._secrets(view)

    def _try(self, kind: str, name: str, row: Row) -> None:
        client = self._client({"bucket": "s3", "topic": "sns", "queue": "sqs"}[kind], row.outputs["region"])
        try:
            if kind == "bucket":
                place = row.outputs["region"]
                where = {} if place == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": place}}
                client.create_bucket(Bucket=name, **where)
            elif kind == "topic":
                client.create_topic(Name=name)
            else:
                given = {key: row.outputs.get(prop) for key, prop in _ATTRIBUTES.items()}
                client.create_queue(
                    QueueName=name, Attributes={k: str(v) for k, v in given.items() if v not in (None, "")}
                )
        except (ClientError, BotoCoreError) as error:
            if "BucketAlreadyOwnedByYou" not in str(error):
                self._say(f"{kind} {name}: {error}")
                return
        self._known[kind, name] = row.outputs["region"]

    def _forget(self, kind: str, name: str) -> None:
        region = self._known.pop((kind, name))
        try:
            if kind == "bucket":
                bucket = boto3.resource("s3", **self._options(region)).Bucket(name)
                bucket.objects.all().delete()
                bucket.delete()
            elif kind == "queue":
                client = self._client("sqs", region)
                client.delete_queue(QueueUrl=client.get_queue_url(QueueName=name)["QueueUrl"])
        except (ClientError, BotoCoreError) as error:
            self._say(f"{kind} {name}: {error}")

    def _secrets(self, view: View) -> None:
        """Declared secrets have the values that a person gave them; RDS makes its own with its instance."""
        arns = {row.outputs["arn"]: row.outputs["name"] for row in view.all(_SECRET)}
        for row in view.all(_INSTANCE):
            for one in row.outputs.get("masterUserSecrets") or []:
                arns[one["secretArn"]] = one["secretArn"].partition(":secret:")[2][:-7]
        values = self._values.all()
        for arn, name in arns.items():
            region, value = arn.split(":")[3], values.get(arn) or values.get(name)
            if self._known.get(("secret", name)) == json.dumps([region, value]):
                continue
            client = self._client("secretsmanager", region)
            try:
                if ("secret", name) not in self._known:
                    client.create_secret(Name=name, **({"SecretString": value} if value else {}))
                elif value:
                    client.put_secret_value(SecretId=name, SecretString=value)
            except (ClientError, BotoCoreError) as error:
                if "ResourceExistsException" not in str(error):
                    self._say(f"secret {name}: {type(error).__name__}")
                    continue
                if value:
                    client.put_secret_value(SecretId=name, SecretString=value)
            self._known["secret", name] = json.dumps([region, value])

    def _client(self, service: str, region: str) -> Any:
        if (service, region) not in self._clients:
            self._clients[service, region] = boto3.client(service, **self._options(region))
        return self._clients[service, region]

    def _options(self, region: str) -> dict[str, Any]:
        # The rehearsal's own hand: nothing of the environment is asked, so no credential of a person's is read.
        os.environ.setdefault("AWS_EC2_METADATA_DISABLED", "true")
        return {
            "region_name": region,
            "endpoint_url": self.url,
            "aws_access_key_id": "rehearsal",
            "aws_secret_access_key": "rehearsal",
            "config": Config(retries={"max_attempts": 1}, connect_timeout=2, read_timeout=10),
        }
