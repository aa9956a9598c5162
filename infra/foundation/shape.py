"""What is a part of an environment's settings? The base of every shape, and the shapes of what everything builds on."""

from ipaddress import IPv4Address
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from infra.foundation import names
from infra.foundation.environment import Environment

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
    backend: str = Field(description="the URL of the bucket that `make bootstrap` makes for this account's state")
    runner: IPv4Address = Field(
        strict=False, description="where deployments run: an address of the internet, or one inside the VPC"
    )

    @model_validator(mode="after")
    def _two_regions(self) -> Self:
        if self.region == self.recovery_region:
            raise ValueError("recovery_region must be another region than region")
        return self


class EncryptionShape(Shape):
    """KMS keys."""

    deletion_window_days: int = Field(ge=7, le=30, description="days until a scheduled key deletion is final")


class LogShape(Shape):
    """Log groups and log buckets."""

    retention_days: Literal[7, 14, 30, 60, 90, 180, 365, 400] = Field(
        description="days that log groups and the log bucket keep entries"
    )


class EnvironmentShape(Shape):
    """What every project of an environment reads: where it is, and how long logs are kept."""

    name: Literal["dev", "staging", "production"] = Field(
        # No key of a configuration file can be spelt like this.
        alias="(stack)",
        description="a stack of one of these names: one file per environment, one stack of each project per file",
    )
    place: Place = Field(description="account, regions, protection and state")
    logs: LogShape = Field(description="how long logs are kept")

    @property
    def environment(self) -> Environment:
        """The facts every component shares."""
        place = self.place
        return Environment(
            name=self.name,
            account_id=place.account_id,
            region=place.region,
            recovery_region=place.recovery_region,
            log_days=self.logs.retention_days,
            protected=place.protected,
        )

    @model_validator(mode="after")
    def _own_backend(self) -> Self:
        own = f"s3://{names.bucket(self.environment, names.STATE)}?region={self.place.region}"
        if self.place.backend != own:
            raise ValueError(f"place.backend must be {own}: each account keeps its own state")
        return self
