"""What are the rules of scenes? Order, pictures and the number of them in a course."""

from collections.abc import Sequence

import sqlalchemy
from sqlalchemy import RowMapping, Table, bindparam, func
from sqlmodel import col, select

from service.http.dependencies import UnitOfWork
from service.http.errors import ProblemError
from service.media.models import Media
from service.plans import allowances
from service.projects import service as projects
from service.projects.models import Project
from service.runtime import Runtime
from service.scenes.models import Scene
from service.scenes.schemas import SceneChange, SceneCreate, ScenePublic

MOST = 200
STEP = 1024  # room between positions, so that appending never renumbers
TABLE: Table = Scene.__table__  # type: ignore[attr-defined]
LIST = (
    sqlalchemy.select(*(TABLE.c[name] for name in ScenePublic.model_fields))
    .where(TABLE.c.project_id == bindparam("project"))
    .order_by(TABLE.c.position, TABLE.c.id)
)


async def rows_of(runtime: Runtime, project_id: str) -> Sequence[RowMapping]:
    """All scenes of a course in order, as rows: what most people read."""
    return await runtime.database.rows(LIST, {"project": project_id})


async def of_project(work: UnitOfWork, project_id: str) -> Sequence[Scene]:
    """All scenes in order."""
    query = select(Scene).where(col(Scene.project_id) == project_id).order_by(col(Scene.position), col(Scene.id))
    return (await work.session.exec(query)).all()


async def one(work: UnitOfWork, project_id: str, scene_id: str) -> Scene:
    """A scene of this course. Raises ProblemError 404."""
    scene = await work.session.get(Scene, scene_id)
    if scene is None or scene.project_id != project_id:
        raise ProblemError(404, "no such scene")
    return scene


async def create(work: UnitOfWork, project: Project, body: SceneCreate) -> Scene:
    """Append a scene; the caller holds the lock on the course. Raises ProblemError 409 when it or the plan is full."""
    if project.scene_count >= MOST:
        raise ProblemError(409, f"a course has {MOST} scenes at most")
    await allowances.admit(work.session, project.owner_id, scenes=1)
    await _check_image(work, body.image_id)
    last = select(func.max(Scene.position)).where(col(Scene.project_id) == project.id)
    position = (await work.session.exec(last)).one() or 0
    scene = Scene(project_id=project.id, position=position + STEP, **body.model_dump())
    work.session.add(scene)
    project.scene_count += 1
    work.record("scene.created", scene.id)
    work.count("scenes_created_total")
    projects.changed(work, project)
    return scene


async def change(work: UnitOfWork, project: Project, scene: Scene, body: SceneChange) -> None:
    """Change a scene. Raises ProblemError 422 for a field that cannot be null."""
    fields = body.model_dump(exclude_unset=True)
    if None in (fields.get("title", ""), fields.get("text", ""), fields.get("narration", "")):
        raise ProblemError(422, "only image_id may be null")
    await _check_image(work, fields.get("image_id"))
    scene.sqlmodel_update(fields)
    work.record("scene.changed", scene.id, fields=sorted(fields))
    projects.changed(work, project)


async def delete(work: UnitOfWork, project: Project, scene: Scene) -> None:
    """Delete a scene."""
    await work.session.delete(scene)
    project.scene_count -= 1
    work.record("scene.deleted", scene.id)
    projects.changed(work, project)


async def reorder(work: UnitOfWork, project: Project, wanted: list[str]) -> Sequence[Scene]:
    """Put the scenes into this order. Raises ProblemError 409 unless it names each of them once."""
    scenes = {scene.id: scene for scene in await of_project(work, project.id)}
    if len(wanted) != len(scenes) or set(wanted) != set(scenes):
        raise ProblemError(409, "name every scene of the course once: somebody may have added or removed one")
    for number, scene_id in enumerate(wanted, 1):
        scenes[scene_id].position = number * STEP
    work.record("scene.reordered", project.id)
    work.count("feature_use_total", feature="reorder")
    projects.changed(work, project)
    await work.session.flush()
    return [scenes[scene_id] for scene_id in wanted]


async def _check_image(work: UnitOfWork, image_id: str | None) -> None:
    if image_id is None:
        return
    media = await work.session.get(Media, image_id)
    if media is None or media.owner_id != work.caller.user_id:
        raise ProblemError(422, "image_id names no upload of the caller")
    if media.status != "ready" or not media.content_type.startswith("image/"):
        raise ProblemError(422, "image_id names no completed picture")
