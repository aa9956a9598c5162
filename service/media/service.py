"""What are the rules of uploads? Start, send to the store directly, complete with a checksum."""

import asyncio
from datetime import timedelta

from sqlalchemy import bindparam, func, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from service.data.columns import now
from service.data.database import Database
from service.data.disposal import dispose
from service.data.storage import Storage
from service.http.dependencies import Reader, UnitOfWork
from service.http.errors import ProblemError
from service.limits import LIMITS
from service.media.models import Media
from service.media.schemas import LinkPublic, MediaCreate
from service.plans import allowances
from service.render.errors import CourseError
from service.scenes.models import Scene
from service.security import audit
from service.security.permissions import Caller
from service.videos.models import Video

ABANDONED = timedelta(hours=24)  # an upload that nobody completed
AT_ONCE = 500
KEPT = (  # bytes of `:user_id`: uploads and videos
    select(func.sum(Media.size)).where(col(Media.owner_id) == bindparam("user_id")),
    select(func.sum(Video.size)).where(col(Video.owner_id) == bindparam("user_id")),
)
ROOM = allowances.measuring(*KEPT)
DECODING = asyncio.Semaphore(1)  # a picture may take 100 MB while it is decoded


async def start(work: UnitOfWork, body: MediaCreate) -> Media:
    """Announce an upload. Raises ProblemError 413 when it is too large, 409 beyond the caller's plan."""
    largest = work.runtime.settings.media.largest_upload
    if body.size > largest:
        raise ProblemError(413, f"an upload has {largest} bytes at most")
    allowance, kept = await allowances.hold(work.session, ROOM, user_id=work.caller.user_id)
    allowance.check("bytes", sum(kept) + body.size)
    media = Media(owner_id=work.caller.user_id, **body.model_dump())
    work.session.add(media)
    work.record("media.started", media.id)
    work.count("media_uploads_total", result="started")
    return media


async def owned(session: AsyncSession, caller: Caller, media_id: str, *, lock: bool = False) -> Media:
    """The caller's upload. Raises ProblemError 404."""
    media = await session.get(Media, media_id, with_for_update=lock or None)
    if media is None or media.owner_id != caller.user_id:
        raise ProblemError(404, "no such upload")
    return media


async def complete(writer: Reader, media_id: str) -> Media:
    """Compare what arrived with what was announced; repeating it is harmless. Raises ProblemError 404, 409,
    CourseError for what the renderer would refuse.

    The store is asked while no transaction is open: a slow one must not hold the database's connections.
    """
    runtime, caller = writer.runtime, writer.caller
    async with runtime.database.reading() as session:
        media = await owned(session, caller, media_id)
    if media.status == "ready":
        return media
    stored = await runtime.storage.stat(media.key)
    if stored is None:
        raise ProblemError(409, "nothing was uploaded yet: send the bytes to the upload link")
    try:
        if (stored.size, stored.sha256) != (media.size, media.sha256):
            raise CourseError.of("upload_differs")
        seconds = await _seconds(runtime.storage, media)
    except CourseError:
        runtime.metrics.count("media_uploads_total", result="refused")
        await runtime.storage.delete(media.key)
        raise
    async with runtime.database.transaction() as session:
        media = await owned(session, caller, media_id, lock=True)
        if media.status != "ready":
            media.status, media.seconds = "ready", seconds
            audit.record(session, writer.request, "media.completed", actor=caller.user_id, target=media.id)
            runtime.metrics.count("media_uploads_total", result="completed")
            runtime.metrics.count("media_upload_bytes_total", stored.size)
    return media


async def _seconds(storage: Storage, media: Media) -> float | None:
    """How long a sound lasts, None for pictures. Raises CourseError for what the renderer would refuse."""
    from service.render import images, recording  # noqa: PLC0415 (Pillow: what starts need not wait for)

    async with DECODING:
        content = await storage.get(media.key, LIMITS.upload + 1) or b""
        if media.content_type.startswith("audio/"):
            return (await asyncio.to_thread(recording.load, content, media.name)).seconds
        await asyncio.to_thread(images.load, content, media.name, (64, 64))
        return None


def link(storage: Storage, media: Media, *, inline: bool = False) -> LinkPublic:
    """A link to the bytes. Raises ProblemError 409 before they are there."""
    if media.status != "ready":
        raise ProblemError(409, "the upload is not complete")
    return LinkPublic.model_validate(storage.download(media.key, media.content_type, media.name, inline=inline))


async def delete(work: UnitOfWork, media: Media) -> None:
    """Delete an upload; scenes that had it lose it in a new version, the bytes go after the commit."""
    owner = media.owner_id
    for name in ("image_id", "audio_id"):
        lost = {name: None, "version": col(Scene.version) + 1}
        await work.session.exec(update(Scene).where(getattr(Scene, name) == media.id).values(lost))
    await dispose(work.session, work.runtime.storage, [media.key])
    await work.session.delete(media)
    work.record("media.deleted", media.id)
    work.after_commit(lambda: work.runtime.cache.outdate(owner))  # pages of scenes that had it


async def purge(database: Database, storage: Storage) -> int:
    """Forget uploads that were announced a day ago and never completed; how many."""
    async with database.transaction() as session:
        old = (col(Media.status) == "pending", col(Media.created_at) < now() - ABANDONED)
        rows = (await session.exec(select(Media).where(*old).limit(AT_ONCE))).all()
        for media in rows:
            await session.delete(media)
        await dispose(session, storage, [media.key for media in rows])
    return len(rows)
