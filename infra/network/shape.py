"""What of the network may differ between environments?"""

from ipaddress import IPv4Network
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from infra.foundation.shape import Shape
from infra.network import addresses


class Zone(Shape):
    """One availability zone and its fixed slot in the address plan."""

    slot: int = Field(ge=0, le=3, description="the slot in the address plan, 0 to 3; never change it")
    zone_id: str = Field(
        pattern=r"^[a-z]{3}\d-az\d$", description="the zone's id, such as use1-az1 (names differ by account)"
    )


class NetworkShape(Shape):
    """Addresses, zones, ways out."""

    cidr: IPv4Network = Field(description="the /16 of the VPC")
    reserved_cidrs: tuple[IPv4Network, ...] = Field(
        description="networks that must stay reachable: the other environments, the office"
    )
    zones: tuple[Zone, ...] = Field(min_length=2, max_length=4, description="two to four zones with their slots")
    nat: Literal["single", "per-zone"] = Field(description="single (cheap) or per-zone (survives a zone)")
    interface_endpoints: tuple[str, ...] = Field(
        description="AWS services reached without NAT; each costs an interface per zone"
    )
    flow_log_traffic: Literal["ALL", "REJECT"] = Field(description="which traffic the flow logs keep")

    @field_validator("cidr")
    @classmethod
    def _a_16(cls, cidr: IPv4Network) -> IPv4Network:
        if cidr.prefixlen != addresses.NETWORK_PREFIX or not cidr.is_private:
            raise ValueError(f"must be a private /{addresses.NETWORK_PREFIX}")
        return cidr

    @model_validator(mode="after")
    def _no_overlap(self) -> Self:
        for other in self.reserved_cidrs:
            if self.cidr.overlaps(other):
                raise ValueError(f"cidr {self.cidr} overlaps the reserved network {other}: choose another /16")
        for field in ("slot", "zone_id"):
            values = [getattr(zone, field) for zone in self.zones]
            if len(set(values)) != len(values):
                raise ValueError(f"zones must have different {field}s")
        return self
