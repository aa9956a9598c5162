"""What are the rules of courses? The hot reads as prepared rows, the rest as models."""

from collections.abc import Sequence

import sqlmodel
from sqlalchemy import RowMapping, Table, bindparam, select, update
from sqlalchemy.orm.attributes import set_committed_value

from service.data.disposal import dispose
from service.http.dependencies import Paging, Reader, UnitOfWork
from service.http.errors import ProblemError
from service.http.pages import LAST
from service.plans import allowances
from service.projects.models import Project
from service.projects.schemas import ProjectChange, ProjectCreate, ProjectPublic
from service.render.check import check
from service.security.permissions import Role
from service.users.models import User
from service.videos.models import Video

TABLE: Table = Project.__table__  # type: ignore[attr-defined]
COLUMNS = [TABLE.c[name] for name in ProjectPublic.model_fields]
# Built once: constructing and hydrating these per request is half of what a list costs.
LIST = (
    select(*COLUMNS)
    .where(TABLE.c.owner_id == bindparam("owner"), TABLE.c.id < bindparam("before"))
    .order_by(TABLE.c.id.desc())
    .limit(bindparam("most"))
)
PUBLISHED = (
    select(*COLUMNS)
    .where(TABLE.c.status == "published", TABLE.c.id < bindparam("before"))
    .order_by(TABLE.c.id.desc())
    .limit(bindparam("most"))
)
COUNT = (
    update(TABLE)
    .where(TABLE.c.id == bindparam("of"))
    .values(scene_count=TABLE.c.scene_count + bindparam("by"), updated_at=TABLE.c.updated_at)
)
GET = select(*COLUMNS).where(TABLE.c.id == bindparam("id"))


async def rows_of(reader: Reader, paging: Paging) -> Sequence[RowMapping]:
    """The page's courses of the caller and one more, newest first."""
    wanted = {"owner": reader.caller.user_id, "before": paging.cursor or LAST, "most": paging.limit + 1}
    return await reader.runtime.database.rows(LIST, wanted)


async def published(reader: Reader, paging: Paging) -> Sequence[RowMapping]:
    """The page's published courses of everybody and one more, newest first."""
    return await reader.runtime.database.rows(PUBLISHED, {"before": paging.cursor or LAST, "most": paging.limit + 1})


async def readable(reader: Reader, project_id: str) -> RowMapping:
    """One course that the caller may read. Raises ProblemError 404 for strangers' drafts too: existence is not told."""
    caller, found = reader.caller, await reader.runtime.database.rows(GET, {"id": project_id})
    if not found or not (
        found[0]["owner_id"] == caller.user_id or found[0]["status"] == "published" or caller.role is Role.ADMIN
    ):
        raise ProblemError(404, "no such project")
    return found[0]


async def owned(work: UnitOfWork, project_id: str, *, lock: bool = False) -> Project:
    """The course as its owner (or an administrator) may change it. Raises ProblemError 404."""
    project = await work.session.get(Project, project_id, with_for_update=lock or None)
    if project is None or (project.owner_id != work.caller.user_id and work.caller.role is not Role.ADMIN):
        raise ProblemError(404, "no such project")
    return project


async def create(work: UnitOfWork, body: ProjectCreate) -> Project:
    """Store a new course. Raises ProblemError 409 beyond the caller's plan."""
    await allowances.admit(work.session, work.caller.user_id, courses=1)
    project = Project(owner_id=work.caller.user_id, **body.model_dump())
    check(project.cover, cover=True)
    work.session.add(project)
    work.record("project.created", project.id)
    work.count("projects_created_total")
    outdate(work, project)
    return project


async def change(work: UnitOfWork, project: Project, body: ProjectChange) -> None:
    """Change a course; the caller holds its lock.

    Raises ProblemError 409 when an empty one is to be published, 403 when nobody confirmed the owner's address.
    """
    fields = body.model_dump(exclude_unset=True)
    if fields.get("status") == "published":
        if project.scene_count == 0:
            raise ProblemError(409, "a course without scenes cannot be published")
        mail = work.runtime.settings.mail.transport != "none"  # without it nobody could
        if mail and (await work.session.get_one(User, project.owner_id)).confirmed_at is None:
            raise ProblemError(403, "confirm your address before you publish: POST /api/v1/users/me/confirmation")
        work.count("feature_use_total", feature="publish")
    project.sqlmodel_update(fields)
    if not fields.keys().isdisjoint(project.cover | {"description": ""}):
        check(project.cover, cover=True)
    work.record("project.changed", project.id, fields=sorted(fields))
    outdate(work, project)


async def delete(work: UnitOfWork, project: Project) -> None:
    """Delete a course with its scenes and videos; files go after the commit."""
    videos = (await work.session.exec(sqlmodel.select(Video).where(Video.project_id == project.id))).all()
    keys = [key for video in videos for key in video.files]
    await dispose(work.session, work.runtime.storage, keys)
    await work.session.delete(project)
    work.record("project.deleted", project.id)
    outdate(work, project)


async def count_scenes(work: UnitOfWork, project: Project, by: int) -> None:
    """Count scenes; the caller holds the lock. It makes no other version: whoever edits the title is not disturbed."""
    connection = await work.session.connection()
    await connection.execute(COUNT, {"of": project.id, "by": by})
    set_committed_value(project, "scene_count", project.scene_count + by)


def outdate(work: UnitOfWork, project: Project) -> None:
    """Forget the owner's kept pages once the change is committed."""
    owner = project.owner_id
    work.after_commit(lambda: work.runtime.cache.outdate(owner))
