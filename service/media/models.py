"""How is an upload stored?"""

from sqlalchemy import BigInteger, ForeignKey, Index
from sqlmodel import Field

from service.data.columns import TABLE, Digest, Identified, Key


class Media(Identified, table=True):
    """An upload: `pending` until its bytes were checked against size and checksum, then `ready`."""

    __tablename__ = "media"
    __table_args__ = (Index("ix_media_owner_id", "owner_id", "id"), TABLE)
    owner_id: str = Field(sa_type=Key, sa_column_args=(ForeignKey("user.id"),))
    name: str = Field(max_length=200)
    content_type: str = Field(max_length=60)
    size: int = Field(sa_type=BigInteger)
    sha256: str = Field(sa_type=Digest)
    status: str = Field(default="pending", max_length=20)
    seconds: float | None = Field(default=None, description="how long a sound lasts, once it is ready")

    @property
    def key(self) -> str:
        """Where the bytes are; made of the identifier alone, so that no name can leave the folder."""
        return f"media/{self.id}"
