"""What can be asked about videos?"""

from typing import Annotated

from fastapi import Query, Response
from sqlmodel import col, select

from service.data.columns import Identifier
from service.http import dependencies, errors, routing
from service.http.dependencies import UnitOfWork, check_version
from service.http.documentation import HEADERS
from service.http.pages import Page, paginate, tagged
from service.media.schemas import LinkPublic
from service.projects import service as projects
from service.projects.models import Project
from service.render.errors import CourseError
from service.videos import service
from service.videos.models import FINAL, Video
from service.videos.schemas import CheckPublic, VideoPublic, VideoStatus

router = routing.router("/api/v1", "videos")
POLL_SECONDS = "2"
LINK = errors.described(401, 403, 404, 409, 422, 429)


@router.post(
    "/projects/{project_id}/videos",
    status_code=202,
    responses=errors.described(401, 403, 404, 409, 422, 429),
)
async def request_video(
    project_id: Identifier,
    work: dependencies.RequestVideos,
    response: Response,
    key: dependencies.IdempotencyKey = None,
) -> VideoPublic:
    """Ask for a video of a course; it waits until a worker takes it, and says so."""
    project = await projects.owned(work, project_id, lock=True)
    video = VideoPublic.model_validate(await service.request_video(work, project))
    return tagged(response, video, f"/api/v1/videos/{video.id}")


@router.get("/projects/{project_id}/check", responses=errors.described(401, 403, 404, 422, 429))
async def check_project(project_id: Identifier, reader: dependencies.VideoReader) -> CheckPublic:
    """What the renderer would say of the course as it is, without rendering it."""
    from service.worker import course  # noqa: PLC0415 (the renderer's models: what starts need not wait for)

    if (await projects.readable(reader, project_id))["scene_count"] == 0:
        return CheckPublic(ready=False, problem=service.EMPTY)
    try:
        await course.check(reader.runtime.database, project_id)
    except CourseError as error:
        return CheckPublic(ready=False, problem=str(error))
    return CheckPublic(ready=True, problem=None)


@router.get("/videos", responses=errors.described(401, 403, 422, 429))
async def list_videos(
    work: dependencies.ReadVideos,
    paging: dependencies.Paged,
    project_id: Annotated[Identifier | None, Query(description="only of this course")] = None,
    status: Annotated[VideoStatus | None, Query(description="only in this state")] = None,
) -> Page[VideoPublic]:
    """The videos of the caller's courses, newest first."""
    query = select(Video).where(col(Video.owner_id) == work.caller.user_id)
    if project_id is not None:
        query = query.where(col(Video.project_id) == project_id)
    if status is not None:
        query = query.where(col(Video.status) == status)
    return await paginate(Page[VideoPublic], work.session, Video, query, paging)


@router.get(
    "/videos/{video_id}",
    responses=errors.described(401, 403, 404, 422, 429) | {200: {"headers": {"Retry-After": HEADERS["Retry-After"]}}},
)
async def read_video(video_id: Identifier, response: Response, reader: dependencies.VideoReader) -> VideoPublic:
    """How far a video is: for clients without WebSocket, which ask again after `Retry-After` seconds."""
    video = VideoPublic.model_validate(await service.row_of(reader, video_id))
    if video.status not in FINAL:
        response.headers["retry-after"] = POLL_SECONDS
    return tagged(response, video)


@router.post("/videos/{video_id}/cancel", responses=errors.described(401, 403, 404, 409, 422, 429))
async def cancel_video(video_id: Identifier, work: dependencies.RequestVideos, response: Response) -> VideoPublic:
    """Give a video up."""
    video = await service.owned(work.session, work.caller, video_id, lock=True)
    service.cancel(work, video)
    await work.session.flush()
    return tagged(response, VideoPublic.model_validate(video))


@router.delete(
    "/videos/{video_id}", status_code=204, responses=errors.described(401, 403, 404, 409, 412, 422, 428, 429)
)
async def delete_video(video_id: Identifier, expected: dependencies.Expected, work: dependencies.RequestVideos) -> None:
    """Delete a video that is over, with its files."""
    video = await service.owned(work.session, work.caller, video_id, lock=True)
    check_version(expected, video.version)
    await service.delete(work, video)


@router.get("/videos/{video_id}/result", responses=LINK)
async def download_video(video_id: Identifier, work: dependencies.ReadVideos) -> LinkPublic:
    """A link to the finished video."""
    return await _link(work, video_id, "video")


@router.get("/videos/{video_id}/captions", responses=LINK)
async def download_captions(video_id: Identifier, work: dependencies.ReadVideos) -> LinkPublic:
    """A link to the captions of the finished video, as WebVTT."""
    return await _link(work, video_id, "captions")


@router.get("/videos/{video_id}/thumbnail", responses=LINK)
async def download_thumbnail(video_id: Identifier, work: dependencies.ReadVideos) -> LinkPublic:
    """A link to a picture of the finished video."""
    return await _link(work, video_id, "thumbnail")


async def _link(work: UnitOfWork, video_id: str, part: str) -> LinkPublic:
    video = await service.owned(work.session, work.caller, video_id)
    project = await work.session.get_one(Project, video.project_id)
    return service.link(work.runtime.storage, video, part, project.title)
