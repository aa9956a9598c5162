"""Is a text well formed: an ARN, a JSON document, an IAM policy, a network, an account, a port, a time or a window?"""

import ipaddress
import json
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

_PARTITION = re.compile(r"aws(-[a-z]+)*")
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d{1,2}")
_ACCOUNT = re.compile(r"aws|aws-managed|third-party|aws-marketplace|\d{12}|cw.{10}")
_ALARM_ACTION = re.compile(r"arn:[\w-]+:automate:[\w-]+:ec2:(reboot|recover|stop|terminate)")
_TIME = r"([01]\d|2[0-3]):[0-5]\d"
_DAY = r"(mon|tue|wed|thu|fri|sat|sun)"
_DAILY = re.compile(f"{_TIME}-{_TIME}")
_WEEKLY = re.compile(f"{_DAY}:{_TIME}-{_DAY}:{_TIME}", re.IGNORECASE)
_DIGITS = re.compile(r"-?\d{1,9}", re.ASCII)

PROTOCOLS = {
    "all": "-1", "icmp": "1", "igmp": "2", "ggp": "3", "ipencap": "4", "st2": "5", "tcp": "6", "cbt": "7", "egp": "8",
    "igp": "9", "udp": "17", "hmp": "20", "dccp": "33", "ipv6": "41", "ipv6-route": "43", "ipv6-frag": "44",
    "rsvp": "46", "gre": "47", "esp": "50", "ah": "51", "icmpv6": "58", "ipv6-icmp": "58", "ipv6-nonxt": "59",
    "ipv6-opts": "60", "eigrp": "88", "ospfigp": "89", "ipip": "94", "etherip": "97", "pim": "103", "vrrp": "112",
    "l2tp": "115", "sctp": "132", "mobility-header": "135", "udplite": "136", "mpls-in-ip": "137",
}  # fmt: skip
"""Names that EC2 takes for IP protocols, and their IANA numbers (`all` is AWS's own -1)."""


def arn(text: str) -> bool:
    """`arn:partition:service:region:account:resource`, as the provider validates it."""
    parts = text.split(":", 5)
    if len(parts) != 6 or parts[0] != "arn":
        return False
    _, partition, _, region, account, resource = parts
    return bool(_ALARM_ACTION.fullmatch(text)) or bool(
        _PARTITION.fullmatch(partition)
        and (not region or _REGION.fullmatch(region))
        and (not account or _ACCOUNT.fullmatch(account))
        and resource
    )


def json_text(text: str) -> bool:
    """Any JSON document."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def policy(text: str) -> bool:
    """An IAM policy document: JSON, and an object."""
    return text.startswith("{") and json_text(text)


def cidr(text: str) -> bool:
    """An IPv4 or IPv6 network whose host bits are zero."""
    try:
        ipaddress.ip_network(text)
    except ValueError:
        return False
    return "/" in text


def ipv4(text: str) -> bool:
    """An IPv4 address."""
    return _address(text, 4)


def ipv6(text: str) -> bool:
    """An IPv6 address."""
    return _address(text, 6)


def _address(text: str, version: int) -> bool:
    try:
        return ipaddress.ip_address(text).version == version
    except ValueError:
        return False


def account_id(text: str) -> bool:
    """Twelve digits."""
    return len(text) == 12 and text.isascii() and text.isdigit()


def port(value: Any) -> bool:
    """0 to 65535."""
    return bool(_DIGITS.fullmatch(str(value))) and 0 <= int(value) <= 65535


def protocol(value: Any) -> bool:
    """An IP protocol by name or number; -1 is all of them."""
    text = str(value).lower()
    return text in PROTOCOLS or (bool(_DIGITS.fullmatch(text)) and -1 <= int(text) <= 255)


def alarm_period(value: Any) -> bool:
    """Seconds over which CloudWatch gathers: 1, 5, 10, 20, 30, or whole minutes."""
    return isinstance(value, int) and (value in {1, 5, 10, 20, 30} or (value > 0 and value % 60 == 0))


def timestamp(text: str) -> bool:
    """RFC 3339 with a time zone."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return False
    return moment.tzinfo is not None and "T" in text.upper()


def budget_time(text: str) -> bool:
    """`2006-01-02_15:04`, as AWS Budgets writes times."""
    try:
        datetime.strptime(text, "%Y-%m-%d_%H:%M")  # noqa: DTZ007 - always UTC, and only its form is asked for
    except ValueError:
        return False
    return True


def health_check_port(value: Any) -> bool:
    """1 to 65535, or the port that the traffic goes to."""
    return value == "traffic-port" or (port(value) and int(value) > 0)


def daily_window(text: str) -> bool:
    """`05:00-06:00`."""
    return bool(_DAILY.fullmatch(text))


def weekly_window(text: str) -> bool:
    """`sun:05:00-sun:06:00` in any case."""
    return bool(_WEEKLY.fullmatch(text))


FORMATS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "arn": (arn, "an ARN (arn:partition:service:region:account:resource)"),
    "json": (json_text, "a JSON document"),
    "iam-policy": (policy, "an IAM policy document in JSON"),
    "cidr": (cidr, "a network in CIDR notation whose host bits are zero"),
    "ipv4": (ipv4, "an IPv4 address"),
    "ipv6": (ipv6, "an IPv6 address"),
    "account-id": (account_id, "an account id of twelve digits"),
    "port": (port, "a port from 0 to 65535"),
    "health-check-port": (health_check_port, "a port from 1 to 65535, or traffic-port"),
    "alarm-period": (alarm_period, "1, 5, 10, 20, 30 or a multiple of 60 seconds"),
    "budget-time": (budget_time, "a time as AWS Budgets writes it (2006-01-02_15:04)"),
    "timestamp": (timestamp, "a time as RFC 3339 writes it (2006-01-02T15:04:05Z)"),
    "protocol": (protocol, "an IP protocol by name or number"),
    "daily-window": (daily_window, "a daily window (hh:mm-hh:mm)"),
    "weekly-window": (weekly_window, "a weekly window (ddd:hh:mm-ddd:hh:mm)"),
}
"""Format name in the facts: the test, and what is expected, for people."""
