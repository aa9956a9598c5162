"""What does AWS itself put into an account before any program asks?

A used account (the default) has its default VPC in every region, service-linked roles, the default cost monitor and the
default quotas; an empty one has nothing, as no account of AWS's is. REHEARSAL_ACCOUNT says which.
"""

import functools
import ipaddress
import os
import tomllib
from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Any

from rehearsal.aws.context import Context
from rehearsal.aws.identity import Dice, Names, shape_of
from rehearsal.aws.zones import zone_id, zone_names
from rehearsal.errors import RehearsalError
from rehearsal.values import Values
from rehearsal.world import Row

_HOME = "us-east-1"
"""Where what an account has once is made."""
_SERVICE_LINKED = "aws:iam/serviceLinkedRole:ServiceLinkedRole"


def account(ambient: Mapping[str, str] | None = None) -> str:
    """`used` or `empty`, as REHEARSAL_ACCOUNT says. Raises RehearsalError when it says something else."""
    named = (os.environ if ambient is None else ambient).get("REHEARSAL_ACCOUNT") or "used"
    if named in {"used", "empty"}:
        return named
    raise RehearsalError(f"REHEARSAL_ACCOUNT is {named!r}: it must be used or empty")


def facts() -> Mapping[str, Any]:
    """The committed table: what is given, names of service-linked roles, quotas."""
    return _facts()


def rows(here: Context) -> tuple[Row, ...]:
    """What AWS put into this account and region; nothing into an empty account."""
    return _rows(here.account, here.region) if account() == "used" else ()


@functools.cache
def _facts() -> Mapping[str, Any]:
    return tomllib.loads(resources.files("rehearsal.aws").joinpath("data/account.toml").read_text())


@functools.cache
def _rows(number: str, region: str) -> tuple[Row, ...]:
    here = Context(region, number)
    return (*_network(here), *_roles(here), *_objects(here))


def _made(
    here: Context,
    token: str,
    what: str,
    inputs: Values,
    *,
    everywhere: bool = False,
    id: str | None = None,
    **more: Any,
) -> Row:
    """An object without a program: named and shaped as if one had created it."""
    place = _HOME if everywhere else here.region
    names = Names(token, inputs, here, Dice(f"{here.account}/{place}/{what}"), shape_of(token, None), id)
    shaped = {name: names.render(shape) for name, shape in names.shape.items() if "." not in name}
    outputs = (
        shaped | inputs | {"id": names.the_id(), "arn": names.the_arn(), "region": here.region, "tagsAll": {}} | more
    )
    return Row(token, here.region, names.the_id(), "", inputs, outputs)


def _network(here: Context) -> Iterator[Row]:
    """The default VPC and what comes with it."""
    block = _facts()["network"]["cidr"]
    vpc = _made(here, "aws:ec2/vpc:Vpc", "vpc", {"cidrBlock": block, "enableDnsHostnames": True}, default=True)
    inside = {"vpcId": vpc.id}
    yield vpc
    ranges = ipaddress.ip_network(block).subnets(new_prefix=_facts()["network"]["subnet_prefix"])
    for zone, range in zip(zone_names(here.region), ranges, strict=False):
        place = {"availabilityZone": zone, "availabilityZoneId": zone_id(zone), "mapPublicIpOnLaunch": True}
        yield _made(
            here,
            "aws:ec2/subnet:Subnet",
            zone,
            inside | {"cidrBlock": str(range)} | place,
            defaultForAz=True,
            state="available",
        )
    gateway = _made(here, "aws:ec2/internetGateway:InternetGateway", "gateway", inside, ownerId=here.account)
    yield gateway
    named = {"name": "default", "description": "default VPC security group"}
    yield _made(
        here, "aws:ec2/securityGroup:SecurityGroup", "group", inside | named, id=vpc.outputs["defaultSecurityGroupId"]
    )
    out = [{"cidrBlock": "0.0.0.0/0", "gatewayId": gateway.id}]
    yield _made(
        here, "aws:ec2/routeTable:RouteTable", "table", inside | {"routes": out}, id=vpc.outputs["mainRouteTableId"]
    )
    yield _made(here, "aws:ec2/networkAcl:NetworkAcl", "acl", inside, id=vpc.outputs["defaultNetworkAclId"])


def _roles(here: Context) -> Iterator[Row]:
    """Service-linked roles, which are roles as well."""
    for service in _facts()["given"]["service_linked_roles"]:
        name = role_name(service, "")
        linked = _made(here, _SERVICE_LINKED, service, {"awsServiceName": service}, everywhere=True, name=name)
        yield linked
        named = {"name": name, "path": f"/aws-service-role/{service}/"}
        yield _made(here, "aws:iam/role:Role", service, named, everywhere=True)


def _objects(here: Context) -> Iterator[Row]:
    for one in _facts()["given"]["objects"]:
        yield _made(here, one["token"], one["token"], one["inputs"], everywhere=one.get("everywhere", False))


def role_name(service: str, suffix: str) -> str:
    """What the service-linked role of a service is called; `suffix` is the program's, if it gave one."""
    words = service.removesuffix(".amazonaws.com").replace("-", ".").split(".")
    known = _facts()["service_linked_roles"].get(service)
    name = known or "AWSServiceRoleFor" + "".join(word.capitalize() for word in words)
    return f"{name}_{suffix}" if suffix else str(name)
