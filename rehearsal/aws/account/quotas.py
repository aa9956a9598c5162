"""Does the account allow one more? The default quotas of a used account."""

from rehearsal.answers import Refused
from rehearsal.aws import given
from rehearsal.aws.account.request import Request, plain
from rehearsal.values import Value


def is_exhausted(request: Request) -> Refused | None:
    """A creation beyond a quota."""
    if request.row is not None or given.account() == "empty":
        return None
    for quota in given.facts()["quota"]:
        same = quota.get("where", {}) | {name: request.inputs.get(name) for name in quota.get("per", ())}
        if quota["of"] != plain(request.token) or not quota.get("where", {}).items() <= request.inputs.items():
            continue
        others = request.others(request.token, everywhere=quota.get("everywhere", False))
        counted = [row.inputs for row in others if all(row.inputs.get(name) == value for name, value in same.items())]
        weighing = quota.get("weights")
        if sum(_weight(one.get(weighing)) for one in (*counted, request.inputs)) > quota["limit"]:
            says = f"{request.words(quota['says'])} (quota: {quota['limit']}; source: {quota['source']})"
            return Refused(quota["code"], says)
    return None


def _weight(prefix_list: Value) -> int:
    """What a rule counts: one, or as many as the entries of the prefix list that it names."""
    facts = given.facts()
    return int(facts["prefix_list_weights"].get(facts["prefix_list_ids"].get(prefix_list), 1))
