"""What may differ between environments? One frozen model per concern, in the rooms; no field has a default.

The descriptions are what a person reads when a field is missing or wrong: they give meaning and unit.
"""

from typing import Self

from pydantic import Field, model_validator

from infra.cluster.shape import ClusterShape
from infra.data.shape import CacheShape, DatabaseShape, MediaShape, QueueShape
from infra.foundation.shape import EncryptionShape, Shape
from infra.front_door.shape import EdgeShape
from infra.network.shape import NetworkShape
from infra.operations.shape import AlarmShape, BackupShape, BudgetShape, MetricsShape
from infra.workload.shape import ReleaseShape, WorkloadShape


class EstateShape(Shape):
    """Everything that an environment decides about the estate."""

    network: NetworkShape = Field(description="addresses, zones, ways out")
    encryption: EncryptionShape = Field(description="KMS keys")
    cluster: ClusterShape = Field(description="EKS")
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
