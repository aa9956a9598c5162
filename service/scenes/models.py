"""How is a scene stored?"""

from sqlalchemy import Boolean, ForeignKey, Index
from sqlmodel import Field

from service.data.columns import TABLE, Key, Long, Versioned


class Scene(Versioned, table=True):
    """One step of a course. Positions order scenes; they need not be gapless and are never shown."""

    __tablename__ = "scene"
    __table_args__ = (Index("ix_scene_project_id", "project_id", "position"), TABLE)
    project_id: str = Field(sa_type=Key, sa_column_args=(ForeignKey("project.id", ondelete="CASCADE"),))
    position: int
    title: str = Field(max_length=200)
    text: str = Field(default="", sa_type=Long)
    narration: str = Field(default="", sa_type=Long)
    image_id: str | None = Field(
        default=None, sa_type=Key, sa_column_args=(ForeignKey("media.id", ondelete="SET NULL"),)
    )
    audio_id: str | None = Field(
        default=None, sa_type=Key, sa_column_args=(ForeignKey("media.id", ondelete="SET NULL"),)
    )
    presenter: bool = Field(default=False, sa_type=Boolean)

    @property
    def slide(self) -> dict[str, object]:
        """As the renderer takes it; a line of the text is a bullet, with or without a dash of its own."""
        bullets = [line.strip().removeprefix("- ").strip() for line in self.text.splitlines()]
        return {
            "title": self.title,
            "bullets": [bullet for bullet in bullets if bullet],
            "narration": self.narration,
            "image": self.image_id,
            "audio": self.audio_id,
            "presenter": self.presenter,
        }
