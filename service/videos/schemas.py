"""What do requests and answers about videos look like?"""

from datetime import datetime
from typing import Literal

from pydantic import Field

from service.http.pages import Body, Public

VideoStatus = Literal["queued", "running", "done", "failed", "cancelled"]


class VideoRequest(Body):
    """Nothing to choose yet: the course says what is rendered."""


class VideoPublic(Public):
    """A video and how far it is."""

    id: str = Field(examples=["0190c0de7a5e7000a000000000000005"])
    project_id: str = Field(examples=["0190c0de7a5e7000a000000000000002"])
    status: VideoStatus = Field(examples=["queued"])
    progress: int = Field(description="percent", examples=[0])
    message: str = Field(description="what is happening, in words", examples=["Waiting for a worker"])
    attempt: int = Field(examples=[0])
    version: int = Field(description="grows with every change", examples=[1])
    created_at: datetime = Field(examples=["2026-01-01T12:00:00Z"])
    updated_at: datetime = Field(examples=["2026-01-01T12:00:00Z"])
    finished_at: datetime | None = Field(examples=[None])
