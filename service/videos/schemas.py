"""What do requests and answers about videos look like?"""

from datetime import datetime
from typing import Literal

from pydantic import Field

from service.http.pages import Public
from service.media.schemas import LinkPublic

VideoStatus = Literal["queued", "running", "done", "failed", "cancelled"]


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


class WatchPublic(Public):
    """A finished video with what a player needs; its links are to be shown in a page."""

    project_id: str = Field(examples=["0190c0de7a5e7000a000000000000002"])
    title: str = Field(examples=["Fotossíntese em cinco minutos"])
    description: str = Field(examples=["Para o 7º ano"])
    language: str = Field(examples=["pt-BR"])
    finished_at: datetime | None = Field(examples=["2026-01-01T12:00:00Z"])
    video: LinkPublic
    captions: LinkPublic
    thumbnail: LinkPublic


class SharePublic(Public):
    """A link for people without an account. It is told once; withdraw it by deleting it."""

    token: str = Field(examples=["mX3l0mJ1mE4sTqkz0tM7oVbQ5nYd2aRc8uWfHgKpLiE"])
    url: str = Field(description="answers as `watch` does", examples=["/api/v1/shares/mX3l0mJ1mE4sTqkz0tM7oVbQ5nYd"])


class CheckPublic(Public):
    """Whether the renderer would take the course as it is."""

    ready: bool = Field(examples=[False])
    problem: str | None = Field(description="what stands in the way", examples=["image 'folha.png' was deleted"])
