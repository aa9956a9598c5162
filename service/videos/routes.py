"""What can be asked about videos?"""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from sqlmodel import col, select

from service.data.columns import Identifier
from service.http import dependencies, errors
from service.http.dependencies import UnitOfWork
from service.http.documentation import HEADERS
from service.http.errors import ProblemError
from service.http.idempotency import IdempotentRoute
from service.http.pages import Page, answer, paginate, tagged
from service.media.schemas import LinkPublic
from service.projects import service as projects
from service.videos import service
from service.videos.models import FINAL, Files, Video
from service.videos.schemas import VideoPublic, VideoRequest

router = APIRouter(prefix=dependencies.API, tags=["videos"], route_class=IdempotentRoute)
POLL_SECONDS = "2"


@router.post(
    "/projects/{project_id}/videos",
    status_code=202,
    responses=errors.described(401, 403, 404, 409, 413, 422, 429),
)
async def request_video(
    project_id: Identifier,
    work: dependencies.RequestVideos,
    response: Response,
    body: VideoRequest | None = None,
    key: dependencies.IdempotencyKey = None,
) -> VideoPublic:
    """Ask for a video of a course; it waits until a worker takes it, and says so."""
    project = await projects.owned(work, project_id, lock=True)
    video = VideoPublic.model_validate(await service.request_video(work, project))
    return tagged(response, video, f"/api/v1/videos/{video.id}")


@router.get("/videos", response_model=Page[VideoPublic], responses=errors.described(401, 403, 422, 429))
async def list_videos(
    work: dependencies.ReadVideos,
    paging: dependencies.Paged,
    project_id: Annotated[Identifier | None, Query(description="only of this course")] = None,
) -> Page[VideoPublic]:
    """The caller's videos, newest first."""
    query = select(Video).where(col(Video.owner_id) == work.caller.user_id)
    if project_id is not None:
        query = query.where(col(Video.project_id) == project_id)
    return await paginate(Page[VideoPublic], work.session, Video, query, paging)


@router.get(
    "/videos/{video_id}",
    response_model=VideoPublic,
    responses=errors.described(401, 403, 404, 422, 429) | {200: {"headers": {"Retry-After": HEADERS["Retry-After"]}}},
)
async def read_video(
    video_id: Identifier, runtime: dependencies.RuntimeDep, caller: dependencies.VideoReader
) -> Response:
    """How far a video is: for clients without WebSocket, which ask again after `Retry-After` seconds."""
    row = await service.row_of(runtime, caller, video_id)
    response = answer(VideoPublic.model_validate(row), version=row["version"])
    if row["status"] not in FINAL:
        response.headers["retry-after"] = POLL_SECONDS
    return response


@router.post(
    "/videos/{video_id}/cancel", response_model=VideoPublic, responses=errors.described(401, 403, 404, 409, 422, 429)
)
async def cancel_video(video_id: Identifier, work: dependencies.RequestVideos) -> Response:
    """Give a video up."""
    video = await service.owned(work.session, work.caller, video_id, lock=True)
    service.cancel(work, video)
    await work.session.flush()
    return answer(VideoPublic.model_validate(video), version=video.version)


@router.get(
    "/videos/{video_id}/result", response_model=LinkPublic, responses=errors.described(401, 403, 404, 409, 422, 429)
)
async def download_video(video_id: Identifier, work: dependencies.ReadVideos) -> LinkPublic:
    """A link to the finished video."""
    return await _link(work, video_id, "video", "video/mp4")


@router.get(
    "/videos/{video_id}/captions", response_model=LinkPublic, responses=errors.described(401, 403, 404, 409, 422, 429)
)
async def download_captions(video_id: Identifier, work: dependencies.ReadVideos) -> LinkPublic:
    """A link to the captions of the finished video, as WebVTT."""
    return await _link(work, video_id, "captions", "text/vtt")


@router.get(
    "/videos/{video_id}/thumbnail", response_model=LinkPublic, responses=errors.described(401, 403, 404, 409, 422, 429)
)
async def download_thumbnail(video_id: Identifier, work: dependencies.ReadVideos) -> LinkPublic:
    """A link to a picture of the finished video."""
    return await _link(work, video_id, "thumbnail", "image/jpeg")


async def _link(work: UnitOfWork, video_id: str, part: str, content_type: str) -> LinkPublic:
    video = await service.owned(work.session, work.caller, video_id)
    if video.status != "done" or video.result_key is None:
        raise ProblemError(409, f"the video is {video.status}: {video.message}")
    key: str = getattr(Files.of(video.id, video.attempt), part)
    name = f"{video.id}.{key.rpartition('.')[2]}"
    return LinkPublic.model_validate(work.runtime.storage.download(key, content_type, name))
