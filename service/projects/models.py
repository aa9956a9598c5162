"""How is a course stored?"""

from sqlalchemy import ForeignKey, Index
from sqlmodel import Field

from service.data.columns import TABLE, Key, Versioned


class Project(Versioned, table=True):
    """A course. `id` orders by creation, so (owner_id, id) answers a page from one index range."""

    __tablename__ = "project"
    __table_args__ = (
        Index("ix_project_owner_id", "owner_id", "id"),
        Index("ix_project_status", "status", "id"),
        TABLE,
    )
    owner_id: str = Field(sa_type=Key, sa_column_args=(ForeignKey("user.id"),))
    title: str = Field(max_length=200)
    description: str = Field(default="", max_length=2000)
    language: str = Field(default="pt-BR", max_length=16)
    status: str = Field(default="draft", max_length=20)
    scene_count: int = Field(default=0)

    @property
    def cover(self) -> dict[str, object]:
        """The first slide, as the renderer takes it."""
        return {"title": self.title, "narration": self.description}
