"""Which availability zones does a region have in the emulated account, by name and by id?"""

import re

_COUNTS = {"us-east-1": 6, "us-west-2": 4, "ap-northeast-1": 3, "ap-northeast-2": 4}
"""Zones of a region where they are not three (AWS documentation, Regions and Availability Zones)."""


def short_region(region: str) -> str:
    """The short name that ids carry: `us-east-1` is `use1`, `ap-southeast-2` is `apse2`."""
    *area, direction, number = region.split("-")
    halves = re.findall(r"north|south|east|west|central", direction)
    return "".join(area) + "".join(half[0] for half in halves or [direction]) + number


def zone_names(region: str) -> list[str]:
    """`us-east-1a`, `us-east-1b` ..."""
    return [f"{region}{letter}" for letter in "abcdef"[: _COUNTS.get(region, 3)]]


def zone_id(name: str) -> str:
    """The id of a zone: in the emulated account zone a is number 1, b is 2, and so on; local zones keep their name."""
    if not re.fullmatch(r"[a-z]+(-[a-z]+)+-\d[a-z]", name):
        return f"{name}-az1"
    return f"{short_region(name[:-1])}-az{ord(name[-1]) - ord('a') + 1}"


def zone_name(region: str, id: str) -> str | None:
    """The name of the zone with this id; None when the region has none."""
    return next((name for name in zone_names(region) if zone_id(name) == id), None)
