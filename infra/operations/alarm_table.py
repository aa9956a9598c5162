"""What do the alarms say? Typed rows of alarms.yaml."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Self

import yaml
from pydantic import Field, model_validator

from infra.foundation.shape import Shape

FILE = Path(__file__).with_name("alarms.yaml")
LITERAL = "="


class Alarm(Shape):
    """One alarm. meaning: what is wrong and where to look first. of: capacity of which `below` is a percentage."""

    meaning: str
    namespace: str = Field(pattern=r"^AWS/\w+$")
    metric: str
    dimensions: Mapping[str, str]
    statistic: Literal["Average", "Minimum", "Maximum", "Sum", "p95"]
    period_seconds: Literal[60, 300, 3600, 86400]
    minutes: int = Field(ge=1)
    severity: Literal["page", "ticket"]
    above: float | None = None
    below: float | None = None
    of: Literal["database-storage"] | None = None
    missing: Literal["ok", "bad", "ignore"] = "ignore"

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.above is None) == (self.below is None):
            raise ValueError("exactly one of above and below must be given")
        if self.of is not None and (self.below is None or not 0 < self.below < 100):
            raise ValueError("of needs below, a percentage of that capacity")
        if self.minutes * 60 % self.period_seconds:
            raise ValueError(f"minutes must be a whole number of periods of {self.period_seconds} seconds")
        return self


class AlarmTable(Shape):
    """The whole table, by name."""

    alarms: Mapping[str, Alarm]


def load(path: Path = FILE) -> AlarmTable:
    """The committed table; pydantic.ValidationError when a row is not sound."""
    return AlarmTable.model_validate(yaml.safe_load(path.read_text()))
