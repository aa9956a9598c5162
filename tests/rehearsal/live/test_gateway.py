"""Does the region answer boto3 as AWS would: served to those who may, refused to the others in each service's words?"""

import asyncio
import base64
import datetime as dt
import hashlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import httpx
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from moto.server import ThreadedMotoServer

from rehearsal.aws.authorization.account import Account
from rehearsal.live.stand_ins.aws.gateway import Gateway
from rehearsal.live.stand_ins.aws.judgement import Audit, Judgement
from rehearsal.live.stand_ins.aws.pod_identity import Pod, PodIdentity
from rehearsal.live.stand_ins.aws.sessions import Credentials, Sessions
from rehearsal.live.stand_ins.judge import Denied
from tests.rehearsal.live.conftest import BUCKET, QUEUE, REGION

Client = Callable[..., Any]
URL = "https://sqs.us-east-1.amazonaws.com/123456789012/jobs"
SESSIONS = Sessions(b"a key of this test")
PODS = {"token of full": Pod("school", "app", "full", "full-1"), "token of nobody": Pod("school", "app", "x", "x-1")}


class Place:
    """The stand-ins of a test on loopback."""

    def __init__(self, account: Account) -> None:
        self.audit, self.said = Audit(), list[str]()
        self.judgement = Judgement(lambda: account, SESSIONS, self.audit)
        self.moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def begin(self) -> None:
        self.moto.start()
        self._thread.start()
        self.store = "http://{}:{}".format(*self.moto.get_host_and_port())
        self._gateway = Gateway(self.judgement, self.store, self.said.append)
        self._identity = PodIdentity(self.judgement, self._identified, self.said.append)
        ports = [
            self._do(one.start("127.0.0.1", 0, *more)) for one, more in ((self._gateway, [None]), (self._identity, []))
        ]
        self.url, self.identity = (f"http://127.0.0.1:{port}" for port in ports)

    def end(self) -> None:
        self._do(self._gateway.stop())
        self._do(self._identity.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
        self.moto.stop()

    async def _identified(self, token: str) -> Pod | None:
        return PODS.get(token)

    def _do(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    def credentials(self, service_account: str) -> Credentials:
        agent = PodIdentity(self.judgement, self._identified, self.said.append)
        caller = agent.session(Pod("school", "app", service_account, "pod-1"))
        return SESSIONS.issue(caller, dt.datetime.now(dt.UTC) + dt.timedelta(hours=1))

    def client(self, service: str, service_account: str, *, region: str = REGION) -> Any:
        own = self.credentials(service_account)
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=region,
            aws_access_key_id=own.key_id,
            aws_secret_access_key=own.secret,
            aws_session_token=own.token,
            config=Config(retries={"max_attempts": 1}, signature_version="s3v4" if service == "s3" else "v4"),
        )


@pytest.fixture(scope="module")
def place(account: Account) -> Iterator[Place]:
    made = Place(account)
    made.begin()
    plain = {"endpoint_url": made.store, "region_name": REGION, "aws_access_key_id": "x", "aws_secret_access_key": "x"}
    boto3.client("s3", **plain).create_bucket(Bucket="media")
    boto3.client("sqs", **plain).create_queue(QueueName="jobs")
    boto3.client("secretsmanager", **plain).create_secret(Name="app/settings", SecretString="hidden")
    yield made
    made.end()


def code(work: Callable[[], Any]) -> tuple[str, int]:
    with pytest.raises(ClientError) as error:
        work()
    found = error.value.response
    return found["Error"]["Code"], found["ResponseMetadata"]["HTTPStatusCode"]


def test_who_may_is_served(place: Place) -> None:
    assert place.client("secretsmanager", "full").get_secret_value(SecretId="app/settings")["SecretString"] == "hidden"
    place.client("sqs", "full").send_message(QueueUrl=URL, MessageBody="look")
    assert place.client("sqs", "full").receive_message(QueueUrl=URL)["Messages"][0]["Body"] == "look"
    store = place.client("s3", "full")
    store.put_object(Bucket="media", Key="a b/ç", Body=b"content")
    assert store.get_object(Bucket="media", Key="a b/ç")["Body"].read() == b"content"
    assert store.head_object(Bucket="media", Key="a b/ç")["ContentLength"] == 7
    assert [one["Key"] for one in store.list_objects_v2(Bucket="media")["Contents"]] == ["a b/ç"]
    store.delete_objects(Bucket="media", Delete={"Objects": [{"Key": "a b/ç"}]})
    identity = place.client("sts", "full").get_caller_identity()
    assert identity["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_a_large_file_goes_up_in_parts(place: Place, tmp_path: Any) -> None:
    (tmp_path / "large").write_bytes(b"x" * (9 * 2**20))
    store = place.client("s3", "full")
    store.upload_file(str(tmp_path / "large"), "media", "large", ExtraArgs={"ChecksumAlgorithm": "SHA256"})
    assert store.head_object(Bucket="media", Key="large")["ContentLength"] == 9 * 2**20


def test_who_may_use_the_thing_but_not_its_key_is_refused(place: Place) -> None:
    secrets, queue, store = (place.client(one, "keyless") for one in ("secretsmanager", "sqs", "s3"))
    assert code(lambda: secrets.get_secret_value(SecretId="app/settings")) == ("AccessDeniedException", 400)
    assert code(lambda: queue.send_message(QueueUrl=URL, MessageBody="x")) == ("AccessDeniedException", 400)
    assert code(lambda: store.put_object(Bucket="media", Key="k", Body=b"x")) == ("AccessDenied", 403)
    assert any("kms:GenerateDataKey" in one.decision.reason for one in place.audit.refused())


def test_the_refusal_says_what_is_missing(place: Place) -> None:
    with pytest.raises(ClientError, match=r"sqs:DeleteQueue on .*:jobs for role/full, because nothing of role/full"):
        place.client("sqs", "full").delete_queue(QueueUrl=URL)


def test_what_is_missing_is_told_to_who_may_list_only(place: Place) -> None:
    assert code(lambda: place.client("s3", "full").get_object(Bucket="media", Key="none")) == ("NoSuchKey", 404)
    assert code(lambda: place.client("s3", "blind").get_object(Bucket="media", Key="none")) == ("AccessDenied", 403)
    assert code(lambda: place.client("s3", "blind").head_object(Bucket="media", Key="none")) == ("403", 403)


def test_links_are_judged_as_who_made_them(place: Place) -> None:
    content, digest = b"picture", hashlib.sha256(b"picture").digest()
    checksum = base64.b64encode(digest).decode()
    bound = {"Bucket": "media", "Key": "p", "ChecksumAlgorithm": "SHA256", "ChecksumSHA256": checksum}

    def put(service_account: str, body: bytes) -> int:
        url = place.client("s3", service_account).generate_presigned_url("put_object", bound)
        headers = {"x-amz-checksum-sha256": checksum, "x-amz-sdk-checksum-algorithm": "SHA256"}
        return httpx.put(url, content=body, headers=headers).status_code

    assert put("full", content) == 200
    assert put("full", b"another") == 400, "moto would have taken it"
    assert put("keyless", content) == 403
    got = place.client("s3", "full").generate_presigned_url("get_object", {"Bucket": "media", "Key": "p"})
    assert httpx.get(got).content == content
    assert httpx.get(got + "0").status_code == 403
    assert httpx.get(f"{place.url}/media/p").status_code == 400


def test_another_region_and_an_unknown_call_are_refused(place: Place) -> None:
    away = place.client("secretsmanager", "full", region="eu-west-1")
    assert code(lambda: away.get_secret_value(SecretId="app/settings"))[0] == "AuthorizationHeaderMalformed"
    assert code(lambda: place.client("s3", "full").get_bucket_policy(Bucket="media")) == ("NotImplemented", 501)
    assert code(lambda: place.client("dynamodb", "full").list_tables())[0] == "NotImplemented"


def test_a_pod_gets_its_roles_credentials_for_its_token(place: Place) -> None:
    found = httpx.get(f"{place.identity}/v1/credentials", headers={"Authorization": "token of full"}).json()
    caller, _ = SESSIONS.read(found["AccessKeyId"], found["Token"], dt.datetime.now(dt.UTC))
    assert caller.role == "arn:aws:iam::123456789012:role/full" and found["AccountId"] == "123456789012"
    assert caller.context["aws:principaltag/kubernetes-pod-name"] == "full-1"
    for token in ("", "token of nobody", "another"):
        answer = httpx.get(f"{place.identity}/v1/credentials", headers={"Authorization": token})
        assert answer.status_code == 400


def test_a_role_that_does_not_trust_the_pods_cluster_is_not_handed_out(place: Place) -> None:
    agent = PodIdentity(place.judgement, place._identified, place.said.append)
    with pytest.raises(Denied, match="trust policy of full"):
        agent.session(Pod("another", "app", "full", "pod-1"))


def test_the_audit_tells_what_nothing_used(place: Place, account: Account) -> None:
    audit = Audit()
    judgement = Judgement(lambda: account, SESSIONS, audit)
    agent = PodIdentity(judgement, place._identified, place.said.append)
    caller = agent.session(Pod("school", "app", "blind", "pod-1"))
    judgement.check(caller, "s3:GetObject", f"{BUCKET}/k")
    with pytest.raises(Denied):
        judgement.check(caller, "sqs:SendMessage", QUEUE)
    blind = "arn:aws:iam::123456789012:role/blind"
    idle = {one.action for one in audit.unused({blind: account.roles[blind]})}
    assert idle == {"s3:PutObject", "s3:DeleteObject", "kms:Decrypt", "kms:GenerateDataKey"}
    assert [one.action for one in audit.refused()] == ["sqs:SendMessage"]
