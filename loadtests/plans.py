"""What do the profiles and thresholds say? Typed, checked when they are read: their models are their schema."""

from importlib.resources import files
from typing import Annotated, Any, Literal, Self, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

Persona = Literal["reader", "creator", "video_maker", "login", "greedy"]
Positive = Annotated[float, Field(gt=0)]
Percent = Annotated[float, Field(ge=0, le=100)]
MIX: dict[Persona, Positive] = {"reader": 60, "creator": 30, "video_maker": 10}
T = TypeVar("T", bound=BaseModel)
LONGEST = 900  # seconds that any run may take


class PlanError(Exception):
    """A profile, threshold or override that cannot be used; the message names the field and the remedy."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Stage(_Strict):
    """Arrivals for some seconds: `rate` a second, growing or falling evenly to `to` where that is set."""

    seconds: Annotated[float, Field(gt=0, le=LONGEST)]
    rate: Annotated[float, Field(ge=1, le=20_000)]
    to: Annotated[float, Field(ge=1, le=20_000)] | None = None

    @property
    def end(self) -> float:
        """Arrivals per second at the end."""
        return self.rate if self.to is None else self.to

    @property
    def arrivals(self) -> float:
        """How many arrive in all."""
        return (self.rate + self.end) / 2 * self.seconds


class Knee(_Strict):
    """How the knee is looked for: from `first` by `factor` until one fails, then by halves to `precision`, a share.

    tries: how often a rate may fail before it counts as failed: one disturbance of the machine is no knee.
    """

    first: Positive
    factor: Annotated[float, Field(gt=1, le=4)]
    precision: Annotated[float, Field(gt=0, le=0.5)]
    most_steps: Annotated[int, Field(ge=2, le=40)]
    tries: Annotated[int, Field(ge=1, le=5)] = 1


class Profile(_Strict):
    """A plan of a load; the fields are explained in profiles.yaml."""

    meaning: str
    stages: Annotated[tuple[Stage, ...], Field(min_length=1)]
    personas: dict[Persona, Positive] = MIX
    model: Literal["open", "closed"] = "open"
    warm_up: Annotated[float, Field(ge=0)] = 0
    connections: Annotated[int, Field(ge=1, le=2000)]
    accounts: Annotated[int, Field(ge=1, le=20_000)]
    most_requests: Annotated[int, Field(ge=1, le=5_000_000)]
    knee: Knee | None = None
    zone_rate: Positive | None = None

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return sum(stage.seconds for stage in self.stages)

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        arrivals = sum(stage.arrivals for stage in self.stages)
        if arrivals > self.most_requests:
            raise ValueError(f"stages make {arrivals:.0f} requests, most_requests is {self.most_requests}")
        if not self.warm_up < self.seconds <= LONGEST:
            raise ValueError(f"it lasts {self.seconds:g} s: more than warm_up and at most {LONGEST} are possible")
        if not len(self.personas) <= self.connections <= self.accounts:
            raise ValueError("every persona needs a connection, and every connection an account of its own")
        return self


class Thresholds(_Strict):
    """What a run must hold; the fields are explained in thresholds.yaml, and what is left out is not judged."""

    p95_ms: Positive | None = None
    error_percent: Percent | None = None
    requests_per_second: Positive | None = None
    achieved: Annotated[float, Field(gt=0, le=1)] | None = None
    limited_percent: Percent | None = None
    limit_error_percent: Percent | None = None


def names() -> list[str]:
    """The profiles there are."""
    return list(read("profiles.yaml"))


def profile(name: str, **changes: Any) -> Profile:
    """A profile by name, with fields replaced; `rate` and `seconds` stretch its shape to that top and length.

    Raises PlanError.
    """
    rows = read("profiles.yaml")
    if name not in rows:
        raise PlanError(f"profile {name!r} does not exist; there are: {', '.join(rows)}")
    row: dict[str, Any] = rows[name]
    if (rate := changes.pop("rate", None)) is not None:
        times = rate / max(stage[end] for stage in row["stages"] for end in ("rate", "to") if end in stage)
        row["stages"] = [
            {key: value if key == "seconds" else max(1, value * times) for key, value in stage.items()}
            for stage in row["stages"]
        ]
        row["most_requests"] = int(row["most_requests"] * max(1, times))
    if (seconds := changes.pop("seconds", None)) is not None:
        longer = seconds / sum(stage["seconds"] for stage in row["stages"])
        row["stages"] = [stage | {"seconds": stage["seconds"] * longer} for stage in row["stages"]]
        row["warm_up"] = row.get("warm_up", 0) * longer
        row["most_requests"] = int(row["most_requests"] * max(1, longer))
    return _checked(Profile, row | {key: value for key, value in changes.items() if value is not None}, name)


def thresholds(name: str, overrides: list[str]) -> Thresholds:
    """What a profile must hold, some of it replaced by `field=value`. Raises PlanError."""
    row = dict(read("thresholds.yaml").get(name, {}))
    for override in overrides:
        field, _, value = override.partition("=")
        if field not in Thresholds.model_fields:
            raise PlanError(f"threshold {field!r} does not exist; there are: {', '.join(Thresholds.model_fields)}")
        row[field] = value
    return _checked(Thresholds, row, name)


def read(name: str) -> dict[str, Any]:
    """A data file of this package."""
    loaded: dict[str, Any] = yaml.safe_load(files("loadtests").joinpath(name).read_text())
    return loaded


def _checked(model: type[T], row: dict[str, Any], name: str) -> T:
    try:
        return model.model_validate(row)
    except ValidationError as error:
        lines = [f"{name}.{'.'.join(map(str, e['loc'])) or model.__name__}: {e['msg']}" for e in error.errors()]
        raise PlanError("\n".join(lines)) from error
