"""What does this environment's configuration say? One object per concern in stacks/Pulumi.<environment>.yaml."""

from collections.abc import Mapping
from typing import Any, Self

from pydantic import model_validator

from infra.foundation import configuration
from infra.foundation.configuration import SettingsError
from infra.foundation.environment import PROJECT
from infra.foundation.shape import EnvironmentShape
from infra.shapes import EstateShape

__all__ = ["Settings", "SettingsError", "load", "parse"]


class Settings(EstateShape, EnvironmentShape):
    """One environment, whole."""

    @model_validator(mode="after")
    def _deployer_is_admitted(self) -> Self:
        runner, network = self.place.runner, self.network.cidr
        if not self.cluster.admits(runner, network):
            field = "api_private_cidrs" if runner in network else "api_public_cidrs"
            raise ValueError(
                f"cluster.{field} does not admit place.runner {runner}: nobody could deploy into the cluster; "
                "add its network there, or say where deployments run"
            )
        return self


def load() -> Settings:
    """The settings of the current stack; SettingsError when they are not complete and sound."""
    return configuration.load(Settings, PROJECT)


def parse(stack: str, raw: Mapping[str, Any]) -> Settings:
    """Settings from raw configuration (`project:key` to JSON text or value); SettingsError as for `load`."""
    return configuration.parse(Settings, PROJECT, stack, raw)
