"""How does a stored course become one that can be rendered?"""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import ValidationError
from sqlmodel import col, select

from service.data.database import Database
from service.media.models import Media
from service.projects.models import Project
from service.render.course import Course, Language, explain
from service.render.errors import CourseError
from service.scenes.models import Scene

_LANGUAGES: Mapping[str, Language] = {"pt-BR": "pt-br", "pt": "pt", "en": "en-us", "es": "es", "es-ES": "es"}
_FAMILIES: Mapping[str, Language] = {"pt": "pt", "en": "en-us", "es": "es-419"}


@dataclass(frozen=True)
class Stored:
    """A course, and its images by the names that its scenes use (identifiers of uploads)."""

    course: Course
    images: Mapping[str, Media]

    def explain(self, message: str) -> str:
        """A message with the author's own names of images."""
        for identifier, media in self.images.items():
            message = message.replace(identifier, media.name)
        return message


async def load(database: Database, project_id: str) -> Stored:
    """The course of a project: a cover with its description, then its scenes. Raises CourseError."""
    async with database.reading() as session:
        project = await session.get(Project, project_id)
        if project is None:
            raise CourseError("the course was deleted")
        order = (col(Scene.position), col(Scene.id))
        scenes = (await session.exec(select(Scene).where(Scene.project_id == project_id).order_by(*order))).all()
        wanted = {scene.image_id for scene in scenes if scene.image_id}
        media = (await session.exec(select(Media).where(col(Media.id).in_(wanted)))).all() if wanted else []
    cover = {"title": project.title, "narration": project.description}
    rows = [_scene(scene) for scene in scenes]
    try:
        course = Course.model_validate(
            {"title": project.title, "language": language(project.language), "scenes": [cover, *rows]}
        )
    except ValidationError as error:
        raise CourseError(explain(error)) from None
    return Stored(course, {row.id: row for row in media})


def language(tag: str) -> Language:
    """The voice for a language tag such as pt-BR. Raises CourseError when there is none."""
    found = _LANGUAGES.get(tag) or _FAMILIES.get(tag.partition("-")[0])
    if found is None:
        raise CourseError(f"there is no voice for the language '{tag}': choose pt-BR, pt-PT, en-US, es-ES or es-MX")
    return found


def _scene(scene: Scene) -> dict[str, object]:
    bullets = [line.strip().removeprefix("- ").strip() for line in scene.text.splitlines()]
    return {
        "title": scene.title,
        "bullets": [bullet for bullet in bullets if bullet],
        "narration": scene.narration,
        "image": scene.image_id,
    }
