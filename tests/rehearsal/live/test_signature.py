"""Does the region know who signed? What botocore signs is accepted; every change of it, and every other key, is not."""

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import replace

import boto3
import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials as BotoCredentials

from rehearsal.aws.authorization.caller import Caller
from rehearsal.live.stand_ins.aws.sessions import Credentials, CredentialsError, Sessions
from rehearsal.live.stand_ins.aws.signature import HttpRequest, Signed, verify, verify_token

HOUR = dt.timedelta(hours=1)
NO_TIME = dt.timedelta(0)
SESSIONS = Sessions(b"a key of this test")
CALLER = Caller.session("arn:aws:iam::123456789012:role/app", "one", {"team": "red"})
REGION = "us-east-1"


def credentials(caller: Caller = CALLER) -> Credentials:
    return SESSIONS.issue(caller, dt.datetime.now(dt.UTC) + HOUR)


def signed_at(date: str) -> dt.datetime:
    """Judged at the moment of signing, however long ago that was when a busy machine comes to it."""
    return dt.datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC)


def moment(request: HttpRequest) -> dt.datetime:
    return signed_at(request.query.get("X-Amz-Date") or request.headers["x-amz-date"])


def signed(
    service: str = "sqs",
    url: str = "https://sqs.us-east-1.amazonaws.com/",
    body: bytes = b'{"a": 1}',
    method: str = "POST",
) -> HttpRequest:
    own = credentials()
    request = AWSRequest(method, url, headers={"x-amz-target": "AmazonSQS.SendMessage"}, data=body)
    auth = S3SigV4Auth if service == "s3" else SigV4Auth
    auth(BotoCredentials(own.key_id, own.secret, own.token), service, REGION).add_auth(request)
    host, _, rest = url.removeprefix("https://").partition("/")
    headers = {"host": host, **{name.lower(): value for name, value in request.headers.items()}}
    return HttpRequest(method, f"/{rest}", headers, body)


def client(service: str, own: Credentials) -> "boto3.client":
    return boto3.client(
        service,
        region_name=REGION,
        aws_access_key_id=own.key_id,
        aws_secret_access_key=own.secret,
        aws_session_token=own.token,
        config=Config(signature_version="v4" if service != "s3" else "s3v4"),
    )


def linked(seconds: int = 60) -> HttpRequest:
    url: str = client("s3", credentials()).generate_presigned_url(
        "get_object", {"Bucket": "b", "Key": "folder/a file+ção"}, seconds
    )
    host, _, rest = url.removeprefix("https://").partition("/")
    return HttpRequest("GET", f"/{rest}", {"host": host})


def refusal(request: HttpRequest, after: dt.timedelta = NO_TIME, sessions: Sessions = SESSIONS) -> str:
    with pytest.raises(CredentialsError) as error:
        verify(request, sessions, moment(request) + after)
    return error.value.code


@pytest.mark.parametrize(
    "request_",
    [
        signed(),
        signed(body=b""),
        signed(url="https://sqs.us-east-1.amazonaws.com/a%20b/c?z=1&a=%2F&a=x"),
        signed(
            "s3", "https://b.s3.us-east-1.amazonaws.com/a%20b/%C3%A7?list-type=2&prefix=x%2Fy", method="GET", body=b""
        ),
        linked(),
    ],
    ids=["json", "empty", "path and query", "s3", "link"],
)
def test_what_botocore_signs_is_accepted(request_: HttpRequest) -> None:
    found = verify(request_, SESSIONS, moment(request_))
    assert found.caller == CALLER and found.region == REGION


def changed_header(request: HttpRequest, **changes: str) -> HttpRequest:
    names = {name.replace("_", "-"): value for name, value in changes.items()}
    return replace(request, headers={**request.headers, **names})


@pytest.mark.parametrize("request_", [signed(), linked()], ids=["header", "link"])
def test_whatever_was_signed_cannot_be_changed(request_: HttpRequest) -> None:
    assert refusal(replace(request_, method="DELETE")) == "SignatureDoesNotMatch"
    assert refusal(changed_header(request_, host="other.amazonaws.com")) == "SignatureDoesNotMatch"
    assert refusal(replace(request_, target=f"/x{request_.target}")) == "SignatureDoesNotMatch"
    more = "&" if "?" in request_.target else "?"
    assert refusal(replace(request_, target=f"{request_.target}{more}versionId=1")) == "SignatureDoesNotMatch"


