"""Where do files live? In S3 behind presigned links, or in a folder behind links that the service signs itself."""

import asyncio
import base64
import hashlib
import os
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote, urlencode, urlsplit

from service.security.tokens import Tokens
from service.settings import Settings


@dataclass(frozen=True, slots=True)
class Link:
    """A request that a client may make on its own, for a while."""

    method: str
    url: str
    headers: dict[str, str]
    seconds: int


@dataclass(frozen=True, slots=True)
class Stored:
    """What the store knows about a file: size in bytes and SHA-256 (hexadecimal)."""

    size: int
    sha256: str


class Storage(Protocol):
    """Keys are made by the service (`media/<id>`), never by a client.

    link_seconds: how long links work. origin: where browsers find files, "" for this service. faults: what is raised
    when the store is away or refuses, as opposed to a defect of the caller.
    """

    link_seconds: int
    origin: str
    faults: tuple[type[Exception], ...]

    def upload(self, key: str, content_type: str, size: int, sha256: str) -> Link: ...  # noqa: D102

    def download(self, key: str, content_type: str, name: str, *, inline: bool = False) -> Link: ...  # noqa: D102

    async def get(self, key: str, most: int) -> bytes | None: ...  # noqa: D102

    async def put(self, key: str, content_type: str, source: Path) -> None: ...  # noqa: D102

    async def stat(self, key: str) -> Stored | None: ...  # noqa: D102

    async def delete(self, *keys: str) -> None: ...  # noqa: D102


def open_storage(settings: Settings, tokens: Tokens) -> Storage:
    """S3 when a bucket is configured, else the folder."""
    if settings.media.bucket:
        return BucketStorage(settings)
    return FolderStorage(settings, tokens)


class FolderStorage:
    """Files under one folder; `/files/...` serves them to whoever holds a signed link."""

    faults: tuple[type[Exception], ...] = (OSError,)
    origin = ""

    def __init__(self, settings: Settings, tokens: Tokens) -> None:
        self._folder, self.link_seconds, self._tokens = settings.media.folder, settings.media.link_seconds, tokens

    def path(self, key: str) -> Path:
        """The file of a key."""
        return self._folder / key

    def upload(self, key: str, content_type: str, size: int, sha256: str) -> Link:
        """A link that takes exactly this content."""
        headers = {"content-type": content_type}
        return Link("PUT", self._link("PUT", key, sha256, str(size)), headers, self.link_seconds)

    def download(self, key: str, content_type: str, name: str, *, inline: bool = False) -> Link:
        """A link that gives the file under its name; only an inline one is to be shown inside a page."""
        bound = (content_type, disposition(name, inline=inline))
        return Link("GET", self._link("GET", key, *bound), {}, self.link_seconds)

    def _link(self, method: str, key: str, *bound: str) -> str:
        expires = str(int(time.time()) + self.link_seconds)
        signature = self._tokens.sign("file", method, key, expires, *bound)
        return f"/files/{key}?" + urlencode({"expires": expires, "a": bound[0], "b": bound[1], "signature": signature})

    def allows(self, signature: str, method: str, key: str, expires: str, *bound: str) -> bool:
        """Was this link made by us, and is it still good?"""
        genuine = self._tokens.signed(signature, "file", method, key, expires, *bound)
        return genuine and int(expires) >= time.time()

    async def write(self, key: str, chunks: AsyncIterator[bytes], wanted: Stored | None = None) -> Stored:
        """Write a file that appears whole or not at all. Raises ValueError when it is not what was wanted."""
        path = self.path(key)
        os.makedirs(path.parent, exist_ok=True)  # noqa: PTH103 (one call, of a local file system)
        handle, name = tempfile.mkstemp(dir=path.parent)
        digest, size = hashlib.sha256(), 0
        try:
            with os.fdopen(handle, "wb") as file:
                async for chunk in chunks:
                    digest.update(chunk)
                    size += len(chunk)
                    if wanted is not None and size > wanted.size:
                        break
                    file.write(chunk)
            if wanted not in (None, Stored(size, digest.hexdigest())):
                raise ValueError("size or checksum differ from what was announced")
            os.replace(name, path)  # noqa: PTH105 (both are names)
        except BaseException:
            os.unlink(name)  # noqa: PTH108
            raise
        return Stored(size, digest.hexdigest())

    async def get(self, key: str, most: int) -> bytes | None:
        """The first `most` bytes of a file; None when there is none."""

        def read() -> bytes | None:
            try:
                with self.path(key).open("rb") as file:
                    return file.read(most)
            except FileNotFoundError:
                return None

        return await asyncio.to_thread(read)

    async def put(self, key: str, content_type: str, source: Path) -> None:
        """Store a file that appears whole or not at all; its type is told with every link, so it is not kept."""

        async def chunks() -> AsyncIterator[bytes]:
            with source.open("rb") as file:
                while chunk := await asyncio.to_thread(file.read, 2**20):
                    yield chunk

        await self.write(key, chunks())

    async def stat(self, key: str) -> Stored | None:
        """Size and checksum of what was written."""

        def read() -> Stored | None:
            path = self.path(key)
            if not path.is_file():
                return None
            with path.open("rb") as file:
                return Stored(path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest())

        return await asyncio.to_thread(read)

    async def delete(self, *keys: str) -> None:
        """Remove files; what is gone already is fine."""
        for key in keys:
            await asyncio.to_thread(self.path(key).unlink, missing_ok=True)


