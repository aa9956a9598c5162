"""What are the rules of scenes? Order, pictures and the number of them in a course."""

from collections.abc import Sequence

import sqlmodel
from sqlalchemy import RowMapping, Table, bindparam, case, func, select, update
from sqlmodel import col

from service.http.dependencies import Reader, UnitOfWork
from service.http.errors import ProblemError
from service.limits import LIMITS
from service.media.models import Media
from service.plans import allowances
from service.projects import service as projects
from service.projects.models import Project
from service.render.check import check
from service.scenes.models import Scene
from service.scenes.schemas import SceneChange, SceneCreate, ScenePublic

STEP = 1024  # room between positions, so that appending never renumbers
TABLE: Table = Scene.__table__  # type: ignore[attr-defined]
COLUMNS = [TABLE.c[name] for name in ScenePublic.model_fields]
OF_PROJECT = TABLE.c.project_id == bindparam("project")
LIST = select(*COLUMNS).where(OF_PROJECT).order_by(TABLE.c.position, TABLE.c.id)
GET = select(*COLUMNS).where(OF_PROJECT, TABLE.c.id == bindparam("id"))


async def rows_of(reader: Reader, project_id: str) -> Sequence[RowMapping]:
    """All scenes of a course in order."""
    return await reader.runtime.database.rows(LIST, {"project": project_id})


async def row_of(reader: Reader, project_id: str, scene_id: str) -> RowMapping:
    """A scene of this course. Raises ProblemError 404."""
    found = await reader.runtime.database.rows(GET, {"project": project_id, "id": scene_id})
    if not found:
        raise ProblemError(404, "no such scene")
    return found[0]


async def one(work: UnitOfWork, project_id: str, scene_id: str) -> Scene:
    """The same, to be changed. Raises ProblemError 404."""
    scene = await work.session.get(Scene, scene_id)
    if scene is None or scene.project_id != project_id:
        raise ProblemError(404, "no such scene")
    return scene


async def append(work: UnitOfWork, project: Project, bodies: Sequence[SceneCreate]) -> list[Scene]:
    """Append scenes; the caller holds the lock on the course. Raises ProblemError 409 when it or the plan is full."""
    if project.scene_count + len(bodies) > LIMITS.scenes:
        raise ProblemError(409, f"a course has {LIMITS.scenes} scenes at most")
    await allowances.admit(work.session, project.owner_id, scenes=len(bodies))
    last = sqlmodel.select(func.max(Scene.position)).where(col(Scene.project_id) == project.id)
    position = (await work.session.exec(last)).one() or 0
    made = []
    for number, body in enumerate(bodies, 1):
        await _check_media(work, project, body)
        scene = Scene(project_id=project.id, position=position + number * STEP, **body.model_dump())
        check(scene.slide)
        work.session.add(scene)
        work.record("scene.created", scene.id)
        made.append(scene)
    await projects.count_scenes(work, project, len(made))
    work.count("scenes_created_total", len(made))
    projects.outdate(work, project)
    return made


async def change(work: UnitOfWork, project: Project, scene: Scene, body: SceneChange) -> None:
    """Change a scene; the picture and sound that it has may be sent back, whoever uploaded it."""
    fields = body.model_dump(exclude_unset=True)
    await _check_media(work, project, body, scene)
    scene.sqlmodel_update(fields)
    check(scene.slide)
    work.record("scene.changed", scene.id, fields=sorted(fields))
    projects.outdate(work, project)


async def delete(work: UnitOfWork, project: Project, scene: Scene) -> None:
    """Delete a scene; the caller holds the lock. Raises ProblemError 409 for the last one of a published course."""
    if project.status == "published" and project.scene_count == 1:
        raise ProblemError(409, "a published course keeps a scene: take it out of the catalogue first")
    await work.session.delete(scene)
    await projects.count_scenes(work, project, -1)
    work.record("scene.deleted", scene.id)
    projects.outdate(work, project)


async def reorder(work: UnitOfWork, project: Project, wanted: list[str]) -> Sequence[RowMapping]:
    """Put the scenes into this order, which is none of their own contents: their versions stay.

    Raises ProblemError 409 unless it names each of them once.
    """
    connection = await work.session.connection()
    scenes = {row["id"]: row for row in (await connection.execute(LIST, {"project": project.id})).mappings()}
    if len(wanted) != len(scenes) or set(wanted) != set(scenes):
        raise ProblemError(409, "name every scene of the course once: somebody may have added or removed one")
    if wanted:
        places = {scene_id: number * STEP for number, scene_id in enumerate(wanted, 1)}
        placed = {"position": case(places, value=TABLE.c.id), "updated_at": TABLE.c.updated_at}
        await connection.execute(update(TABLE).where(TABLE.c.project_id == project.id).values(placed))
    work.record("scene.reordered", project.id)
    work.count("feature_use_total", feature="reorder")
    projects.outdate(work, project)
    return [scenes[scene_id] for scene_id in wanted]


async def _check_media(
    work: UnitOfWork, project: Project, body: SceneCreate | SceneChange, before: Scene | None = None
) -> None:
    for field, kind in (("image_id", "image/"), ("audio_id", "audio/")):
        media_id: str | None = getattr(body, field)
        if media_id is None or media_id == getattr(before, field, None):
            continue
        media = await work.session.get(Media, media_id)
        if media is None or media.owner_id not in {work.caller.user_id, project.owner_id}:
            raise ProblemError(422, f"{field} names no upload of the caller")
        if media.status != "ready" or not media.content_type.startswith(kind):
            raise ProblemError(422, f"{field} names no completed {'picture' if kind == 'image/' else 'sound'}")