def test_the_body_and_the_signed_headers_are_bound() -> None:
    assert refusal(replace(signed(), body=b"{}")) == "SignatureDoesNotMatch"
    assert refusal(changed_header(signed(), x_amz_target="AmazonSQS.DeleteQueue")) == "SignatureDoesNotMatch"
    upload = signed("s3", "https://b.s3.us-east-1.amazonaws.com/k", method="PUT")
    assert refusal(replace(upload, body=b"other")) == "XAmzContentSHA256Mismatch"


def test_only_the_one_key_and_token_belong_together() -> None:
    other = credentials(Caller.session("arn:aws:iam::123456789012:role/other"))
    assert refusal(changed_header(signed(), x_amz_security_token=other.token)) == "InvalidClientTokenId"
    assert refusal(changed_header(signed(), x_amz_security_token="")) == "InvalidClientTokenId"
    assert refusal(signed(), sessions=Sessions(b"another region's key")) == "InvalidClientTokenId"
    key = credentials().key_id
    forged = signed().headers["authorization"].replace(key, other.key_id)
    assert refusal(changed_header(signed(), authorization=forged)) == "InvalidClientTokenId"
    assert refusal(changed_header(signed(), authorization="")) == "MissingAuthenticationToken"


def test_time_is_kept() -> None:
    minutes = dt.timedelta(minutes=1)
    assert refusal(signed(), 16 * minutes) == "RequestTimeTooSkewed"
    assert refusal(signed(), -16 * minutes) == "RequestTimeTooSkewed"
    assert refusal(signed(), 61 * minutes) == "ExpiredToken"
    link = linked(60)
    assert verify(link, SESSIONS, moment(link) + dt.timedelta(seconds=59)).service == "s3"
    assert refusal(link, dt.timedelta(seconds=60)) == "AccessDenied"
    assert refusal(linked(604_801)) == "AuthorizationQueryParametersError"


def test_credentials_are_not_shown() -> None:
    own = credentials()
    assert own.secret not in repr(own) and own.token not in repr(own)


def database_token(user: str = "service") -> str:
    token: str = client("rds", credentials()).generate_db_auth_token("proxy.example.rds.amazonaws.com", 3306, user)
    return token


def read(token: str, service: str = "rds-db", after: dt.timedelta = NO_TIME) -> tuple[Signed, Mapping[str, str]]:
    (date,) = re.findall(r"X-Amz-Date=(\w+)", token)
    return verify_token(token, service, SESSIONS, signed_at(date) + after)


def test_a_database_token_is_read_for_its_user() -> None:
    found, asked = read(database_token())
    assert found.caller == CALLER and asked == {"Action": "connect", "DBUser": "service"}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"DBUser=service": "DBUser=admin"}, "SignatureDoesNotMatch"),
        ({"proxy.example": "other.example"}, "SignatureDoesNotMatch"),
        ({"X-Amz-Expires=900": "X-Amz-Expires=9000"}, "AuthorizationQueryParametersError"),
        ({"X-Amz-Signature=": "X-Amz-Signature=0"}, "SignatureDoesNotMatch"),
        ({"X-Amz-Credential=": "Y="}, "AuthorizationQueryParametersError"),
    ],
)
def test_a_changed_database_token_is_refused(change: Mapping[str, str], code: str) -> None:
    token = database_token()
    for old, new in change.items():
        assert old in token
        token = token.replace(old, new)
    with pytest.raises(CredentialsError) as error:
        read(token)
    assert error.value.code == code


def test_a_token_for_one_service_opens_no_other_and_ends() -> None:
    with pytest.raises(CredentialsError, match="is for rds-db, not elasticache"):
        read(database_token(), "elasticache")
    with pytest.raises(CredentialsError, match="expired"):
        read(database_token(), after=dt.timedelta(minutes=16))
