"""Was this request signed by who it says, and just now? Signature version 4 in headers, links and connection tokens.

IAM user guide, "create a signed AWS API request"; S3 API reference, "authenticating requests: using query parameters".
"""

import datetime as dt
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, urlsplit

from rehearsal.aws.authorization.caller import Caller
from rehearsal.live.stand_ins.aws.sessions import CredentialsError, Sessions

SKEW = dt.timedelta(minutes=15)  # how far a client's clock may be off
LONGEST_LINK, LONGEST_TOKEN = 604_800, 900  # seconds: a presigned URL; a token for a database or a cache
_FORM = "%Y%m%dT%H%M%SZ"
_EMPTY = hashlib.sha256(b"").hexdigest()
_PARTS = re.compile(r"(Credential|SignedHeaders|Signature)=([^,\s]+)")


@dataclass(frozen=True)
class HttpRequest:
    """A request as it arrived: raw path with its query, header names in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b""
    query: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        """Read the query once."""
        pairs = parse_qsl(self.target.partition("?")[2], keep_blank_values=True)
        object.__setattr__(self, "query", dict(pairs))

    @property
    def path(self) -> str:
        """The raw path."""
        return self.target.partition("?")[0]


@dataclass(frozen=True)
class Signed:
    """Whose request it is, and for which service and region they signed it."""

    caller: Caller
    service: str
    region: str


@dataclass(frozen=True)
class _Claim:
    scope: str
    headers: Sequence[str]
    signature: str
    date: str
    token: str
    payload: str
    seconds: int | None = None  # a link's life


def verify(request: HttpRequest, sessions: Sessions, now: dt.datetime) -> Signed:
    """The signer of a request. Raises CredentialsError with AWS's code."""
    linked = "X-Amz-Signature" in request.query
    claim = _of_link(request.query) if linked else _of_headers(request)
    if re.fullmatch(r"[0-9a-f]{64}", claim.payload) and claim.payload != hashlib.sha256(request.body).hexdigest():
        raise CredentialsError("XAmzContentSHA256Mismatch", "The body is not the one that was signed")
    return _verified(request, claim, sessions, now)


def verify_token(token: str, service: str, sessions: Sessions, now: dt.datetime) -> tuple[Signed, Mapping[str, str]]:
    """The signer of a token for a database or a cache (a link without its scheme), and what it asks for."""
    parts = urlsplit(f"https://{token}")
    request = HttpRequest("GET", f"{parts.path or '/'}?{parts.query}", {"host": parts.netloc})
    claim = _of_link(request.query, payload=_EMPTY)
    signed = _verified(request, claim, sessions, now, longest=LONGEST_TOKEN)
    if signed.service != service:
        raise CredentialsError("InvalidClientTokenId", f"the token is for {signed.service}, not {service}")
    return signed, {name: value for name, value in request.query.items() if not name.startswith("X-Amz-")}


def _of_link(query: Mapping[str, str], payload: str = "UNSIGNED-PAYLOAD") -> _Claim:
    try:
        return _Claim(
            scope=query["X-Amz-Credential"],
            headers=query["X-Amz-SignedHeaders"].split(";"),
            signature=query["X-Amz-Signature"],
            date=query["X-Amz-Date"],
            token=query.get("X-Amz-Security-Token", ""),
            payload=payload,
            seconds=int(query["X-Amz-Expires"]),
        )
    except (KeyError, ValueError) as error:
        raise CredentialsError("AuthorizationQueryParametersError", f"not a presigned request: {error}") from None


def _of_headers(request: HttpRequest) -> _Claim:
    found = dict(_PARTS.findall(request.headers.get("authorization", "")))
    if len(found) != 3:
        raise CredentialsError("MissingAuthenticationToken", "Request is missing Authentication Token")
    return _Claim(
        scope=found["Credential"],
        headers=found["SignedHeaders"].split(";"),
        signature=found["Signature"],
        date=request.headers.get("x-amz-date", ""),
        token=request.headers.get("x-amz-security-token", ""),
        payload=request.headers.get("x-amz-content-sha256") or hashlib.sha256(request.body).hexdigest(),
    )


def _verified(
    request: HttpRequest, claim: _Claim, sessions: Sessions, now: dt.datetime, longest: int = LONGEST_LINK
) -> Signed:
    try:
        key_id, day, region, service, last = claim.scope.split("/")
        signed_at = dt.datetime.strptime(claim.date, _FORM).replace(tzinfo=dt.UTC)
    except ValueError:
        raise CredentialsError("IncompleteSignature", "credential scope or date is malformed") from None
    caller, secret = sessions.read(key_id, claim.token, now)
    if last != "aws4_request" or not claim.date.startswith(day) or "host" not in claim.headers:
        raise CredentialsError("SignatureDoesNotMatch", "credential scope, date and signed headers do not fit")
    _in_time(claim, signed_at, now, longest)
    canonical = _canonical(request, claim, service)
    text = "\n".join(
        ["AWS4-HMAC-SHA256", claim.date, claim.scope.partition("/")[2], hashlib.sha256(canonical.encode()).hexdigest()]
    )
    key = f"AWS4{secret}".encode()
    for part in (day, region, service, last, text):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    if not hmac.compare_digest(key.hex(), claim.signature):
        told = "The request signature we calculated does not match the signature you provided"
        raise CredentialsError("SignatureDoesNotMatch", told)
    return Signed(caller, service, region)


def _in_time(claim: _Claim, signed_at: dt.datetime, now: dt.datetime, longest: int) -> None:
    if claim.seconds is None:
        if abs(now - signed_at) > SKEW:
            raise CredentialsError("RequestTimeTooSkewed", "The request was signed at another time than now")
        return
    if not 0 < claim.seconds <= longest:
        raise CredentialsError("AuthorizationQueryParametersError", f"X-Amz-Expires must be 1 to {longest} seconds")
    if not signed_at - SKEW <= now < signed_at + dt.timedelta(seconds=claim.seconds):
        raise CredentialsError("AccessDenied", "Request has expired")


def _canonical(request: HttpRequest, claim: _Claim, service: str) -> str:
    # S3 signs the path as it is sent; the other services encode it once more.
    path = request.path if service == "s3" else quote(request.path, safe="/-_.~")
    pairs = parse_qsl(request.target.partition("?")[2], keep_blank_values=True)
    encoded = sorted(
        (quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in pairs if name != "X-Amz-Signature"
    )
    return "\n".join(
        [
            request.method,
            path or "/",
            "&".join(f"{name}={value}" for name, value in encoded),
            *(f"{name}:{' '.join(request.headers.get(name, '').split())}" for name in claim.headers),
            "",
            ";".join(claim.headers),
            claim.payload,
        ]
    )
