"""What does Route 53 refuse? Records that exist already, and canonical names where other records are."""

from rehearsal.answers import Refused
from rehearsal.aws.account.request import Request, Rule
from rehearsal.world import Row

_RECORD = "aws:route53/record:Record"


def record_exists(request: Request) -> Refused | None:
    """A second record of one name, type and set."""
    if request.inputs.get("allowOverwrite"):
        return None
    for other in _same_name(request):
        if all(other.inputs.get(name) == request.inputs.get(name) for name in ("type", "setIdentifier")):
            name, kind = request.inputs.get("name"), request.inputs.get("type")
            says = f"[Tried to create resource record set [name='{name}.', type='{kind}'] but it already exists]"
            return Refused("InvalidChangeBatch", says, "name")
    return None


def canonical_name_is_not_alone(request: Request) -> Refused | None:
    """A CNAME beside other records of its name, or at the top of its zone."""
    kind, name = request.inputs.get("type"), str(request.inputs.get("name", "")).rstrip(".").lower()
    zone = request.find(request.inputs.get("zoneId"))
    if kind == "CNAME" and zone is not None and name == str(zone.outputs.get("name")).rstrip(".").lower():
        says = f"[RRSet of type CNAME with DNS name {name}. is not permitted at apex in zone {name}.]"
        return Refused("InvalidChangeBatch", says, "type")
    for other in _same_name(request):
        if "CNAME" in (kind, other.inputs.get("type")) and other.inputs.get("type") != kind:
            says = (
                f"[RRSet of type {kind} with DNS name {name}. is not permitted "
                "because a conflicting RRSet of the same name already exists]"
            )
            return Refused("InvalidChangeBatch", says, "type")
    return None


def _same_name(request: Request) -> list[Row]:
    own = (request.inputs.get("zoneId"), str(request.inputs.get("name", "")).rstrip(".").lower())
    others = request.others(_RECORD, everywhere=True)
    return [one for one in others if (one.inputs.get("zoneId"), str(one.inputs.get("name")).rstrip(".").lower()) == own]


CHANGE: dict[str, tuple[Rule, ...]] = {_RECORD: (record_exists, canonical_name_is_not_alone)}
DELETION: dict[str, tuple[Rule, ...]] = {}
