"""What does the account answer when a program asks? Where it is, what AWS has everywhere, and what the world holds."""

import functools
import re
import tomllib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

from rehearsal.answers import Refused
from rehearsal.aws import given, policy_document
from rehearsal.aws.context import Context
from rehearsal.aws.delegation import plain
from rehearsal.aws.identity import Dice
from rehearsal.aws.inventory import Inventory
from rehearsal.aws.zones import zone_id, zone_names
from rehearsal.values import Value, Values, at
from rehearsal.world import Row

_WORLDWIDE = frozenset({"cloudfront", "iam", "organizations", "route53"})
"""Services whose objects are the same in every region."""


@dataclass(frozen=True)
class Question:
    """A function call: its arguments, where it is asked, and the account (None before an engine named it)."""

    arguments: Values
    context: Context
    world: Inventory | None

    @property
    def dice(self) -> Dice:
        """What looks random in an answer, the same for the same question."""
        return Dice(repr((sorted(self.arguments.items(), key=repr), self.context.region, self.context.account)))


def answer(token: str, question: Question) -> Values:
    """The function's result. Raises Refused when there is none, or when the rehearsal does not know the function."""
    function = _FUNCTIONS.get(token)
    if function is not None:
        return function(question)
    return _from_the_world(token, question)


def _from_the_world(token: str, question: Question) -> Values:
    """A look-up of one object, by whatever the arguments say of it, among the account's own."""
    match = re.fullmatch(r"aws:(\w+)/get(\w+):get\w+", token)
    if match is None:
        raise Refused("UnknownFunction", f"the rehearsal does not answer {token}")
    module, name = match.groups()
    kind = f"aws:{module}/{name[:1].lower()}{name[1:]}:{name}"
    found, asked = _found(kind, question)
    if len(found) == 1 and asked:
        return {**found[0].outputs, **question.arguments, "id": found[0].id}
    what = f"{len(found)} objects match" if found and asked else "no such object in the rehearsal's world"
    says = f"{token} looks among what the account holds, and {what} ({', '.join(sorted(asked)) or 'no plain argument'})"
    raise Refused("NotFound", says)


def _hosted_zone(question: Question) -> Values:
    """A zone of the account by its id, or by its name among the public ones, or among the private ones."""
    asked, private = question.arguments, bool(question.arguments.get("privateZone"))
    rows = question.world.rows("aws:route53/zone:Zone") if question.world is not None else []
    found = [
        row
        for row in rows
        if row.id == asked.get("zoneId")
        or (plain(row.outputs.get("name")) == plain(asked.get("name", "")) and bool(row.outputs.get("vpcs")) is private)
    ]
    if len(found) != 1:
        problem = "multiple Route 53 Hosted Zones matched" if found else "no matching Route 53 Hosted Zone found"
        raise Refused("NotFound", f"{problem}: {plain(asked.get('name') or asked.get('zoneId'))}", "name")
    outputs = found[0].outputs
    known = {"callerReference": outputs.get("zoneId"), "linkedServicePrincipal": "", "linkedServiceDescription": ""}
    return {**outputs, **known, **asked, "id": found[0].id, "privateZone": bool(outputs.get("vpcs"))}


def _several(token: str) -> Callable[[Question], Values]:
    """A look-up of all objects of a type that the arguments fit: their ids."""

    def look_up(question: Question) -> Values:
        found, _ = _found(token, question)
        arns = {"arns": [row.outputs.get("arn") for row in found]}
        return {**question.arguments, **arns, "id": question.context.region, "ids": [row.id for row in found]}

    return look_up


def _found(kind: str, question: Question) -> tuple[list[Row], Mapping[str, Value]]:
    """The objects of a type of this region that fit plain arguments, tags and filters."""
    arguments = question.arguments
    plain = {
        key: [value] for key, value in arguments.items() if isinstance(value, str | int | bool) and key != "region"
    }
    tags = {f"tags.{key}": [value] for key, value in (arguments.get("tags") or {}).items()}
    filters = {_filtered(str(one["name"])): one.get("values") or [] for one in arguments.get("filters") or ()}
    asked = plain | tags | filters
    rows = question.world.rows(kind) if question.world is not None else []
    worldwide = kind.split(":")[1].split("/", maxsplit=1)[0] in _WORLDWIDE
    rows = [row for row in rows if worldwide or row.region == question.context.region]
    return [row for row in rows if _matches(row, asked)], asked


def _filtered(name: str) -> str:
    """The property that a filter of EC2's is about: `vpc-id` is vpcId, `tag:Name` a tag."""
    special: Mapping[str, str] = _constants()["filters"]
    if name.startswith("tag:"):
        return f"tags.{name.removeprefix('tag:')}"
    return special.get(name) or re.sub(r"-(\w)", lambda match: match[1].upper(), name)


