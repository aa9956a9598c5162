"""What may differ between environments? One frozen model per concern; no field has a default.

The descriptions are what a person reads when a field is missing or wrong: they give meaning and unit.
"""

from datetime import date
from ipaddress import IPv4Network
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from infra import addresses

Days = Annotated[int, Field(ge=1, le=3653)]
RoleArn = Annotated[str, Field(pattern=r"^arn:aws:iam::\d{12}:role/[\w+=,.@/-]+$")]


class Shape(BaseModel):
    """A frozen part of an environment's settings that refuses keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Place(Shape):
    """Which account and regions, and whether state is protected."""

    account_id: str = Field(pattern=r"^\d{12}$", description="the twelve digits of the AWS account, quoted")
    region: Literal["us-east-1"] = Field(
        description="us-east-1: CloudFront's certificate, firewall and logs live there and share the estate's keys"
    )
    recovery_region: str = Field(pattern=r"^[a-z]{2}-[a-z]+-\d$", description="the region that keeps the copies")
    protected: bool = Field(description="true where stateful resources must refuse deletion")

    @model_validator(mode="after")
    def _two_regions(self) -> Self:
        if self.region == self.recovery_region:
            raise ValueError("recovery_region must be another region than region")
        return self


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


class EncryptionShape(Shape):
    """KMS keys."""

    deletion_window_days: int = Field(ge=7, le=30, description="days until a scheduled key deletion is final")


class LogShape(Shape):
    """Log groups and log buckets."""

    retention_days: Literal[7, 14, 30, 60, 90, 180, 365, 400] = Field(
        description="days that log groups and the log bucket keep entries"
    )


class ClusterShape(Shape):
    """EKS."""

    version: str = Field(pattern=r"^1\.\d\d$", description="the Kubernetes minor version, quoted")
    standard_support_ends: date = Field(description="the day on which AWS ends standard support of that version")
    service_cidr: IPv4Network = Field(description="addresses of Kubernetes services; outside every network")
    api_public_cidrs: tuple[IPv4Network, ...] = Field(
        description="who reaches the API from outside the VPC; [] makes it private"
    )
    deployer_role: RoleArn = Field(description="the ARN of the role that runs deployments: cluster administrator")
    viewer_roles: tuple[RoleArn, ...] = Field(description="ARNs of roles that may read everything but secrets")
    developer_roles: tuple[RoleArn, ...] = Field(description="ARNs of roles that may edit the service's namespace")

    @field_validator("api_public_cidrs")
    @classmethod
    def _limited(cls, cidrs: tuple[IPv4Network, ...]) -> tuple[IPv4Network, ...]:
        if any(cidr.prefixlen < 16 for cidr in cidrs):
            raise ValueError("the API may be opened to networks of at most /16, never to the world")
        return cidrs


class MediaShape(Shape):
    """Uploads and videos."""

    replicated: bool = Field(description="true keeps a copy in the recovery region")
    recovery_lock_days: int = Field(ge=0, le=3653, description="days for which copies cannot be deleted; 0 for none")
    infrequent_after_days: Days = Field(description="days after which objects move to intelligent tiering")
    noncurrent_days: Days = Field(description="days that overwritten and deleted versions are kept")
    allowed_origins: tuple[Annotated[str, Field(pattern=r"^https?://[^*/]+$")], ...] = Field(
        description="origins whose pages may upload directly (CORS)"
    )

    @model_validator(mode="after")
    def _lock_needs_copy(self) -> Self:
        if self.recovery_lock_days and not self.replicated:
            raise ValueError("recovery_lock_days locks the copies: set replicated to true, or the days to 0")
        return self