class BucketStorage:
    """One S3 bucket; links are computed here, without a call to AWS."""

    def __init__(self, settings: Settings) -> None:
        import boto3  # noqa: PLC0415 (half a second that an embedded start does not need)
        from boto3.exceptions import Boto3Error  # noqa: PLC0415
        from botocore.config import Config  # noqa: PLC0415
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415
        from urllib3.exceptions import HTTPError  # noqa: PLC0415

        self._bucket, self.link_seconds = settings.media.bucket, settings.media.link_seconds
        self.faults: tuple[type[Exception], ...] = (BotoCoreError, ClientError, Boto3Error, HTTPError, OSError)
        config = Config(signature_version="s3v4", connect_timeout=2, read_timeout=5, retries={"max_attempts": 2})
        self._client: Any = boto3.client(
            "s3", region_name=settings.region, endpoint_url=settings.media.endpoint, config=config
        )
        link = urlsplit(self._client.generate_presigned_url("get_object", {"Bucket": self._bucket, "Key": "x"}))
        self.origin = f"{link.scheme}://{link.netloc}"

    def upload(self, key: str, content_type: str, size: int, sha256: str) -> Link:
        """A presigned PUT: S3 itself refuses another size, type or checksum."""
        checksum = base64.b64encode(bytes.fromhex(sha256)).decode()
        parameters = {
            "Bucket": self._bucket,
            "Key": key,
            "ContentType": content_type,
            "ContentLength": size,
            "ChecksumAlgorithm": "SHA256",
            "ChecksumSHA256": checksum,
        }
        url = self._client.generate_presigned_url("put_object", parameters, self.link_seconds)
        headers = {
            "content-type": content_type,
            "x-amz-checksum-sha256": checksum,
            "x-amz-sdk-checksum-algorithm": "SHA256",
        }
        return Link("PUT", url, headers, self.link_seconds)

    def download(self, key: str, content_type: str, name: str, *, inline: bool = False) -> Link:
        """A presigned GET with the file's name."""
        parameters = {
            "Bucket": self._bucket,
            "Key": key,
            "ResponseContentType": content_type,
            "ResponseContentDisposition": disposition(name, inline=inline),
        }
        url = self._client.generate_presigned_url("get_object", parameters, self.link_seconds)
        return Link("GET", url, {}, self.link_seconds)

    async def get(self, key: str, most: int) -> bytes | None:
        """The first `most` bytes of an object; None when there is none."""

        def read() -> bytes | None:
            try:
                body = self._client.get_object(Bucket=self._bucket, Key=key, Range=f"bytes=0-{most - 1}")["Body"]
            except self._client.exceptions.NoSuchKey:
                return None
            content: bytes = body.read()
            return content

        return await asyncio.to_thread(read)

    async def put(self, key: str, content_type: str, source: Path) -> None:
        """Store a file, whole or not at all, with a checksum that S3 verifies."""
        options = {"ContentType": content_type, "ChecksumAlgorithm": "SHA256"}
        await asyncio.to_thread(self._client.upload_file, str(source), self._bucket, key, ExtraArgs=options)

    async def stat(self, key: str) -> Stored | None:
        """Size and checksum as S3 verified them."""
        try:
            head = await asyncio.to_thread(
                self._client.head_object, Bucket=self._bucket, Key=key, ChecksumMode="ENABLED"
            )
        except self._client.exceptions.ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
                return None
            raise
        return Stored(head["ContentLength"], base64.b64decode(head.get("ChecksumSHA256", "")).hex())

    async def delete(self, *keys: str) -> None:
        """Remove objects, up to a thousand per call."""
        for start in range(0, len(keys), 1000):
            objects = [{"Key": key} for key in keys[start : start + 1000]]
            await asyncio.to_thread(self._client.delete_objects, Bucket=self._bucket, Delete={"Objects": objects})


def disposition(name: str, *, inline: bool = False) -> str:
    """The Content-Disposition of a file with any name (RFC 6266)."""
    return f"{'inline' if inline else 'attachment'}; filename*=UTF-8''{quote(name, safe='')}"