def _matches(row: Row, asked: Mapping[str, Collection[Value]]) -> bool:
    own = row.token.rpartition(":")[2]
    ids = {"id", "arn", "name", f"{own[:1].lower()}{own[1:]}Id", f"{own[:1].lower()}{own[1:]}Name"}
    return all(
        bool(set(map(_text, values)) & {_text(_at(row, key)), *({row.id} if key in ids else ())})
        for key, values in asked.items()
    )


def _at(row: Row, key: str) -> Value:
    step, _, tag = key.partition(".")
    return at(row.outputs, (step, tag)) if tag else row.outputs.get(step)


def _text(value: Value) -> str:
    """Filters have texts for everything."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _caller_identity(question: Question) -> Values:
    here = question.context
    arn = f"arn:{here.partition}:sts::{here.account}:assumed-role/rehearsal/rehearsal"
    user = f"AROA{Dice(here.account).upper(17)}:rehearsal"
    return {"accountId": here.account, "arn": arn, "id": here.account, "userId": user}


def _region(question: Question) -> Values:
    region = question.context.region
    endpoint = f"ec2.{region}.{question.context.dns_suffix}"
    return {"region": region, "name": region, "id": region, "endpoint": endpoint, "description": region}


def _regions(question: Question) -> Values:
    names = _constants()["regions"].get(question.context.partition, [question.context.region])
    return {**question.arguments, "id": question.context.partition, "names": names}


def _partition(question: Question) -> Values:
    suffix = question.context.dns_suffix
    backwards = ".".join(reversed(suffix.split(".")))
    name = question.context.partition
    return {"id": name, "partition": name, "dnsSuffix": suffix, "reverseDnsPrefix": backwards}


def _availability_zones(question: Question) -> Values:
    region = question.context.region
    left_out = {*(question.arguments.get("excludeNames") or ()), *(question.arguments.get("excludeZoneIds") or ())}
    names = [name for name in zone_names(region) if not left_out & {name, zone_id(name)}]
    for one in question.arguments.get("filters") or ():
        values = set(one.get("values") or ())
        if one.get("name") == "zone-name":
            names = [name for name in names if name in values]
        elif one.get("name") == "zone-id":
            names = [name for name in names if zone_id(name) in values]
    ids = [zone_id(name) for name in names]
    return {
        **question.arguments,
        "id": region,
        "region": region,
        "names": names,
        "zoneIds": ids,
        "groupNames": [region],
    }


def _availability_zone(question: Question) -> Values:
    region = question.context.region
    asked = {question.arguments.get("name"), question.arguments.get("zoneId")} - {None}
    found = [name for name in zone_names(region) if asked & {name, zone_id(name)}]
    if len(found) != 1:
        raise Refused("InvalidParameterValue", f"{region} has no such availability zone", "name")
    name = found[0]
    facts = {"state": "available", "optInStatus": "opt-in-not-required", "zoneType": "availability-zone"}
    place = {
        "region": region,
        "groupName": region,
        "networkBorderGroup": region,
        "parentZoneId": "",
        "parentZoneName": "",
    }
    return {
        **question.arguments,
        **facts,
        **place,
        "id": name,
        "name": name,
        "zoneId": zone_id(name),
        "nameSuffix": name[-1],
    }


def _default_tags(question: Question) -> Values:
    return {"id": question.context.partition, "tags": dict(question.context.default_tags)}


def _service_principal(question: Question) -> Values:
    service = question.arguments.get("serviceName")
    name = f"{service}.amazonaws.com"
    region = question.context.region
    return {
        "id": f"{service}.{region}",
        "name": name,
        "region": region,
        "serviceName": service,
        "suffix": "amazonaws.com",
    }


def _policy_document(question: Question) -> Values:
    rendered = policy_document.render(question.arguments)
    return {**rendered, "id": str(int(Dice(rendered["json"]).hex(8), 16))}


def _parameter(question: Question) -> Values:
    """A parameter of the account, or one of AWS's public ones: an image's id, whatever its name says."""
    name = str(question.arguments.get("name"))
    rows = question.world.rows("aws:ssm/parameter:Parameter", name=name) if question.world is not None else []
    here = question.context
    arn = f"arn:{here.partition}:ssm:{here.region}:{here.account}:parameter/{name.lstrip('/')}"
    if rows:
        row = rows[0].outputs
        value = {"value": row.get("value", ""), "type": row.get("type", "String"), "arn": row.get("arn", arn)}
    elif name.startswith("/aws/service/"):
        value = {"value": f"ami-{question.dice.hex(17)}" if "ami" in name else "1", "type": "String", "arn": arn}
    else:
        raise Refused(
            "ParameterNotFound", f"{name} is none of the account's parameters and none of AWS's public ones", "name"
        )
    insecure = "" if value["type"] == "SecureString" else value["value"]
    return {**question.arguments, **value, "id": name, "insecureValue": insecure, "version": 1}


def _image(question: Question) -> Values:
    id = f"ami-{question.dice.hex(17)}"
    arn = f"arn:{question.context.partition}:ec2:{question.context.region}::image/{id}"
    facts = {"architecture": "x86_64", "rootDeviceName": "/dev/xvda", "state": "available", "virtualizationType": "hvm"}
    return {
        **question.arguments,
        **facts,
        "id": id,
        "imageId": id,
        "arn": arn,
        "ownerId": "137112412989",
        "name": "image",
    }


def _prefix_list(question: Question) -> Values:
    """AWS's own lists, such as com.amazonaws.global.cloudfront.origin-facing: an id, and no addresses."""
    known: Mapping[str, str] = given.facts()["prefix_list_ids"]
    name = question.arguments.get("name") or known.get(question.arguments.get("id", ""), "com.amazonaws.global")
    id = question.arguments.get("id") or f"pl-{Dice(f'{name}{question.context.region}').hex(8)}"
    arn = f"arn:{question.context.partition}:ec2:{question.context.region}:aws:prefix-list/{id}"
    facts = {
        "addressFamily": "IPv4",
        "entries": [],
        "maxEntries": given.facts()["prefix_list_weights"].get(name, 0),
        "ownerId": "AWS",
        "version": 1,
        "tags": {},
    }
    return {**question.arguments, **facts, "id": id, "name": name, "arn": arn}


