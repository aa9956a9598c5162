"""What is a part of an environment's settings? The base of every shape."""

from pydantic import BaseModel, ConfigDict


class Shape(BaseModel):
    """A frozen part of an environment's settings that refuses keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
