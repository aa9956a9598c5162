"""What are the rules of videos? Who may ask for how many, and when one can be cancelled or fetched."""

from sqlalchemy import RowMapping, Table, bindparam, select
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from service.data.columns import now
from service.http.dependencies import UnitOfWork
from service.http.errors import ProblemError
from service.http.pages import count_of
from service.projects.models import Project
from service.runtime import Runtime
from service.security.permissions import Caller, Role
from service.videos.models import ACTIVE, FINAL, Video
from service.videos.schemas import VideoPublic

MOST_ACTIVE = 3  # per user: rendering takes minutes of CPU
TABLE: Table = Video.__table__  # type: ignore[attr-defined]
GET = select(TABLE.c.owner_id, *(TABLE.c[name] for name in VideoPublic.model_fields)).where(
    TABLE.c.id == bindparam("id")
)


async def request_video(work: UnitOfWork, project: Project) -> Video:
    """Queue a rendering. Raises ProblemError 409 for an empty course, 429 when three are under way."""
    if project.scene_count == 0:
        raise ProblemError(409, "the course has no scenes")
    mine = (col(Video.owner_id) == work.caller.user_id, col(Video.status).in_(ACTIVE))
    if await count_of(work.session, Video, *mine) >= MOST_ACTIVE:
        detail = f"{MOST_ACTIVE} videos are under way: wait for one or cancel it"
        raise ProblemError(429, detail, {"retry-after": "60"})
    video = Video(owner_id=work.caller.user_id, project_id=project.id, request_id=work.request.state.request_id)
    work.session.add(video)
    work.record("video.requested", video.id)
    work.count("video_requests_total", event="requested")
    work.after_commit(work.runtime.broker.wake)
    return video


async def row_of(runtime: Runtime, caller: Caller, video_id: str) -> RowMapping:
    """The same as `owned`, as a row: whoever waits for a video asks every other second. Raises ProblemError 404."""
    found = await runtime.database.rows(GET, {"id": video_id})
    if not found or (found[0]["owner_id"] != caller.user_id and caller.role is not Role.ADMIN):
        raise ProblemError(404, "no such video")
    return found[0]


async def owned(session: AsyncSession, caller: Caller, video_id: str, *, lock: bool = False) -> Video:
    """The caller's video, or anybody's for administrators. Raises ProblemError 404."""
    video = await session.get(Video, video_id, with_for_update=lock or None)
    if video is None or (video.owner_id != caller.user_id and caller.role is not Role.ADMIN):
        raise ProblemError(404, "no such video")
    return video


def cancel(work: UnitOfWork, video: Video) -> None:
    """Give a video up: at once when it waits, at the worker's next step when it runs. Raises ProblemError 409."""
    if video.status in FINAL:
        raise ProblemError(409, f"the video is {video.status}")
    if video.status == "queued":
        video.status, video.message, video.finished_at = "cancelled", "Cancelled", now()
    else:
        video.cancel_requested, video.message = True, "Cancelling"
    work.record("video.cancelled", video.id)
    work.count("video_requests_total", event="cancelled")
