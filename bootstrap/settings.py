"""What does this account's configuration say? It is in the estate's file: stacks/Pulumi.<environment>.yaml."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from bootstrap.shape import GithubShape, PeopleShape, RegistryShape, ZoneShape
from infra.cluster.shape import ClusterShape
from infra.foundation import configuration
from infra.foundation.environment import PROJECT as ESTATE
from infra.foundation.shape import EncryptionShape, EnvironmentShape
from infra.front_door.shape import EdgeShape
from infra.operations.shape import BudgetShape

PROJECT = f"{ESTATE}-account"
SHARED = dict.fromkeys(("place", "logs", "encryption", "edge", "cluster", "budget"), ESTATE)
"""What the estate's settings say for both."""


class Settings(EnvironmentShape):
    """One account, whole."""

    encryption: EncryptionShape = Field(description="KMS keys")
    edge: EdgeShape = Field(description="the service's domain")
    cluster: ClusterShape = Field(description="who deploys and develops")
    budget: BudgetShape = Field(description="what the environment may cost")
    zone: ZoneShape = Field(description="the names below the service's own")
    registry: RegistryShape = Field(description="container images")
    github: GithubShape = Field(description="the repository whose workflows deploy")
    people: PeopleShape = Field(description="who may become what")


def load() -> Settings:
    """The settings of the current stack; SettingsError when they are not complete and sound."""
    return configuration.load(Settings, PROJECT, SHARED)


def parse(stack: str, raw: Mapping[str, Any]) -> Settings:
    """Settings from raw configuration; SettingsError as for `load`."""
    return configuration.parse(Settings, PROJECT, stack, raw, SHARED)
