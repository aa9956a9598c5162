"""Which rules are the same for many types? Names that exist once, objects in use, protection, networks, zones, keys."""

import functools
import tomllib
from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Any

from rehearsal.answers import Refused
from rehearsal.aws.account.request import Request, every, plain
from rehearsal.values import Value

_SUBNET = "aws:ec2/subnet:Subnet"


@functools.cache
def _rules() -> Mapping[str, Any]:
    return tomllib.loads(resources.files("rehearsal.aws.account").joinpath("rules.toml").read_text())


def is_taken(request: Request) -> Refused | None:
    """A name that another object has already."""
    rule = _rules()["unique"].get(plain(request.token))
    if rule is None:
        return None
    own = {name: request.inputs.get(name) for name in rule["of"]}
    if own and all(value is None for value in own.values()):
        return None
    plain_own = {name: value for name, value in own.items() if isinstance(value, str | int)}
    for row in request.others(request.token, everywhere=rule.get("everywhere", False), **plain_own):
        if all(row.inputs.get(name) == value for name, value in own.items()):
            says = request.words(rule["says"], taken=row.outputs.get("name", row.id))
            return Refused(rule["code"], says, rule["of"][0] if rule["of"] else None)
    return None


def is_in_use(request: Request) -> Refused | None:
    """A deletion of what another object still needs."""
    row = request.row
    if row is None:
        return None
    called = (row.id, *(row.outputs.get(name) for name in ("arn", "name", "bucket")))
    names = {name for name in called if isinstance(name, str)}
    for rule in _rules()["in_use"]:
        if rule["of"] != plain(request.token) or (rule.get("unless") and row.outputs.get(rule["unless"])):
            continue
        for token, path in rule["by"]:
            for user in request.inventory.rows(token):
                if names.intersection(one for one in every(user.outputs, path) if isinstance(one, str)):
                    says = request.words(rule["says"], user=f"{token.rpartition(':')[2]} {user.id}")
                    return Refused(rule["code"], says)
    return None


def is_protected(request: Request) -> Refused | None:
    """A deletion of what its own settings protect."""
    rule = _rules()["protected"].get(plain(request.token))
    if rule is None or request.row is None or request.row.outputs.get(rule["property"]) != rule.get("when", True):
        return None
    return Refused(rule["code"], request.words(rule["says"]), rule["property"])


def is_split_over_networks(request: Request) -> Refused | None:
    """Subnets, security groups and route tables of one object that lie in different VPCs."""
    rule = _rules()["network"].get(plain(request.token))
    if rule is None:
        return None
    networks: dict[str, str] = {}
    for kind in ("subnets", "subnet", "groups", "table", "tables"):
        for id in request.every(rule[kind]) if kind in rule else ():
            member = request.find(id)
            if member is not None and isinstance(member.outputs.get("vpcId"), str):
                networks[member.outputs["vpcId"]] = str(id)
    own = request.inputs.get(rule.get("vpc", ""))
    if isinstance(own, str):
        networks.setdefault(own, "it")
    if len(networks) < 2:
        return None
    listed = ", ".join(f"{member} is in {network}" for network, member in sorted(networks.items()))
    return Refused(
        rule["code"], request.words(rule["says"], networks=listed), rule.get("subnets") or rule.get("groups")
    )


def covers_too_few_zones(request: Request) -> Refused | None:
    """Subnets, all of them known, that lie in one zone where two are needed."""
    rule = _rules()["zones"].get(plain(request.token))
    if rule is None or any(request.inputs.get(name) in values for name, values in rule.get("unless", {}).items()):
        return None
    ids = request.every(rule["subnets"])
    zones = {row.outputs.get("availabilityZone") for row in map(request.find, ids) if row and row.token == _SUBNET}
    known = all(request.find(id) is not None for id in ids)
    if not ids or not known or len(zones) != 1:
        return None
    return Refused(rule["code"], request.words(rule["says"], zones=", ".join(map(str, zones))), rule["subnets"])


def has_key_of_another_region(request: Request) -> Refused | None:
    """A KMS key by an ARN of another region than that of what it shall encrypt."""
    path, code = _rules()["key"].get(plain(request.token), ("", ""))
    for key in request.every(path) if path else ():
        region = _region(key)
        if region and region != request.context.region:
            says = f"The specified KMS key {key} is in {region}, but must be in {request.context.region}"
            return Refused(code, says, path)
    return None


def _region(arn: Value) -> str | None:
    parts = arn.split(":") if isinstance(arn, str) else []
    return parts[3] if len(parts) > 5 and parts[0] == "arn" else None


def tokens() -> Iterator[tuple[str, str]]:
    """(type, path of a property) of everything the shared rules name, for a test to compare with the SDK."""
    rules = _rules()
    for token, rule in rules["unique"].items():
        yield from ((token, name) for name in rule["of"])
    for rule in rules["in_use"]:
        yield from ((token, path) for token, path in rule["by"])
        yield from ((rule["of"], rule[name]) for name in ("unless",) if name in rule)
    for token, rule in rules["protected"].items():
        yield token, rule["property"]
    for table in ("network", "zones"):
        for token, rule in rules[table].items():
            kinds = ("subnets", "subnet", "groups", "table", "tables", "vpc")
            yield from ((token, rule[kind]) for kind in kinds if kind in rule)
    for token, (path, _) in rules["key"].items():
        yield token, path
