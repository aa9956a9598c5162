"""What does AWS refuse of a policy document? One that does not parse, lacks a part, or is too long."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rehearsal.answers import Refused
from rehearsal.aws.account.request import Request, Rule
from rehearsal.values import Value

_ROLE = "aws:iam/role:Role"
_INLINE = "aws:iam/rolePolicy:RolePolicy"
_ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
_VERSIONS = ("2012-10-17", "2008-10-17")
_ELEMENTS = frozenset(
    ("Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition")
)


@dataclass(frozen=True)
class Place:
    """Where a document goes: its property, the service's error code, what its statements need, its longest text.

    `longest` counts characters without white space (IAM quotas); 0 is no limit of its own.
    """

    property: str
    code: str
    kind: str
    longest: int = 0


_PLACES = {
    _ROLE: Place("assumeRolePolicy", "MalformedPolicyDocument", "trust", 2048),
    _INLINE: Place("policy", "MalformedPolicyDocument", "identity"),
    "aws:iam/policy:Policy": Place("policy", "MalformedPolicyDocument", "identity", 6144),
    "aws:iam/userPolicy:UserPolicy": Place("policy", "MalformedPolicyDocument", "identity", 2048),
    "aws:iam/groupPolicy:GroupPolicy": Place("policy", "MalformedPolicyDocument", "identity", 5120),
    "aws:s3/bucketPolicy:BucketPolicy": Place("policy", "MalformedPolicy", "resource", 20480),
    "aws:kms/key:Key": Place("policy", "MalformedPolicyDocumentException", "resource", 32768),
    "aws:kms/replicaKey:ReplicaKey": Place("policy", "MalformedPolicyDocumentException", "resource", 32768),
    "aws:kms/keyPolicy:KeyPolicy": Place("policy", "MalformedPolicyDocumentException", "resource", 32768),
    "aws:sqs/queuePolicy:QueuePolicy": Place("policy", "InvalidAttributeValue", "resource"),
    "aws:sns/topicPolicy:TopicPolicy": Place("policy", "InvalidParameter", "resource"),
    "aws:secretsmanager/secretPolicy:SecretPolicy": Place("policy", "MalformedPolicyDocumentException", "resource"),
    "aws:ecr/repositoryPolicy:RepositoryPolicy": Place("policy", "InvalidParameterException", "repository"),
    "aws:backup/vaultPolicy:VaultPolicy": Place("policy", "InvalidParameterValueException", "resource"),
    "aws:ec2/vpcEndpoint:VpcEndpoint": Place("policy", "InvalidPolicyDocument", "resource"),
}
_NEEDED = {
    "identity": (("Action", "NotAction"), ("Resource", "NotResource")),
    "trust": (("Action", "NotAction"), ("Principal", "NotPrincipal")),
    "resource": (("Action", "NotAction"), ("Resource", "NotResource"), ("Principal", "NotPrincipal")),
    "repository": (("Action", "NotAction"), ("Principal", "NotPrincipal")),
}
_FORBIDDEN = {"identity": ("Principal", "NotPrincipal"), "trust": ("Resource", "NotResource")}


def document_is_malformed(request: Request) -> Refused | None:
    """A document that is no policy, or lacks what its place needs."""
    place = _PLACES[request.token]
    text = request.inputs.get(place.property)
    if not isinstance(text, str) or text == "":
        return None
    wrong = _fault(text, place.kind)
    return Refused(place.code, wrong, place.property) if wrong else None


def document_is_too_long(request: Request) -> Refused | None:
    """A document longer than its place holds."""
    place = _PLACES[request.token]
    length = _length(request.inputs.get(place.property))
    if not place.longest or length <= place.longest:
        return None
    quota = "ACLSizePerRole" if place.kind == "trust" else "PolicySize"
    says = f"Cannot exceed quota for {quota}: {place.longest} (the document has {length} characters)"
    return Refused("LimitExceeded" if request.token.startswith("aws:iam/") else place.code, says, place.property)


def role_holds_too_much(request: Request) -> Refused | None:
    """Inline policies of one role that are too long together: 10,240 characters (IAM quotas)."""
    role = request.inputs.get("role")
    others = [row.inputs.get("policy") for row in request.others(_INLINE) if row.inputs.get("role") == role]
    length = sum(_length(text) for text in (*others, request.inputs.get("policy")))
    if length <= 10240:
        return None
    says = f"Maximum policy size of 10240 bytes exceeded for role {role} (all its inline policies have {length})"
    return Refused("LimitExceeded", says, "policy")


def role_has_too_many_policies(request: Request) -> Refused | None:
    """More managed policies than a role may have: 10 (IAM's default quota)."""
    role = request.inputs.get("role")
    attached = [row for row in request.others(_ATTACHMENT, everywhere=True) if row.inputs.get("role") == role]
    if len(attached) < 10:
        return None
    return Refused("LimitExceeded", f"Cannot exceed quota for PoliciesPerRole: 10 (role {role})", "policyArn")


def statements(document: Value) -> list[dict[str, Any]]:
    """The statements of a policy document in text; none when it is no policy."""
    try:
        parsed = json.loads(document) if isinstance(document, str) else None
    except ValueError:
        return []
    found = parsed.get("Statement", []) if isinstance(parsed, dict) else []
    return [one for one in (found if isinstance(found, list) else [found]) if isinstance(one, dict)]


def _fault(text: str, kind: str) -> str | None:
    try:
        document = json.loads(text)
    except ValueError as error:
        return f"Syntax errors in policy: it is no JSON ({getattr(error, 'msg', 'unreadable')})"
    except RecursionError:
        return "Syntax errors in policy: nested too deeply"
    if not isinstance(document, dict):
        return "Syntax errors in policy: a document is a JSON object"
    if document.get("Version", _VERSIONS[0]) not in _VERSIONS:
        return f"The policy must contain a valid version string: one of {', '.join(_VERSIONS)}"
    if not document.get("Statement"):
        return "Syntax errors in policy: Statement is missing"
    rows = document["Statement"] if isinstance(document["Statement"], list) else [document["Statement"]]
    return next(_statement_faults(rows, kind), None)


def _statement_faults(rows: list[Any], kind: str) -> Iterator[str]:
    ids = [row.get("Sid") for row in rows if isinstance(row, dict) and row.get("Sid")]
    if len(ids) != len(set(map(str, ids))):
        yield "Statement IDs (SID) in a single policy must be unique."
    for at, row in enumerate(rows):
        where = f"Statement[{at}]"
        if not isinstance(row, dict):
            yield f"Syntax errors in policy: {where} is no object"
            continue
        if unknown := sorted(row.keys() - _ELEMENTS):
            yield f"Syntax errors in policy: {where} has an unknown element: {', '.join(unknown)}"
        if row.get("Effect") not in ("Allow", "Deny"):
            yield f"Syntax errors in policy: {where}.Effect must be Allow or Deny"
        for pair in _NEEDED[kind]:
            if sum(name in row for name in pair) != 1:
                yield f"Policy statement must contain exactly one of {' and '.join(pair)}: {where}"
        if present := [name for name in _FORBIDDEN.get(kind, ()) if name in row]:
            yield f"Policy document should not specify a {present[0].lower()}: {where}"


def _length(text: Value) -> int:
    return len(re.sub(r"\s", "", text)) if isinstance(text, str) else 0


_BOTH: tuple[Rule, ...] = (document_is_malformed, document_is_too_long)
CHANGE: dict[str, tuple[Rule, ...]] = dict.fromkeys(_PLACES, _BOTH) | {
    _INLINE: (document_is_malformed, role_holds_too_much),
    _ATTACHMENT: (role_has_too_many_policies,),
}
DELETION: dict[str, tuple[Rule, ...]] = {}