def _balancer_account(question: Question) -> Values:
    region = question.context.region
    account = _constants()["elb_accounts"].get(region)
    if account is None:
        raise Refused(
            "InvalidParameterValue", f"Elastic Load Balancing has no account for {region}: use its service principal"
        )
    return {"id": account, "region": region, "arn": f"arn:{question.context.partition}:iam::{account}:root"}


def _managed_policy(table: str) -> Callable[[Question], Values]:
    def look_up(question: Question) -> Values:
        policies: Mapping[str, str] = _constants()[table]
        name, id = question.arguments.get("name"), question.arguments.get("id")
        found = [(one, other) for one, other in policies.items() if name == one or id == other]
        if not found:
            raise Refused("NoSuchPolicy", "CloudFront has no managed policy of this name", "name" if name else "id")
        name, id = found[0]
        kind = table.removeprefix("cloudfront_").replace("_", "-").removesuffix("ies") + "y"
        arn = f"arn:{question.context.partition}:cloudfront::{question.context.account}:{kind}/{id}"
        return {
            **question.arguments,
            "id": id,
            "name": name,
            "arn": arn,
            "comment": "",
            "etag": f"E{Dice(id).upper(13)}",
        }

    return look_up


def _log_user(question: Question) -> Values:
    return {"id": "c4c1ede66af53448b93c283ce9448c4ba468c9432aa01d700d3878632f77d2d0"}


@functools.cache
def _constants() -> Mapping[str, Any]:
    return tomllib.loads(resources.files("rehearsal.aws").joinpath("data/functions.toml").read_text())


_FUNCTIONS: dict[str, Callable[[Question], Values]] = {
    "aws:ec2/getRouteTables:getRouteTables": _several("aws:ec2/routeTable:RouteTable"),
    "aws:ec2/getSecurityGroups:getSecurityGroups": _several("aws:ec2/securityGroup:SecurityGroup"),
    "aws:ec2/getSubnets:getSubnets": _several("aws:ec2/subnet:Subnet"),
    "aws:ec2/getVpcs:getVpcs": _several("aws:ec2/vpc:Vpc"),
    "aws:index/getAvailabilityZone:getAvailabilityZone": _availability_zone,
    "aws:index/getAvailabilityZones:getAvailabilityZones": _availability_zones,
    "aws:index/getCallerIdentity:getCallerIdentity": _caller_identity,
    "aws:index/getDefaultTags:getDefaultTags": _default_tags,
    "aws:index/getPartition:getPartition": _partition,
    "aws:index/getRegion:getRegion": _region,
    "aws:index/getRegions:getRegions": _regions,
    "aws:index/getServicePrincipal:getServicePrincipal": _service_principal,
    "aws:cloudfront/getCachePolicy:getCachePolicy": _managed_policy("cloudfront_cache_policies"),
    "aws:cloudfront/getLogDeliveryCanonicalUserId:getLogDeliveryCanonicalUserId": _log_user,
    "aws:cloudfront/getOriginRequestPolicy:getOriginRequestPolicy": _managed_policy(
        "cloudfront_origin_request_policies"
    ),
    "aws:cloudfront/getResponseHeadersPolicy:getResponseHeadersPolicy": _managed_policy(
        "cloudfront_response_headers_policies"
    ),
    "aws:ec2/getAmi:getAmi": _image,
    "aws:ec2/getManagedPrefixList:getManagedPrefixList": _prefix_list,
    "aws:elb/getServiceAccount:getServiceAccount": _balancer_account,
    "aws:iam/getPolicyDocument:getPolicyDocument": _policy_document,
    "aws:route53/getZone:getZone": _hosted_zone,
    "aws:ssm/getParameter:getParameter": _parameter,
}
