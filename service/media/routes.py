"""What can be asked about uploads?"""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import FileResponse
from sqlmodel import col, select

from service.data.columns import Identifier
from service.data.storage import FolderStorage, Stored
from service.http import dependencies, errors, routing
from service.http.errors import ProblemError
from service.http.pages import Page, paginate
from service.media import service
from service.media.models import Media
from service.media.schemas import LinkPublic, MediaCreate, MediaPublic, MediaStarted
from service.runtime import Runtime

router = routing.router("/api/v1/media", "media")
files = APIRouter(prefix="/files", tags=["media"])
FileKey = Annotated[str, Path(pattern=r"^(media/[0-9a-f]{32}|videos/[0-9a-f]{32}-\d{1,3}\.(mp4|vtt|jpg))$")]


@router.post("", status_code=201, responses=errors.described(401, 403, 413, 422, 429))
async def start_upload(
    body: MediaCreate, work: dependencies.WriteMedia, response: Response, key: dependencies.IdempotencyKey = None
) -> MediaStarted:
    """Announce an upload and get the link to send its bytes to."""
    media = await service.start(work, body)
    response.headers["location"] = f"/api/v1/media/{media.id}"
    return MediaStarted.of(work, media)


@router.get("", response_model=Page[MediaPublic], responses=errors.described(401, 403, 422, 429))
async def list_uploads(work: dependencies.ReadMedia, paging: dependencies.Paged) -> Page[MediaPublic]:
    """The caller's uploads, newest first."""
    query = select(Media).where(col(Media.owner_id) == work.caller.user_id)
    return await paginate(Page[MediaPublic], work.session, Media, query, paging)


@router.get("/{media_id}", response_model=MediaPublic, responses=errors.described(401, 403, 404, 422, 429))
async def read_upload(media_id: Identifier, work: dependencies.ReadMedia) -> MediaPublic:
    """One upload."""
    return MediaPublic.model_validate(await service.owned(work.session, work.caller, media_id))


@router.post(
    "/{media_id}/complete", response_model=MediaPublic, responses=errors.described(401, 403, 404, 409, 422, 429)
)
async def complete_upload(media_id: Identifier, writer: dependencies.MediaWriter) -> MediaPublic:
    """Say that the bytes are sent: they are checked, and the upload may be used."""
    return MediaPublic.model_validate(await service.complete(writer, media_id))


@router.post("/{media_id}/upload", responses=errors.described(401, 403, 404, 409, 422, 429))
async def renew_upload(media_id: Identifier, work: dependencies.ReadMedia) -> MediaStarted:
    """Another link to send the bytes to, for when the first has expired."""
    media = await service.owned(work.session, work.caller, media_id)
    if media.status == "ready":
        raise ProblemError(409, "the upload is complete")
    return MediaStarted.of(work, media)


@router.get("/{media_id}/download", response_model=LinkPublic, responses=errors.described(401, 403, 404, 409, 422, 429))
async def download_upload(media_id: Identifier, work: dependencies.ReadMedia) -> LinkPublic:
    """A link to the bytes."""
    media = await service.owned(work.session, work.caller, media_id)
    return service.link(work.runtime.storage, media)


@router.delete("/{media_id}", status_code=204, responses=errors.described(401, 403, 404, 422, 429))
async def delete_upload(media_id: Identifier, work: dependencies.WriteMedia) -> None:
    """Delete an upload."""
    await service.delete(work, await service.owned(work.session, work.caller, media_id))


class Signed:
    """The query of a link that `FolderStorage` signed."""

    def __init__(
        self,
        expires: Annotated[str, Query(pattern=r"^\d{1,12}$")],
        a: Annotated[str, Query(max_length=200)],
        b: Annotated[str, Query(max_length=200)],
        signature: Annotated[str, Query(max_length=64)],
    ) -> None:
        self.expires, self.a, self.b, self.signature = expires, a, b, signature


SignedQuery = Annotated[Signed, Depends(Signed)]


def _signed(runtime: Runtime, method: str, key: str, query: Signed) -> FolderStorage:
    storage = runtime.storage
    if not isinstance(storage, FolderStorage) or not storage.allows(
        query.signature, method, key, query.expires, query.a, query.b
    ):
        raise ProblemError(403, "the link is wrong or has expired: ask for another")
    return storage


@files.put("/{key:path}", status_code=204, include_in_schema=False)
async def receive_file(key: FileKey, request: Request, runtime: dependencies.RuntimeDep, query: SignedQuery) -> None:
    """Take the bytes of an upload into the local store: these bytes, once, and not after the upload was deleted."""
    storage = _signed(runtime, "PUT", key, query)
    if request.headers.get("content-length") != query.b:
        raise ProblemError(422, f"exactly {query.b} bytes were announced")
    async with runtime.database.reading() as session:
        media = await session.get(Media, key.removeprefix("media/"))
    if media is None or media.status == "ready":
        raise ProblemError(409, "this upload is complete, or was deleted")
    if request.headers.get("content-type") != media.content_type:
        raise ProblemError(422, f"the type {media.content_type} was announced")
    try:
        await storage.write(key, request.stream(), Stored(int(query.b), query.a))
    except ValueError as error:
        raise ProblemError(422, f"{error}: upload again") from None


@files.get("/{key:path}", include_in_schema=False)
async def send_file(key: FileKey, runtime: dependencies.RuntimeDep, query: SignedQuery) -> Response:
    """Give the bytes of a file from the local store, as the link says."""
    storage = _signed(runtime, "GET", key, query)
    if not storage.path(key).is_file():
        raise ProblemError(404, "no such file")
    headers = {"content-disposition": query.b}
    return FileResponse(storage.path(key), media_type=query.a, headers=headers)
