"""What are the rules of uploads? Start, send to the store directly, complete with a checksum."""

from sqlmodel import col, update

from service.http.dependencies import UnitOfWork
from service.http.errors import ProblemError
from service.media.models import Media
from service.media.schemas import MediaCreate
from service.scenes.models import Scene


def start(work: UnitOfWork, body: MediaCreate) -> Media:
    """Announce an upload. Raises ProblemError 413 when it is too large."""
    largest = work.runtime.settings.media.largest_upload
    if body.size > largest:
        raise ProblemError(413, f"an upload has {largest} bytes at most")
    media = Media(owner_id=work.caller.user_id, **body.model_dump())
    work.session.add(media)
    work.record("media.started", media.id)
    work.count("media_uploads_total", result="started")
    return media


async def owned(work: UnitOfWork, media_id: str) -> Media:
    """The caller's upload. Raises ProblemError 404."""
    media = await work.session.get(Media, media_id)
    if media is None or media.owner_id != work.caller.user_id:
        raise ProblemError(404, "no such upload")
    return media


async def complete(work: UnitOfWork, media: Media) -> None:
    """Compare what arrived with what was announced; repeating it is harmless. Raises ProblemError 409, 422."""
    if media.status == "ready":
        return
    storage = work.runtime.storage
    stored = await storage.stat(media.key)
    if stored is None:
        raise ProblemError(409, "nothing was uploaded yet: send the bytes to the upload link")
    if (stored.size, stored.sha256) != (media.size, media.sha256):
        work.count("media_uploads_total", result="refused")
        await storage.delete(media.key)
        raise ProblemError(422, "size or checksum differ from what was announced: upload again")
    media.status = "ready"
    work.record("media.completed", media.id)
    work.count("media_uploads_total", result="completed")
    work.count("media_upload_bytes_total", stored.size)


async def delete(work: UnitOfWork, media: Media) -> None:
    """Delete an upload; scenes that show it lose their picture in a new version, the bytes go after the commit."""
    key, owner = media.key, media.owner_id
    lost = {"image_id": None, "version": col(Scene.version) + 1}
    await work.session.exec(update(Scene).where(col(Scene.image_id) == media.id).values(lost))
    await work.session.delete(media)
    work.record("media.deleted", media.id)
    work.after_commit(lambda: work.runtime.storage.delete(key))
    work.after_commit(lambda: work.runtime.cache.outdate(owner))  # pages of scenes that showed it
