"""Where does a request act: which account, region and partition, under which default tags?"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from rehearsal.answers import Checked, Failure
from rehearsal.values import UNKNOWN, Value, Values

ACCOUNT = "000000000000"
"""The emulated account where the program names none: twelve digits that AWS gives to nobody."""

_REGION = re.compile(r"^(us|eu|ap|sa|ca|me|af|il|mx|cn|us-gov|us-iso[a-z]?|eu-isoe|eusc(-de)?)-[a-z]+-\d+$")
_PARTITIONS = (  # botocore's partitions.json; the first prefix that fits
    ("cn-", "aws-cn", "amazonaws.com.cn"),
    ("us-gov-", "aws-us-gov", "amazonaws.com"),
    ("us-isob-", "aws-iso-b", "sc2s.sgov.gov"),
    ("us-isof-", "aws-iso-f", "csp.hci.ic.gov"),
    ("us-iso-", "aws-iso", "c2s.ic.gov"),
    ("eu-isoe-", "aws-iso-e", "cloud.adc-e.uk"),
    ("eusc-", "aws-eusc", "amazonaws.eu"),
    ("", "aws", "amazonaws.com"),
)


@dataclass(frozen=True)
class Context:
    """The provider instance's account, region and partition, and the tags it puts on everything."""

    region: str
    account: str = ACCOUNT
    default_tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def partition(self) -> str:
        """The partition that the region belongs to."""
        return next(name for prefix, name, _ in _PARTITIONS if self.region.startswith(prefix))

    @property
    def dns_suffix(self) -> str:
        """The domain under which the partition's services answer."""
        return next(suffix for prefix, _, suffix in _PARTITIONS if self.region.startswith(prefix))

    def at(self, region: Value) -> "Context":
        """The context of a resource that names its own region."""
        return replace(self, region=region) if isinstance(region, str) and region else self


def is_region(name: Value) -> bool:
    """Whether this is the name of an AWS region, known or to come."""
    return isinstance(name, str) and _REGION.match(name) is not None


def check(config: Values) -> Checked:
    """Judge the provider's configuration."""
    failures = []
    region = config.get("region")
    if region is None:
        failures.append(Failure("region", "missing: set aws:region in the stack's configuration or on the provider"))
    elif region is not UNKNOWN and not is_region(region):
        failures.append(Failure("region", "not the name of an AWS region, such as us-east-1"))
    for name in ("allowedAccountIds", "forbiddenAccountIds"):
        accounts = _parsed(config.get(name))
        if isinstance(accounts, list) and not all(one is UNKNOWN or _is_account(one) for one in accounts):
            failures.append(Failure(name, "an account id has twelve digits"))
    if config.get("allowedAccountIds") and config.get("forbiddenAccountIds"):
        failures.append(Failure("forbiddenAccountIds", "conflicts with allowedAccountIds"))
    if _parsed(config.get("defaultTags")) is None and config.get("defaultTags") is not None:
        failures.append(Failure("defaultTags", "not a JSON object"))
    return Checked(config, tuple(failures))


def of(config: Values) -> Context:
    """The context that a checked configuration gives.

    The account is the first of `allowedAccountIds`, else that of the last role assumed, else the emulated one: the
    rehearsal has whichever account the program asks for.
    """
    allowed = _parsed(config.get("allowedAccountIds"))
    roles = _parsed(config.get("assumeRoles"))
    account = ACCOUNT
    if isinstance(allowed, list) and allowed and _is_account(allowed[0]):
        account = str(allowed[0])
    elif isinstance(roles, list) and roles and isinstance(roles[-1], dict):
        arn = str(roles[-1].get("roleArn", "")).split(":")
        account = arn[4] if len(arn) > 4 and _is_account(arn[4]) else account
    tags = _parsed(config.get("defaultTags"))
    tags = tags.get("tags") if isinstance(tags, dict) else None
    known = {key: value for key, value in tags.items() if isinstance(value, str)} if isinstance(tags, dict) else {}
    region = config.get("region")
    return Context(region if isinstance(region, str) else "us-east-1", account, known)


def _is_account(value: Value) -> bool:
    return isinstance(value, str | int) and re.fullmatch(r"\d{12}", str(value)) is not None


def _parsed(value: Value) -> Value:
    """Nested configuration travels as JSON text."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return None
