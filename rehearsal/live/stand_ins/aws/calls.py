"""Which permissions does an HTTP request to AWS need? Its action on its resource, and what the service does with keys.

Service authorization reference (actions and resources of S3, SQS, SNS, Secrets Manager, KMS, STS); KMS developer guide,
"how AWS services use KMS"; S3 user guide, "required permissions for S3 API operations". A batch needs its single form.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote

from rehearsal.aws.authorization.account import Account
from rehearsal.aws.authorization.matching import Context, Value
from rehearsal.live.stand_ins.aws.signature import HttpRequest


class UnknownCallError(Exception):
    """A call that this stand-in does not know: it is refused rather than let through unjudged."""


@dataclass(frozen=True)
class Need:
    """One permission that a call takes."""

    action: str
    resource: str
    context: Context = field(default_factory=dict)


@dataclass(frozen=True)
class Call:
    """A call and what it needs.

    if_missing: needed to be told that it is not there, as S3 does. body: what the store is asked instead.
    """

    operation: str
    needs: tuple[Need, ...]
    if_missing: Need | None = None
    body: bytes | None = None


# What a service does with the key of what is stored there; by operation.
KEY_USE: Mapping[str, tuple[str, ...]] = {
    "secretsmanager:GetSecretValue": ("Decrypt",),
    "secretsmanager:PutSecretValue": ("GenerateDataKey", "Decrypt"),
    "sqs:SendMessage": ("GenerateDataKey", "Decrypt"),
    "sqs:ReceiveMessage": ("Decrypt",),
    "sns:Publish": ("GenerateDataKey", "Decrypt"),
    "s3:GetObject": ("Decrypt",),
    "s3:PutObject": ("GenerateDataKey",),
    "s3:MultipartUpload": ("GenerateDataKey", "Decrypt"),
}


def of(service: str, request: HttpRequest, account: Account) -> Call:
    """What a signed request asks for. Raises UnknownCallError."""
    reader = _READERS.get(service)
    if reader is None:
        raise UnknownCallError(f"no stand-in for {service}")
    return reader(request, account)


def key_needs(operation: str, service: str, stored: str, account: Account, pair: tuple[str, str]) -> Iterator[Need]:
    """The key permissions that an operation on something stored takes from its caller; `pair` of encryption context."""
    key = account.encrypted.get(stored)
    for action in KEY_USE.get(operation, ()) if key else ():
        known: dict[str, Value] = {
            "kms:ViaService": f"{service}.{account.region}.amazonaws.com",
            "kms:CallerAccount": account.number,
            f"kms:EncryptionContext:{pair[0]}": pair[1],
            "kms:EncryptionContextKeys": (pair[0],),
        }
        yield Need(f"kms:{action}", str(key), known)


def secret_arn(named: str, account: Account) -> str:
    """The ARN of a secret that was asked for by name, or by ARN with or without its six letters."""
    for arn in account.secrets:
        if named in (arn, arn[:-7], arn.partition(":secret:")[2][:-7]):
            return arn
    return named if named.startswith("arn:") else _arn(account, "secretsmanager", f"secret:{named}-??????")


def _secretsmanager(request: HttpRequest, account: Account) -> Call:
    operation, parameters = _json_call(request)
    arn = secret_arn(str(parameters.get("SecretId", parameters.get("Name", ""))), account)
    action = f"secretsmanager:{operation}"
    keys = key_needs(action, "secretsmanager", arn, account, ("SecretARN", arn))
    # The store makes up the six letters at the end of an ARN by itself: it is asked by name.
    named = {**parameters, "SecretId": arn.partition(":secret:")[2][:-7]} if arn in account.secrets else parameters
    return Call(action, (Need(action, arn), *keys), body=json.dumps(named).encode())


def _sqs(request: HttpRequest, account: Account) -> Call:
    operation, parameters = _json_call(request) if "x-amz-target" in request.headers else _form_call(request)
    name = str(parameters.get("QueueUrl", parameters.get("QueueName", ""))).rpartition("/")[2]
    arn = _arn(account, "sqs", name) if name else "*"
    action = f"sqs:{operation.removesuffix('Batch')}"
    return Call(action, (Need(action, arn), *key_needs(action, "sqs", arn, account, ("aws:sqs:arn", arn))))


def _sns(request: HttpRequest, account: Account) -> Call:
    operation, parameters = _form_call(request)
    arn, action = str(parameters.get("TopicArn", "*")), f"sns:{operation.removesuffix('Batch')}"
    return Call(action, (Need(action, arn), *key_needs(action, "sns", arn, account, ("aws:sns:topicArn", arn))))


def _kms(request: HttpRequest, account: Account) -> Call:
    operation, parameters = _json_call(request)
    key = str(parameters.get("KeyId", "*"))
    arn = key if key == "*" or key.startswith("arn:") else _arn(account, "kms", f"key/{key}")
    pairs = parameters.get("EncryptionContext")
    known = {
        f"kms:EncryptionContext:{name}": value for name, value in (pairs if isinstance(pairs, dict) else {}).items()
    }
    return Call(f"kms:{operation}", (Need(f"kms:{operation}", arn, known),))


def _sts(request: HttpRequest, _: Account) -> Call:
    operation, parameters = _form_call(request)
    action = f"sts:{operation}"
    if operation == "GetCallerIdentity":  # needs no permission; a deny does not stop it
        return Call(action, ())
    return Call(action, (Need(action, str(parameters.get("RoleArn", "*"))),))


_OBJECT = {  # method and the part of the query that decides: operation, action
    ("GET", "uploadId"): ("ListParts", "ListMultipartUploadParts"),
    ("GET", "tagging"): ("GetObjectTagging", "GetObjectTagging"),
    ("PUT", "tagging"): ("PutObjectTagging", "PutObjectTagging"),
    ("GET", "versionId"): ("GetObject", "GetObjectVersion"),
    ("HEAD", "versionId"): ("GetObject", "GetObjectVersion"),
    ("DELETE", "versionId"): ("DeleteObject", "DeleteObjectVersion"),
    ("DELETE", "uploadId"): ("AbortMultipartUpload", "AbortMultipartUpload"),
    ("POST", "uploads"): ("MultipartUpload", "PutObject"),
    ("POST", "uploadId"): ("MultipartUpload", "PutObject"),
    ("PUT", "uploadId"): ("MultipartUpload", "PutObject"),
    ("GET", ""): ("GetObject", "GetObject"),
    ("HEAD", ""): ("GetObject", "GetObject"),
    ("PUT", ""): ("PutObject", "PutObject"),
    ("DELETE", ""): ("DeleteObject", "DeleteObject"),
}
_BUCKET = {
    ("GET", "location"): "GetBucketLocation",
    ("GET", "versions"): "ListBucketVersions",
    ("GET", "uploads"): "ListBucketMultipartUploads",
    ("GET", ""): "ListBucket",
    ("HEAD", ""): "ListBucket",
}
_SUBRESOURCE = re.compile(
    "acl|attributes|cors|delete|encryption|legal-hold|lifecycle|location|policy|restore|retention|tagging|uploadId"
    "|uploads|versionId|versioning|versions"
)


def _s3(request: HttpRequest, account: Account) -> Call:
    bucket, key = _place(request)
    arn = f"arn:aws:s3:::{bucket}"
    decisive = [name for name in request.query if _SUBRESOURCE.fullmatch(name)]
    if not key:
        return _bucket(request, arn, decisive)
    found = next((_OBJECT[request.method, one] for one in [*decisive, ""] if (request.method, one) in _OBJECT), None)
    if found is None or (decisive and found[0] in ("GetObject", "PutObject") and "versionId" not in decisive):
        raise UnknownCallError(f"s3: {request.method} of an object with {', '.join(decisive) or 'no parameter'}")
    operation, action = found
    needs = [Need(f"s3:{action}", f"{arn}/{key}"), *_object_keys(operation, f"{arn}/{key}", account)]
    if source := request.headers.get("x-amz-copy-source"):
        other = f"arn:aws:s3:::{unquote(source).lstrip('/').partition('?')[0]}"
        needs += [Need("s3:GetObject", other), *_object_keys("GetObject", other, account)]
    listing = Need("s3:ListBucket", arn) if operation == "GetObject" else None
    return Call(f"s3:{operation}", tuple(needs), listing)


def _bucket(request: HttpRequest, arn: str, decisive: list[str]) -> Call:
    if request.method == "POST" and "delete" in decisive:
        keys = re.findall(r"<Key>([^<]*)</Key>", request.body.decode())
        return Call("s3:DeleteObjects", tuple(Need("s3:DeleteObject", f"{arn}/{key}") for key in keys))
    named = decisive[0] if decisive else ""
    if (request.method, named) not in _BUCKET or not arn.removeprefix("arn:aws:s3:::"):
        raise UnknownCallError(f"s3: {request.method} of a bucket with {named or 'no parameter'}")
    action = f"s3:{_BUCKET[request.method, named]}"
    known = {f"s3:{name}": request.query[name] for name in ("prefix", "delimiter", "max-keys") if name in request.query}
    return Call(action, (Need(action, arn, known),))


def _object_keys(operation: str, arn: str, account: Account) -> Iterator[Need]:
    bucket = arn.partition("/")[0]
    return key_needs(f"s3:{operation}", "s3", bucket, account, ("aws:s3:arn", bucket))


def _place(request: HttpRequest) -> tuple[str, str]:
    """Bucket and key, from the host's name or from the path."""
    host, path = request.headers.get("host", "").partition(":")[0], unquote(request.path).lstrip("/")
    bucket, dot, _ = host.partition(".s3")
    if dot:
        return bucket, path
    bucket, _, key = path.partition("/")
    return bucket, key


def _json_call(request: HttpRequest) -> tuple[str, Mapping[str, object]]:
    operation = request.headers.get("x-amz-target", "").rpartition(".")[2]
    if not operation:
        raise UnknownCallError("the request names no operation (X-Amz-Target)")
    parameters = json.loads(request.body or b"{}")
    return operation, parameters if isinstance(parameters, dict) else {}


def _form_call(request: HttpRequest) -> tuple[str, Mapping[str, object]]:
    parameters: dict[str, object] = {**request.query, **dict(parse_qsl(request.body.decode()))}
    if "Action" not in parameters:
        raise UnknownCallError("the request names no operation (Action)")
    return str(parameters["Action"]), parameters


def _arn(account: Account, service: str, resource: str) -> str:
    return f"arn:aws:{service}:{account.region}:{account.number}:{resource}"


_READERS: dict[str, Callable[[HttpRequest, Account], Call]] = {
    "secretsmanager": _secretsmanager,
    "sqs": _sqs,
    "sns": _sns,
    "kms": _kms,
    "sts": _sts,
    "s3": _s3,
}
