"""What of the stores may differ between environments?"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from infra.foundation.shape import Days, Shape


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
