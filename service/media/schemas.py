"""What do requests and answers about uploads look like?"""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints

from service.http.dependencies import UnitOfWork
from service.http.errors import ProblemError
from service.http.pages import Body, Line, Public
from service.media.models import Media

# No SVG, no HTML: what a browser would run is not media.
ContentType = Literal["image/png", "image/jpeg", "image/webp", "audio/mpeg", "audio/wav"]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
EXAMPLE = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


class MediaCreate(Body):
    """What will be uploaded; other bytes than these are refused."""

    name: Line = Field(examples=["folha.png"])
    content_type: ContentType = Field(examples=["image/png"])
    size: Annotated[int, Field(ge=1, le=2**32)] = Field(description="bytes", examples=[4])
    sha256: Sha256 = Field(description="of the bytes, hexadecimal", examples=[EXAMPLE])


class LinkPublic(Public):
    """A request to make without an access token."""

    method: str = Field(examples=["PUT"])
    url: str = Field(examples=["/files/media/0190c0de7a5e7000a000000000000004?expires=..."])
    headers: dict[str, str] = Field(examples=[{"content-type": "image/png"}])
    seconds: int = Field(description="how long it works", examples=[600])


class MediaPublic(Public):
    """An upload."""

    id: str = Field(examples=["0190c0de7a5e7000a000000000000004"])
    name: str = Field(examples=["folha.png"])
    content_type: str = Field(examples=["image/png"])
    size: int = Field(examples=[4])
    sha256: str = Field(examples=[EXAMPLE])
    status: Literal["pending", "ready"] = Field(examples=["pending"])
    created_at: datetime = Field(examples=["2026-01-01T12:00:00Z"])


class MediaStarted(MediaPublic):
    """An upload and the link to send its bytes to."""

    upload: LinkPublic

    @classmethod
    def of(cls, work: UnitOfWork, media: Media) -> Self:
        """The upload with a link that works from now on."""
        link = work.runtime.storage.upload(media.key, media.content_type, media.size, media.sha256)
        return cls(**MediaPublic.model_validate(media).model_dump(), upload=LinkPublic.model_validate(link))

    async def renewed(self, work: UnitOfWork) -> Self:
        """The same with a fresh link. Raises ProblemError 404 when the upload was deleted."""
        media = await work.session.get(Media, self.id)
        if media is None:
            raise ProblemError(404, "no such upload")
        return self.model_copy(update={"upload": self.of(work, media).upload})
