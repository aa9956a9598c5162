"""How is a video job stored? The database owns its state; a broker only wakes workers."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from sqlalchemy import BigInteger, Double, ForeignKey, Index
from sqlmodel import Field, SQLModel

from service.data.columns import TABLE, Digest, Key, Moment, Versioned, now

WAITING = "Waiting for a worker"
ACTIVE = ("queued", "running")
FINAL = ("done", "failed", "cancelled")


@dataclass(frozen=True, slots=True)
class Files:
    """Where the results of one attempt at a video are kept; an attempt that lost its lease touches only its own."""

    video: str
    captions: str
    thumbnail: str

    @classmethod
    def of(cls, video_id: str, attempt: int) -> Self:
        """The keys of an attempt."""
        base = f"videos/{video_id}-{attempt}"
        return cls(f"{base}.mp4", f"{base}.vtt", f"{base}.jpg")

    @property
    def all(self) -> tuple[str, str, str]:
        """All three."""
        return self.video, self.captions, self.thumbnail


class Video(Versioned, table=True):
    """One rendering of a course.

    A worker claims a queued row by one conditional UPDATE and renews `lease_until`; a row whose lease has expired
    may be claimed again. `cancel_requested` asks a running worker to stop.
    """

    __tablename__ = "video"
    __table_args__ = (
        Index("ix_video_owner_id", "owner_id", "id"),
        Index("ix_video_project_id", "project_id", "id"),
        Index("ix_video_status", "status", "lease_until"),
        TABLE,
    )
    owner_id: str = Field(sa_type=Key, sa_column_args=(ForeignKey("user.id"),))
    project_id: str = Field(sa_type=Key, sa_column_args=(ForeignKey("project.id", ondelete="CASCADE"),))
    status: str = Field(default="queued", max_length=20)
    progress: int = Field(default=0)
    message: str = Field(default=WAITING, max_length=300)
    attempt: int = Field(default=0)
    cancel_requested: bool = Field(default=False)
    lease_until: datetime | None = Field(default=None, sa_type=Moment)
    heartbeat_at: datetime | None = Field(default=None, sa_type=Moment)
    finished_at: datetime | None = Field(default=None, sa_type=Moment)
    result_key: str | None = Field(default=None, max_length=100)
    size: int = Field(default=0, sa_type=BigInteger, description="bytes of its files")
    cost_usd: float = Field(default=0, sa_type=Double, description="at outside providers, all attempts together")
    request_id: str = Field(default="", max_length=64)

    @property
    def files(self) -> tuple[str, ...]:
        """Keys of everything that was published."""
        return Files.of(self.id, self.attempt).all if self.result_key else ()


class Share(SQLModel, table=True):
    """A link to a course's video for people without an account; who withdraws it deletes the row."""

    __tablename__ = "share"
    __table_args__ = TABLE
    project_id: str = Field(
        primary_key=True, sa_type=Key, sa_column_args=(ForeignKey("project.id", ondelete="CASCADE"),)
    )
    token_hash: str = Field(sa_type=Digest, unique=True)
    created_at: datetime = Field(default_factory=now, sa_type=Moment)
