"""How does a stored course become one that can be rendered?"""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import ValidationError
from sqlmodel import col, select

from service.data.database import Database
from service.limits import LIMITS
from service.media.models import Media
from service.projects.models import Project
from service.render.check import check_course
from service.render.course import Course, refusal, voice
from service.render.errors import CourseError
from service.scenes.models import Scene


@dataclass(frozen=True)
class Stored:
    """A course, and its pictures and sounds by the names that its scenes use (identifiers of uploads)."""

    course: Course
    images: Mapping[str, Media]
    language: str

    def explain(self, error: CourseError) -> CourseError:
        """The same with the author's own names of images, in the course's language."""
        return error.naming({row.id: row.name for row in self.images.values()}).to(self.language)


async def load(database: Database, project_id: str) -> Stored:
    """The course of a project: a cover with its description, then its scenes. Raises CourseError."""
    async with database.reading() as session:
        project = await session.get(Project, project_id)
        if project is None:
            raise CourseError.of("course_gone")
        order = (col(Scene.position), col(Scene.id))
        scenes = (await session.exec(select(Scene).where(Scene.project_id == project_id).order_by(*order))).all()
        wanted = {name for scene in scenes for name in (scene.image_id, scene.audio_id) if name}
        media = (await session.exec(select(Media).where(col(Media.id).in_(wanted)))).all() if wanted else []
    slides = [project.cover, *(scene.slide for scene in scenes)]
    try:
        course = Course.model_validate({"title": project.title, "language": voice(project.language), "scenes": slides})
    except ValidationError as error:
        raise refusal(error).to(project.language) from None
    lasts = {row.id: row.seconds or 0 for row in media}
    if sum(lasts.get(scene.audio_id or "", 0) for scene in scenes) > LIMITS.recordings:
        raise CourseError.of("too_much_sound", most=LIMITS.recordings).to(project.language)
    return Stored(course, {row.id: row for row in media}, project.language)


async def check(database: Database, project_id: str) -> None:
    """Raise CourseError for what the renderer would refuse of a stored course; its pictures were checked on arrival."""
    stored = await load(database, project_id)
    try:
        check_course(stored.course)
    except CourseError as error:
        raise stored.explain(error) from None
