"""What are the rules of videos? Who may ask for how many, and when one can be cancelled, deleted or fetched.

A video belongs to the owner of its course, whoever asked for it: so the owner sees it, may cancel it, and is counted.
"""

from datetime import timedelta

from sqlalchemy import RowMapping, Table, bindparam
from sqlalchemy import select as select_rows
from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from service.data.columns import now
from service.data.disposal import dispose
from service.data.storage import Storage
from service.http.dependencies import Reader, UnitOfWork
from service.http.errors import ProblemError
from service.media.schemas import LinkPublic
from service.media.service import KEPT
from service.plans import allowances
from service.projects.models import Project
from service.projects.schemas import ProjectPublic
from service.security.permissions import Caller, Role
from service.videos.models import ACTIVE, FINAL, Files, Video
from service.videos.schemas import VideoPublic, WatchPublic

EMPTY = "the course has no scenes"
MOST_ACTIVE = 3  # per owner: rendering takes minutes of CPU
DAY = timedelta(hours=24)
TYPES = {"video": "video/mp4", "captions": "text/vtt", "thumbnail": "image/jpeg"}
TABLE: Table = Video.__table__  # type: ignore[attr-defined]
GET = select_rows(TABLE.c.owner_id, *(TABLE.c[name] for name in VideoPublic.model_fields)).where(
    TABLE.c.id == bindparam("id")
)

TODAY = (col(Video.owner_id) == bindparam("user_id"), col(Video.created_at) > bindparam("since"))
USED = allowances.measuring(
    select(func.count()).where(TODAY[0], col(Video.status).in_(ACTIVE)), select(func.count()).where(*TODAY), *KEPT
)


async def request_video(work: UnitOfWork, project: Project) -> Video:
    """Queue a rendering; the caller holds the lock on the course.

    Raises ProblemError 409 for an empty course or a full plan, 429 when three are under way or the day's are used up.
    """
    if project.scene_count == 0:
        raise ProblemError(409, EMPTY)
    values = {"user_id": project.owner_id, "since": now() - DAY}
    allowance, (under_way, asked, *kept) = await allowances.hold(work.session, USED, **values)
    if under_way >= MOST_ACTIVE:
        detail = f"{MOST_ACTIVE} videos are under way: wait for one or cancel it"
        raise ProblemError(429, detail, {"retry-after": "60"})
    if asked >= allowance.videos_a_day:
        oldest = select(func.min(Video.created_at)).where(*TODAY).params(**values)
        free = (await work.session.exec(oldest)).one() + DAY
        detail = f"this plan includes {allowance.videos_a_day} videos in 24 hours: the next one at {free:%H:%M} UTC"
        raise ProblemError(429, detail, {"retry-after": str(max(1, int((free - now()).total_seconds()) + 1))})
    allowance.check("bytes", sum(kept) + 1)
    video = Video(owner_id=project.owner_id, project_id=project.id, request_id=work.request.state.request_id)
    work.session.add(video)
    work.record("video.requested", video.id)
    work.count("video_requests_total", event="requested")
    work.after_commit(work.runtime.broker.wake)
    return video


async def row_of(reader: Reader, video_id: str) -> RowMapping:
    """The same as `owned`, as a row: whoever waits for a video asks every other second. Raises ProblemError 404."""
    caller, found = reader.caller, await reader.runtime.database.rows(GET, {"id": video_id})
    if not found or (found[0]["owner_id"] != caller.user_id and caller.role is not Role.ADMIN):
        raise ProblemError(404, "no such video")
    return found[0]


async def owned(session: AsyncSession, caller: Caller, video_id: str, *, lock: bool = False) -> Video:
    """A video of the caller's courses, or anybody's for administrators. Raises ProblemError 404."""
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


async def delete(work: UnitOfWork, video: Video) -> None:
    """Delete a video that is over, its files after the commit. Raises ProblemError 409 while it is under way."""
    if video.status in ACTIVE:
        raise ProblemError(409, f"the video is {video.status}: cancel it first")
    await dispose(work.session, work.runtime.storage, video.files)
    await work.session.delete(video)
    work.record("video.deleted", video.id)


def link(storage: Storage, video: Video, part: str, title: str, *, inline: bool = False) -> LinkPublic:
    """A link to the video, its captions or its thumbnail, named after the course. Raises ProblemError 409."""
    if video.status != "done" or video.result_key is None:
        raise ProblemError(409, f"the video is {video.status}: {video.message}")
    key: str = getattr(Files.of(video.id, video.attempt), part)
    name = f"{title}.{key.rpartition('.')[2]}"
    return LinkPublic.model_validate(storage.download(key, TYPES[part], name, inline=inline))


async def watch(session: AsyncSession, storage: Storage, project: ProjectPublic) -> WatchPublic:
    """The newest finished video of a course. Raises ProblemError 404 when there is none."""
    done = select(Video).where(col(Video.project_id) == project.id, col(Video.status) == "done")
    video = (await session.exec(done.order_by(col(Video.id).desc()).limit(1))).first()
    if video is None:
        raise ProblemError(404, "this course has no finished video")
    links = {part: link(storage, video, part, project.title, inline=True) for part in TYPES}
    return WatchPublic(
        project_id=project.id,
        title=project.title,
        description=project.description,
        language=project.language,
        finished_at=video.finished_at,
        **links,
    )
