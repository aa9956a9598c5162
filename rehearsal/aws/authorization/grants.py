"""Does a grant of a KMS key allow a request? KMS developer guide, "grants" and "grant constraints"."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from rehearsal.aws.authorization.caller import Request

_PAIR = "kms:encryptioncontext:"


@dataclass(frozen=True)
class Grant:
    """Operations on one key for one principal (ARN, or a service's name).

    equals: the encryption context must be exactly this; subset: must hold at least this; one of both or none.
    """

    key: str
    grantee: str
    operations: tuple[str, ...]  # such as Decrypt
    equals: Mapping[str, str] = field(default_factory=dict)
    subset: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """For people."""
        return f"a grant to {self.grantee}"


def granted(grants: tuple[Grant, ...], request: Request) -> Grant | None:
    """The first grant that allows it."""
    caller = request.caller
    given = {key.removeprefix(_PAIR): value for key, value in request.context.items() if key.startswith(_PAIR)}
    for grant in grants:
        if grant.key != request.resource or grant.grantee not in (caller.arn, caller.role):
            continue
        if request.action.lower() not in {f"kms:{operation.lower()}" for operation in grant.operations}:
            continue
        # Context keys have no case here, as in policies; the values do.
        equals, subset = ({key.lower(): value for key, value in one.items()} for one in (grant.equals, grant.subset))
        if (not equals or given == equals) and subset.items() <= given.items():
            return grant
    return None
