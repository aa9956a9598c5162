"""Does S3 behave as the local folder does? On moto's real HTTP server, with the links as clients use them."""

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from moto.server import ThreadedMotoServer

from service.data.storage import BucketStorage, FolderStorage, open_storage
from service.security.tokens import Tokens
from service.settings import Settings

BYTES = b"\x89PNG"
DIGEST = hashlib.sha256(BYTES).hexdigest()


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


@pytest.fixture
def storage(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> BucketStorage:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1").create_bucket(Bucket="media")
    settings = Settings(media={"bucket": "media", "endpoint": endpoint})
    made = open_storage(settings, Tokens(settings))
    assert isinstance(made, BucketStorage)
    return made


async def test_upload_stat_download_delete(storage: BucketStorage) -> None:
    assert await storage.stat("media/1") is None
    link = storage.upload("media/1", "image/png", len(BYTES), DIGEST)
    assert link.headers["x-amz-checksum-sha256"] == base64.b64encode(bytes.fromhex(DIGEST)).decode()
    async with httpx.AsyncClient() as client:
        sent = await client.request(link.method, link.url, content=BYTES, headers=link.headers)
        assert sent.status_code == 200, sent.text
        stored = await storage.stat("media/1")
        assert stored is not None and (stored.size, stored.sha256) == (len(BYTES), DIGEST)
        down = storage.download("media/1", "image/png", 'fol"ha ção.png')
        got = await client.get(down.url)
    assert got.content == BYTES and got.headers["content-type"] == "image/png"
    assert got.headers["content-disposition"] == "attachment; filename*=UTF-8''fol%22ha%20%C3%A7%C3%A3o.png"
    assert await storage.get("media/1", 3) == BYTES[:3]
    assert await storage.get("media/2", 3) is None
    await storage.delete("media/1", "media/never-there")
    assert await storage.stat("media/1") is None
    await storage.delete()


def test_a_link_binds_type_size_and_checksum(storage: BucketStorage) -> None:
    """S3 refuses what was not signed; the signature covers these headers."""
    url = httpx.URL(storage.upload("media/1", "image/png", 4, DIGEST).url)
    signed = url.params["X-Amz-SignedHeaders"].split(";")
    assert {"content-type", "content-length", "host"} <= set(signed)
    assert "x-amz-checksum-sha256" in signed or "x-amz-checksum-sha256" in url.params
    assert url.params["X-Amz-Expires"] == "600"


async def test_other_failures_of_the_store_are_not_taken_for_absence(storage: BucketStorage, monkeypatch: Any) -> None:
    from botocore.exceptions import ClientError

    def forbidden(**_: Any) -> Any:
        raise ClientError({"Error": {"Code": "403"}, "ResponseMetadata": {"HTTPStatusCode": 403}}, "HeadObject")  # type: ignore[typeddict-item]

    monkeypatch.setattr(storage._client, "head_object", forbidden)
    with pytest.raises(ClientError):
        await storage.stat("media/1")


async def test_a_file_appears_whole_or_not_at_all(tmp_path: Any) -> None:
    settings = Settings(media={"folder": tmp_path})
    storage = FolderStorage(settings, Tokens(settings))

    async def breaks() -> Any:
        yield b"half"
        raise ConnectionError("the client left")

    with pytest.raises(ConnectionError):
        await storage.write("media/1", breaks())
    assert await storage.stat("media/1") is None and list((tmp_path / "media").iterdir()) == []


async def test_a_made_file_is_put_and_got(storage: BucketStorage, tmp_path: Path) -> None:
    local = FolderStorage(Settings(media={"folder": tmp_path / "media"}), Tokens(Settings()))
    (tmp_path / "film").write_bytes(BYTES)
    for store in (storage, local):
        await store.put("videos/1-1.mp4", "video/mp4", tmp_path / "film")
        stored = await store.stat("videos/1-1.mp4")
        assert stored is not None and (stored.size, stored.sha256) == (len(BYTES), DIGEST)
        assert await store.get("videos/1-1.mp4", 2) == BYTES[:2]
        assert await store.get("videos/none.mp4", 2) is None
