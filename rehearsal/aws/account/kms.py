"""What does KMS refuse, and what is refused because of a key? Names, replicas, and policies that lock people out."""

from rehearsal.answers import Refused
from rehearsal.aws.account.documents import statements
from rehearsal.aws.account.request import Request, Rule
from rehearsal.values import Value

_KEY = "aws:kms/key:Key"
_POLICY = "aws:kms/keyPolicy:KeyPolicy"
_REPLICA = "aws:kms/replicaKey:ReplicaKey"


def alias_is_reserved(request: Request) -> Refused | None:
    """An alias that looks like one of AWS's own."""
    if str(request.inputs.get("name", "")).startswith("alias/aws/"):
        return Refused("NotAuthorizedException", "Alias names that begin with alias/aws/ are reserved for AWS", "name")
    return None


def policy_locks_everybody_out(request: Request) -> Refused | None:
    """A key policy that lets nobody change it any more."""
    inputs = request.inputs
    if not inputs.get("policy") or inputs.get("bypassPolicyLockoutSafetyCheck"):
        return None
    for statement in statements(inputs["policy"]):
        actions = {str(one).lower() for one in _list(statement.get("Action"))}
        principal = statement.get("Principal")
        people = principal == "*" or (isinstance(principal, dict) and _list(principal.get("AWS")))
        may_change = actions & {"kms:*", "*", "kms:put*", "kms:putkeypolicy"} or "NotAction" in statement
        if statement.get("Effect") == "Allow" and people and may_change:
            return None
    says = "The new key policy will not allow you to update the key policy in the future."
    return Refused("MalformedPolicyDocumentException", says, "policy")


def primary_is_no_multi_region_key(request: Request) -> Refused | None:
    """A replica of a key for one region, or two replicas in one region."""
    arn = request.inputs.get("primaryKeyArn")
    primary = request.find(arn)
    if primary is not None and primary.token == _KEY and not primary.outputs.get("multiRegion"):
        return Refused("UnsupportedOperationException", f"{arn} is not a multi-Region primary key", "primaryKeyArn")
    if any(row.inputs.get("primaryKeyArn") == arn for row in request.others(_REPLICA)):
        says = f"The key {arn} already has a replica in {request.context.region}"
        return Refused("AlreadyExistsException", says, "primaryKeyArn")
    return None


def logs_may_not_use_the_key(request: Request) -> Refused | None:
    """A log group under a key of this world whose policy does not let CloudWatch Logs use it."""
    arn = request.inputs.get("kmsKeyId")
    key = request.find(arn)
    if key is None or key.token not in (_KEY, _REPLICA):
        return None
    separate = [row for row in request.inventory.rows(_POLICY) if row.inputs.get("keyId") in (key.id, arn)]
    documents = [row.outputs.get("policy") for row in (key, *separate)]
    if any(_is_for_logs(one) for document in documents for one in statements(document)):
        return None
    says = f"The specified KMS key does not exist or is not allowed to be used with {request.inputs.get('name')}: {arn}"
    return Refused("AccessDeniedException", says, "kmsKeyId")


def _is_for_logs(statement: dict[str, Value]) -> bool:
    principal = statement.get("Principal")
    services = _list(principal.get("Service")) if isinstance(principal, dict) else []
    people = [principal] if isinstance(principal, str) else _list(principal.get("AWS")) if principal else []
    named = any(str(one).startswith("logs.") for one in services)
    return statement.get("Effect") == "Allow" and (named or "*" in people)


def _list(value: Value) -> list[Value]:
    return value if isinstance(value, list) else [] if value is None else [value]


CHANGE: dict[str, tuple[Rule, ...]] = {
    "aws:kms/alias:Alias": (alias_is_reserved,),
    _KEY: (policy_locks_everybody_out,),
    _POLICY: (policy_locks_everybody_out,),
    _REPLICA: (policy_locks_everybody_out, primary_is_no_multi_region_key),
    "aws:cloudwatch/logGroup:LogGroup": (logs_may_not_use_the_key,),
}
DELETION: dict[str, tuple[Rule, ...]] = {}
