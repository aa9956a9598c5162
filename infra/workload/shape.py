"""What of the service may differ between environments and releases?"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from infra.foundation.shape import Shape

Colour = Literal["blue", "green"]
COLOURS: tuple[Colour, ...] = ("blue", "green")
Image = Annotated[
    str, Field(pattern=r"^[\w.:/-]+@sha256:[0-9a-f]{64}$", description="an image by digest: registry/name@sha256:...")
]


class ScalingShape(Shape):
    """A range of pods; the autoscaler moves within it by CPU."""

    least: int = Field(ge=1, le=100, description="pods that always run")
    most: int = Field(ge=1, le=100, description="pods that are never exceeded")

    @model_validator(mode="after")
    def _a_range(self) -> Self:
        if self.least >= self.most:
            raise ValueError("least must be below most: else there is nothing to scale")
        return self


class WorkloadShape(Shape):
    """How much of the service runs, and how long a rollout may take."""

    api: ScalingShape = Field(description="pods that answer requests")
    worker: ScalingShape = Field(description="pods that render videos")
    task_seconds: int = Field(
        ge=10, le=3600, description="seconds that a task (database users, a migration) may take, with its retries"
    )
    rollout_seconds: int = Field(
        ge=30, le=900, description="seconds without progress after which a rollout is given up"
    )


class ReleaseShape(Shape):
    """Which image runs in which colour, and who gets the traffic (per cent).

    A release goes: the candidate gets an image, then weight, then becomes active; the old colour is dropped.
    """

    active: Colour = Field(description="the colour that serves")
    candidate: Colour | None = Field(description="the colour that is being tried; null when there is none")
    images: dict[Colour, Image] = Field(description="one image by digest for every live colour")
    weights: dict[Colour, Annotated[int, Field(ge=0, le=100)]] = Field(
        description="share of traffic per live colour in per cent, 100 in all"
    )

    @property
    def live(self) -> tuple[Colour, ...]:
        """The colours that have pods, in a fixed order."""
        return tuple(colour for colour in COLOURS if colour in {self.active, self.candidate})

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.candidate == self.active:
            raise ValueError("candidate must be the other colour than active, or null")
        for field in ("images", "weights"):
            if set(getattr(self, field)) != set(self.live):
                raise ValueError(f"{field} must name exactly the live colours: {', '.join(self.live)}")
        if sum(self.weights.values()) != 100:
            raise ValueError(f"weights must be 100 in all, not {sum(self.weights.values())}")
        return self
