"""What may differ between environments? One frozen model per concern; no field has a default.

The descriptions are what a person reads when a field is missing or wrong: they give meaning and unit.
"""

from datetime import date
from ipaddress import IPv4Network
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from infra import addresses
from infra.shape import Shape
from infra.workload.shape import Image, ReleaseShape, WorkloadShape

Days = Annotated[int, Field(ge=1, le=3653)]
RoleArn = Annotated[str, Field(pattern=r"^arn:aws:iam::\d{12}:role/[\w+=,.@/-]+$")]


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


class DatabaseShape(Shape):
    """RDS for MySQL."""

    instance_class: str = Field(pattern=r"^db\.[a-z0-9]+\.[a-z0-9]+$", description="the class, such as db.m7g.large")
    storage_gib: int = Field(ge=20, le=65536, description="GiB of storage to begin with")
    max_storage_gib: int = Field(ge=20, le=65536, description="GiB up to which storage grows by itself")
    multi_az: bool = Field(description="true keeps a standby in a second zone")
    backup_days: int = Field(ge=1, le=35, description="days that can be restored to any point in time, 1 to 35")
    recovery_days: int = Field(ge=0, le=35, description="days of backups replicated to the recovery region; 0 for none")
    insights: Literal["standard", "advanced"] = Field(description="standard (7 days) or advanced (15 months, billed)")

    @model_validator(mode="after")
    def _grows(self) -> Self:
        if self.max_storage_gib < self.storage_gib:
            raise ValueError("max_storage_gib must not be less than storage_gib")
        return self


class CacheShape(Shape):
    """ElastiCache for Valkey."""

    node_type: str = Field(pattern=r"^cache\.[a-z0-9]+\.[a-z0-9]+$", description="the class, such as cache.m7g.large")
    replicas: int = Field(ge=0, le=5, description="replicas beside the primary; with one or more it fails over")
    snapshot_days: int = Field(ge=0, le=35, description="days that daily snapshots are kept; 0 for none")


class QueueShape(Shape):
    """SQS."""

    visibility_seconds: int = Field(ge=30, le=43200, description="seconds a worker has before a job is seen again")
    retention_days: int = Field(ge=1, le=14, description="days a message may wait")
    max_receives: int = Field(ge=1, le=1000, description="deliveries before a message goes to the dead letters")


class RegistryShape(Shape):
    """ECR."""

    kept_images: int = Field(ge=5, le=1000, description="images kept, so that a release can be rolled back to")
    replicated: bool = Field(description="true copies every image to the recovery region")


class EdgeShape(Shape):
    """CloudFront, firewall, domain, load balancer."""

    domain: str = Field(pattern=r"^([a-z0-9-]+\.)+[a-z]{2,}$", description="the service's domain name")
    price_class: Literal["PriceClass_100", "PriceClass_200", "PriceClass_All"] = Field(
        description="where CloudFront serves from: PriceClass_100, PriceClass_200 or PriceClass_All"
    )
    cloudfront_prefix_list: str = Field(
        pattern=r"^pl-[0-9a-f]{8,17}$",
        description="the id of com.amazonaws.global.cloudfront.origin-facing in the region",
    )
    firewall: Literal["count", "block"] = Field(description="what the firewall does with a match: count or block")
    firewall_logs: bool = Field(description="true logs what the firewall matched")
    requests_per_5_minutes: int = Field(ge=100, le=2_000_000, description="requests of one address in 5 minutes")


class BackupShape(Shape):
    """AWS Backup."""

    copied: bool = Field(description="true copies recovery points to the recovery region")
    lock: Literal["none", "governance", "compliance"] = Field(
        description="none, governance (privileged roles may lift it) or compliance (nobody may, after 7 days)"
    )
    restore_tests: bool = Field(description="true restores the latest recovery points every week, and measures it")


class AlarmShape(Shape):
    """Who is told."""

    page: tuple[str, ...] = Field(description="e-mail addresses for what cannot wait until the morning")
    ticket: tuple[str, ...] = Field(description="e-mail addresses for everything else")


class BudgetShape(Shape):
    """Money, in US dollars."""

    monthly_usd: int = Field(ge=1, description="the monthly budget in US dollars")
    anomaly_usd: int = Field(ge=1, description="US dollars of unexpected cost that are reported")
    deny_when_spent: bool = Field(description="true forbids new resources when the budget is spent")


class MetricsShape(Shape):
    """Managed Prometheus, and Grafana before it."""

    retention_days: int = Field(ge=1, le=1095, description="days that metrics are kept, 1 to 1095")
    grafana_image: Image = Field(description="Grafana's image by digest, from this account's registry")


class EstateShape(Shape):
    """Everything that an environment decides about the estate."""

    network: NetworkShape = Field(description="addresses, zones, ways out")
    encryption: EncryptionShape = Field(description="KMS keys")
    logs: LogShape = Field(description="how long logs are kept")
    cluster: ClusterShape = Field(description="EKS")
    registry: RegistryShape = Field(description="container images")
    database: DatabaseShape = Field(description="RDS for MySQL and its proxy")
    cache: CacheShape = Field(description="ElastiCache for Valkey")
    queue: QueueShape = Field(description="SQS for the workers")
    media: MediaShape = Field(description="uploads and videos")
    edge: EdgeShape = Field(description="CloudFront, firewall, domain")
    workload: WorkloadShape = Field(description="how much of the service runs")
    release: ReleaseShape = Field(description="the images of the service and their traffic")
    backup: BackupShape = Field(description="AWS Backup")
    alarms: AlarmShape = Field(description="who is told")
    budget: BudgetShape = Field(description="what the environment may cost")
    metrics: MetricsShape = Field(description="managed Prometheus and Grafana")

    @model_validator(mode="after")
    def _services_outside_networks(self) -> Self:
        for network in (self.network.cidr, *self.network.reserved_cidrs):
            if self.cluster.service_cidr.overlaps(network):
                raise ValueError(
                    f"cluster.service_cidr {self.cluster.service_cidr} overlaps {network}: choose addresses outside it"
                )
        return self
