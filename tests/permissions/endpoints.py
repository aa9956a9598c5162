"""What answers a pod's calls to AWS? The judging gateway, what it stores, and the agent that hands out credentials.

Every call is judged by the role of its caller: what the graph declares is all that they know.
"""

import asyncio
import contextlib
import json
import logging
import secrets
import ssl
import threading
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import boto3
from moto.server import ThreadedMotoServer

from rehearsal.aws.authorization import account as accounts
from rehearsal.live.stand_ins.aws.gateway import Gateway
from rehearsal.live.stand_ins.aws.judgement import Audit, Judgement
from rehearsal.live.stand_ins.aws.pod_identity import Pod, PodIdentity
from rehearsal.live.stand_ins.aws.sessions import Sessions
from tests.permissions.pods import Container

Row = Mapping[str, Any]
T = TypeVar("T")
MASTER = {"username": "master", "password": secrets.token_hex(16)}
TOKEN_KEY = secrets.token_urlsafe(32)


class Endpoints:
    """AWS's endpoints for one graph, on loopback."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows, self.account = rows, accounts.read(rows)
        self.audit, self.log = Audit(), list[str]()
        self.judgement = Judgement(lambda: self.account, Sessions(secrets.token_bytes(32)), self.audit)
        self._pods: dict[str, Pod] = {}
        self._loop = asyncio.new_event_loop()
        self._moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)

    def one(self, kind: str) -> dict[str, Any]:
        """Inputs of the one row of a type."""
        (found,) = [row["inputs"] for row in self.rows if row["type"] == kind]
        return dict(found)

    @contextlib.contextmanager
    def running(self, tls: ssl.SSLContext | None = None) -> Iterator[None]:
        """They answer on `port` and `identity_port` while the block runs; without `tls` in clear."""
        logging.getLogger("werkzeug").setLevel(logging.ERROR)  # moto's server tells every request
        thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._moto.start()
        self.moto = "http://{}:{}".format(*self._moto.get_host_and_port())
        thread.start()
        gateway = Gateway(self.judgement, self.moto, self.log.append)
        identity = PodIdentity(self.judgement, self._identified, self.log.append)
        try:
            self._store()
            self.port = self.do(gateway.start("127.0.0.1", 0, tls))
            self.identity_port = self.do(identity.start("127.0.0.1", 0))
            yield
        finally:
            self.do(gateway.stop())
            self.do(identity.stop())
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join(30)
            self._loop.close()
            self._moto.stop()

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Run something in the loop of the stand-ins."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def environment(self, container: Container, name: str) -> dict[str, str]:
        """A container's settings and what EKS Pod Identity adds to them; nothing of this machine."""
        token = secrets.token_urlsafe(16)
        self._pods[token] = Pod(
            self.one("aws:eks/cluster:Cluster")["name"], container.namespace, container.service_account, name
        )
        return {
            **container.environment,
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://127.0.0.1:{self.identity_port}/v1/credentials",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN": token,
            "AWS_REGION": self.account.region,
            "AWS_DEFAULT_REGION": self.account.region,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        }

    def _store(self) -> None:
        """What the account holds on its first day: secrets with values, queues, buckets. Nobody judges this."""
        with self._client("secretsmanager") as store:
            for arn in self.account.secrets:
                name = arn.partition(":secret:")[2][:-7]
                content = MASTER if name.startswith("rds!") else {"security__token_keys": json.dumps([TOKEN_KEY])}
                store.create_secret(Name=name, SecretString=json.dumps(content))
        with self._client("sqs") as queues, self._client("s3") as buckets:
            for row in self.rows:
                if row["type"] == "aws:sqs/queue:Queue":
                    queues.create_queue(QueueName=row["inputs"]["name"])
                if row["type"] == "aws:s3/bucket:Bucket":
                    buckets.create_bucket(Bucket=row["inputs"]["bucket"])

    def _client(self, service: str) -> Any:
        client: Any = boto3.client(
            service,
            endpoint_url=self.moto,
            region_name=self.account.region,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
        return contextlib.closing(client)

    async def _identified(self, token: str) -> Pod | None:
        return self._pods.get(token)
