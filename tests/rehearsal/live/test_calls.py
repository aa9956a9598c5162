"""Is every request understood as the permissions that AWS asks for it?"""

import json
from typing import Any

import pytest

from rehearsal.aws.authorization.account import Account
from rehearsal.live.stand_ins.aws import calls
from rehearsal.live.stand_ins.aws.calls import UnknownCallError
from rehearsal.live.stand_ins.aws.signature import HttpRequest
from tests.rehearsal.live.conftest import BUCKET, KEY, QUEUE, SECRET

PATH = {"host": "s3.us-east-1.amazonaws.com"}
HOST = {"host": "media.s3.us-east-1.amazonaws.com"}
DELETE = b"<Delete><Object><Key>a</Key></Object><Object><Key>b/c</Key></Object></Delete>"
READ, WRITE, PARTS = ["kms:Decrypt"], ["kms:GenerateDataKey"], ["kms:GenerateDataKey", "kms:Decrypt"]

S3 = [
    ("GET", "/a/b", {}, b"", [f"s3:GetObject {BUCKET}/a/b"], READ),
    ("HEAD", "/a%20b", {}, b"", [f"s3:GetObject {BUCKET}/a b"], READ),
    ("GET", "/a?versionId=1", {}, b"", [f"s3:GetObjectVersion {BUCKET}/a"], READ),
    ("PUT", "/a", {}, b"x", [f"s3:PutObject {BUCKET}/a"], WRITE),
    ("PUT", "/a?X-Amz-Expires=5&X-Amz-Signature=1", {}, b"x", [f"s3:PutObject {BUCKET}/a"], WRITE),
    ("POST", "/a?uploads", {}, b"", [f"s3:PutObject {BUCKET}/a"], PARTS),
    ("PUT", "/a?partNumber=1&uploadId=u", {}, b"x", [f"s3:PutObject {BUCKET}/a"], PARTS),
    ("POST", "/a?uploadId=u", {}, b"", [f"s3:PutObject {BUCKET}/a"], PARTS),
    ("DELETE", "/a?uploadId=u", {}, b"", [f"s3:AbortMultipartUpload {BUCKET}/a"], []),
    ("DELETE", "/a", {}, b"", [f"s3:DeleteObject {BUCKET}/a"], []),
    ("DELETE", "/a?versionId=1", {}, b"", [f"s3:DeleteObjectVersion {BUCKET}/a"], []),
    ("POST", "/?delete", {}, DELETE, [f"s3:DeleteObject {BUCKET}/a", f"s3:DeleteObject {BUCKET}/b/c"], []),
    ("GET", "/?list-type=2&prefix=x", {}, b"", [f"s3:ListBucket {BUCKET}"], []),
    ("HEAD", "/", {}, b"", [f"s3:ListBucket {BUCKET}"], []),
    ("GET", "/?location", {}, b"", [f"s3:GetBucketLocation {BUCKET}"], []),
    ("GET", "/?versions", {}, b"", [f"s3:ListBucketVersions {BUCKET}"], []),
    (
        "PUT", "/a", {"x-amz-copy-source": "/media/other%20one"}, b"",
        [f"s3:PutObject {BUCKET}/a", f"s3:GetObject {BUCKET}/other one"], ["kms:GenerateDataKey", "kms:Decrypt"],
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", S3, ids=[f"{case[0]} {case[1]}" for case in S3])
def test_s3(account: Account, case: Any) -> None:
    method, target, headers, body, expected, keys = case
    for place, path in ((HOST, target), (PATH, f"/media{target}")):
        call = calls.of("s3", HttpRequest(method, path, {**place, **headers}, body), account)
        assert [f"{one.action} {one.resource}" for one in call.needs if one.resource != KEY] == expected
        found = [one for one in call.needs if one.resource == KEY]
        assert [one.action for one in found] == keys
        assert all(one.context["kms:ViaService"] == "s3.us-east-1.amazonaws.com" for one in found)
        assert all(one.context["kms:EncryptionContext:aws:s3:arn"] == BUCKET for one in found)


def test_what_may_not_be_known_is_asked_when_it_is_missing(account: Account) -> None:
    found = calls.of("s3", HttpRequest("HEAD", "/a", HOST), account).if_missing
    assert found is not None and (found.action, found.resource) == ("s3:ListBucket", BUCKET)


def test_a_listing_tells_its_prefix(account: Account) -> None:
    call = calls.of("s3", HttpRequest("GET", "/?list-type=2&prefix=a%2Fb&delimiter=/", HOST), account)
    assert call.needs[0].context == {"s3:prefix": "a/b", "s3:delimiter": "/"}


def told(target: str, **parameters: object) -> HttpRequest:
    return HttpRequest("POST", "/", {"x-amz-target": target}, json.dumps(parameters).encode())


@pytest.mark.parametrize("named", ["app/settings", SECRET, SECRET[:-7]])
def test_a_secret_is_known_by_name_and_by_arn(account: Account, named: str) -> None:
    call = calls.of("secretsmanager", told("secretsmanager.GetSecretValue", SecretId=named), account)
    assert [f"{one.action} {one.resource}" for one in call.needs] == [
        f"secretsmanager:GetSecretValue {SECRET}",
        f"kms:Decrypt {KEY}",
    ]
    assert json.loads(call.body or b"")["SecretId"] == "app/settings"


def test_a_secret_that_is_not_there_has_an_arn_that_only_a_pattern_covers(account: Account) -> None:
    call = calls.of("secretsmanager", told("secretsmanager.GetSecretValue", SecretId="other"), account)
    assert call.needs[0].resource.endswith(":secret:other-??????")


def test_queues_in_both_protocols(account: Account) -> None:
    url = "https://sqs.us-east-1.amazonaws.com/123456789012/jobs"
    sent = calls.of("sqs", told("AmazonSQS.SendMessageBatch", QueueUrl=url), account)
    assert [one.action for one in sent.needs] == ["sqs:SendMessage", "kms:GenerateDataKey", "kms:Decrypt"]
    form = HttpRequest("POST", "/", {}, b"Action=ReceiveMessage&QueueUrl=https%3A%2F%2Fsqs%2F1%2Fjobs")
    received = calls.of("sqs", form, account)
    assert [f"{one.action} {one.resource}" for one in received.needs] == [
        f"sqs:ReceiveMessage {QUEUE}",
        f"kms:Decrypt {KEY}",
    ]
    assert calls.of("sqs", told("AmazonSQS.GetQueueUrl", QueueName="jobs"), account).needs[0].resource == QUEUE
    assert calls.of("sqs", told("AmazonSQS.ListQueues"), account).needs[0].resource == "*"


def test_topics_keys_and_identities(account: Account) -> None:
    topic = "arn:aws:sns:us-east-1:123456789012:page"
    form = HttpRequest("POST", "/", {}, f"Action=Publish&TopicArn={topic}".encode())
    assert [f"{one.action} {one.resource}" for one in calls.of("sns", form, account).needs] == [f"sns:Publish {topic}"]
    decrypt = calls.of("kms", told("TrentService.Decrypt", KeyId="mrk-1", EncryptionContext={"a": "b"}), account)
    assert decrypt.needs[0].resource == KEY and decrypt.needs[0].context == {"kms:EncryptionContext:a": "b"}
    assert calls.of("sts", HttpRequest("POST", "/", {}, b"Action=GetCallerIdentity"), account).needs == ()
    taken = calls.of(
        "sts", HttpRequest("POST", "/", {}, b"Action=AssumeRole&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fx"), account
    )
    assert taken.needs[0].resource == "arn:aws:iam::1:role/x"


@pytest.mark.parametrize(
    ("service", "request_"),
    [
        ("dynamodb", told("DynamoDB_20120810.GetItem")),
        ("s3", HttpRequest("PUT", "/?policy", HOST)),
        ("s3", HttpRequest("GET", "/a?acl", HOST)),
        ("s3", HttpRequest("PUT", "/a?retention", HOST)),
        ("s3", HttpRequest("PATCH", "/a", HOST)),
        ("s3", HttpRequest("GET", "/", PATH)),
        ("secretsmanager", HttpRequest("POST", "/", {})),
        ("sns", HttpRequest("POST", "/", {})),
    ],
)
def test_what_is_not_understood_is_not_let_through(account: Account, service: str, request_: HttpRequest) -> None:
    with pytest.raises(UnknownCallError):
        calls.of(service, request_, account)
