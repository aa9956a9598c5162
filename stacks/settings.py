"""What does this environment's configuration say? One object per concern in stacks/Pulumi.<environment>.yaml."""

from collections.abc import Mapping
from typing import Any

from infra.foundation import configuration
from infra.foundation.configuration import SettingsError
from infra.foundation.environment import PROJECT
from infra.foundation.shape import EnvironmentShape
from infra.shapes import EstateShape

__all__ = ["Settings", "SettingsError", "load", "parse"]


class Settings(EstateShape, EnvironmentShape):
    """One environment, whole."""


def load() -> Settings:
    """The settings of the current stack; SettingsError when they are not complete and sound."""
    return configuration.load(Settings, PROJECT)


def parse(stack: str, raw: Mapping[str, Any]) -> Settings:
    """Settings from raw configuration (`project:key` to JSON text or value); SettingsError as for `load`."""
    return configuration.parse(Settings, PROJECT, stack, raw)
