"""Who may watch a course's video? Whoever may read the course, and whoever holds its link until that is withdrawn."""

import hashlib
import secrets

from sqlmodel import col, delete, select

from service.data.columns import Identifier
from service.http import dependencies, errors, routing
from service.http.errors import ProblemError
from service.media import service as media
from service.media.models import Media
from service.media.schemas import LinkPublic
from service.projects import service as projects
from service.projects.models import Project
from service.projects.schemas import ProjectPublic
from service.scenes.models import Scene
from service.videos import service
from service.videos.models import Share
from service.videos.schemas import SharePublic, WatchPublic

router = routing.router("/api/v1", "videos")


@router.get("/projects/{project_id}/watch", responses=errors.described(401, 403, 404, 422, 429))
async def watch_project(project_id: Identifier, reader: dependencies.ProjectReader) -> WatchPublic:
    """The newest finished video of a course: the caller's own, or a published one."""
    project = ProjectPublic.model_validate(await projects.readable(reader, project_id))
    async with reader.runtime.database.reading() as session:
        return await service.watch(session, reader.runtime.storage, project)


@router.get("/projects/{project_id}/pictures/{media_id}", responses=errors.described(401, 403, 404, 422, 429))
async def show_picture(project_id: Identifier, media_id: Identifier, reader: dependencies.ProjectReader) -> LinkPublic:
    """A link to a picture that a scene of the course shows, to be shown in a page."""
    await projects.readable(reader, project_id)
    shown = select(Media).join(Scene, col(Scene.image_id) == col(Media.id))
    async with reader.runtime.database.reading() as session:
        found = await session.exec(shown.where(Scene.project_id == project_id, Media.id == media_id))
        picture = found.first()
    if picture is None:
        raise ProblemError(404, "no scene of this course shows such a picture")
    return media.link(reader.runtime.storage, picture, inline=True)


@router.post("/projects/{project_id}/share", status_code=201, responses=errors.described(401, 403, 404, 422, 429))
async def share_project(project_id: Identifier, work: dependencies.WriteProjects) -> SharePublic:
    """Make a link for people without an account; one that was there before is withdrawn."""
    project = await projects.owned(work, project_id, lock=True)
    token = secrets.token_urlsafe(32)
    await work.session.exec(delete(Share).where(col(Share.project_id) == project.id))
    work.session.add(Share(project_id=project.id, token_hash=_hashed(token)))
    work.record("project.shared", project.id)
    return SharePublic(token=token, url=f"/api/v1/shares/{token}")


@router.delete("/projects/{project_id}/share", status_code=204, responses=errors.described(401, 403, 404, 422, 429))
async def withdraw_share(project_id: Identifier, work: dependencies.WriteProjects) -> None:
    """Withdraw the link; links to files that were handed out work for some minutes more."""
    project = await projects.owned(work, project_id, lock=True)
    await work.session.exec(delete(Share).where(col(Share.project_id) == project.id))
    work.record("project.unshared", project.id)


@router.get("/shares/{token}", responses=errors.described(404, 422, 429))
async def watch_shared(token: dependencies.Secret, runtime: dependencies.RuntimeDep) -> WatchPublic:
    """The newest finished video of the course that this link is for; no account is needed."""
    async with runtime.database.reading() as session:
        shared = select(Project).join(Share, col(Share.project_id) == col(Project.id))
        project = (await session.exec(shared.where(Share.token_hash == _hashed(token)))).first()
        if project is None:
            raise ProblemError(404, "this link was withdrawn, or never was one")
        return await service.watch(session, runtime.storage, ProjectPublic.model_validate(project))


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
