"""Do uploads behave as documented? Announce, send, complete; wrong bytes, links and names are refused."""

import hashlib
import io
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from PIL import Image

from service.data import disposal
from service.data.columns import now
from service.data.storage import FolderStorage
from service.media import service
from service.media.models import Media
from service.plans import allowances
from service.plans.models import Plan
from service.runtime import Runtime
from tests.service.pictures import PNG, announced

URL = "/api/v1/media"


def picture(size: tuple[int, int] = (3, 2), kind: str = "PNG") -> bytes:
    held = io.BytesIO()
    Image.new("1", size).save(held, kind)
    return held.getvalue()


async def start(client: httpx.AsyncClient, person: Any, **change: Any) -> Any:
    answer = await client.post(URL, json=announced(**change), headers=person.headers)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def send(client: httpx.AsyncClient, media: Any, content: bytes = PNG) -> httpx.Response:
    upload = media["upload"]
    return await client.request(upload["method"], upload["url"], content=content, headers=upload["headers"])


async def test_upload_complete_use_download_delete(client: httpx.AsyncClient, meet: Any) -> None:
    ana = await meet()
    media = await start(client, ana, name='folha "ção".png')
    place = f"{URL}/{media['id']}"
    assert (await client.post(f"{place}/complete", headers=ana.headers)).status_code == 409
    assert (await client.get(f"{place}/download", headers=ana.headers)).status_code == 409
    assert (await send(client, media)).status_code == 204
    done = await client.post(f"{place}/complete", headers=ana.headers)
    assert done.json()["status"] == "ready"
    assert (await client.post(f"{place}/complete", headers=ana.headers)).json() == done.json()
    link = (await client.get(f"{place}/download", headers=ana.headers)).json()
    got = await client.get(link["url"])
    assert got.content == PNG and got.headers["content-type"] == "image/png"
    assert (
        got.headers["content-disposition"].startswith("attachment") and "ção" not in got.headers["content-disposition"]
    )
    assert got.headers["x-content-type-options"] == "nosniff"
    course = (await client.post("/api/v1/projects", json={"title": "x"}, headers=ana.headers)).headers["location"]
    scene = await client.post(f"{course}/scenes", json={"title": "x", "image_id": media["id"]}, headers=ana.headers)
    assert scene.json()["image_id"] == media["id"]
    assert [row["id"] for row in (await client.get(URL, headers=ana.headers)).json()["items"]] == [media["id"]]
    listed = await client.get(f"{course}/scenes", headers=ana.headers)
    assert [row["image_id"] for row in listed.json()["items"]] == [media["id"]]
    assert (await client.delete(place, headers=ana.headers)).status_code == 204
    assert (await client.get(link["url"])).status_code == 404
    listed = await client.get(f"{course}/scenes", headers=ana.headers)
    assert [row["image_id"] for row in listed.json()["items"]] == [None]
    after = (await client.get(scene.headers["location"], headers=ana.headers)).json()
    assert after["image_id"] is None


@pytest.mark.parametrize("content", [PNG[:-1] + b"X", b"", PNG + b"!"])
async def test_other_bytes_than_announced_are_refused(client: httpx.AsyncClient, meet: Any, content: bytes) -> None:
    ana = await meet()
    media = await start(client, ana)
    assert (await send(client, media, content)).status_code == 422
    assert (await client.post(f"{URL}/{media['id']}/complete", headers=ana.headers)).status_code == 409
    assert (await send(client, media)).status_code == 204  # the right bytes still may come
    assert (await client.post(f"{URL}/{media['id']}/complete", headers=ana.headers)).status_code == 200


async def test_a_link_takes_one_content_of_one_type_until_the_upload_is_complete_or_deleted(
    client: httpx.AsyncClient, meet: Any, runtime: Runtime
) -> None:
    ana = await meet()
    media = await start(client, ana)
    link = media["upload"]["url"]
    assert (await client.put(link, content=PNG, headers={"content-type": "text/html"})).status_code == 422
    renewed = await client.post(f"{URL}/{media['id']}/upload", headers=ana.headers)
    assert (await send(client, renewed.json())).status_code == 204
    assert (await client.post(f"{URL}/{media['id']}/complete", headers=ana.headers)).status_code == 200
    assert (await send(client, media)).status_code == 409
    assert (await client.post(f"{URL}/{media['id']}/upload", headers=ana.headers)).status_code == 409
    assert (await client.delete(f"{URL}/{media['id']}", headers=ana.headers)).status_code == 204
    assert (await send(client, media)).status_code == 409
    assert await runtime.storage.stat(f"media/{media['id']}") is None


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"<!doctype html><script>", "convert it"),
        (picture((50, 50))[:-30], "damaged"),
        (picture((6000, 6000)), "25 megapixels"),
        (picture((300, 300), kind="JPEG")[:-100], "damaged"),
        (picture(kind="GIF"), "convert it"),
    ],
)
async def test_what_the_renderer_would_refuse_is_refused_when_it_is_completed(
    client: httpx.AsyncClient, meet: Any, content: bytes, says: str
) -> None:
    ana = await meet()
    digest = hashlib.sha256(content).hexdigest()
    media = await start(client, ana, size=len(content), sha256=digest)
    assert (await send(client, media, content)).status_code == 204
    answer = await client.post(f"{URL}/{media['id']}/complete", headers=ana.headers)
    assert answer.status_code == 422 and says in answer.json()["detail"]


async def test_bytes_are_counted_by_plan(client: httpx.AsyncClient, meet: Any, runtime: Runtime) -> None:
    ana, room = await meet(), allowances.table()[Plan.FREE].bytes
    async with runtime.database.transaction() as session:
        session.add(Media(owner_id=ana.id, name="x", content_type="image/png", size=room - 1, sha256="0" * 64))
    refused = await client.post(URL, json=announced(size=2), headers=ana.headers)
    assert refused.status_code == 409 and str(room) in refused.json()["detail"]
    assert (await client.post(URL, json=announced(size=1), headers=ana.headers)).status_code == 201


class Failing(FolderStorage):
    """A store that does not answer."""

    async def delete(self, *keys: str) -> None:
        raise ConnectionError(*keys)


async def test_a_store_that_fails_loses_no_file_that_must_go(
    client: httpx.AsyncClient, meet: Any, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana = await meet()
    media = await start(client, ana)
    await send(client, media)
    whole = runtime.storage
    monkeypatch.setattr(runtime, "storage", Failing(runtime.settings, runtime.tokens))
    assert (await client.delete(f"{URL}/{media['id']}", headers=ana.headers)).status_code == 204
    assert await whole.stat(f"media/{media['id']}") is not None
    assert await disposal.sweep(runtime.database, whole) == 0  # a link could still bring it back
    async with runtime.database.transaction() as session:
        (await session.get_one(disposal.Disposal, f"media/{media['id']}")).due_at = now() - timedelta(seconds=1)
    assert await disposal.sweep(runtime.database, whole) == 1
    assert await whole.stat(f"media/{media['id']}") is None
    assert await disposal.sweep(runtime.database, whole) == 0


async def test_uploads_that_nobody_completes_are_forgotten(
    client: httpx.AsyncClient, meet: Any, runtime: Runtime
) -> None:
    ana = await meet()
    old, fresh = await start(client, ana), await start(client, ana)
    await send(client, old)
    async with runtime.database.transaction() as session:
        (await session.get_one(Media, old["id"])).created_at = now() - service.ABANDONED
    assert await service.purge(runtime.database, runtime.storage) == 1
    listed = (await client.get(URL, headers=ana.headers)).json()["items"]
    assert [row["id"] for row in listed] == [fresh["id"]]
    assert await runtime.storage.stat(f"media/{old['id']}") is None


async def test_links_cannot_be_altered_or_used_for_something_else(
    client: httpx.AsyncClient, meet: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana = await meet()
    media, other = await start(client, ana), await start(client, ana)
    url = media["upload"]["url"]
    wrong = [
        url.replace(media["id"], other["id"]),
        url.replace("expires=", "expires=9"),
        url[:-1] + ("0" if url[-1] != "0" else "1"),
    ]
    for attempt in wrong:
        assert (await client.put(attempt, content=PNG)).status_code == 403
    assert (await client.get(url)).status_code == 403
    import time

    later = time.time() + 3600
    monkeypatch.setattr("service.data.storage.time.time", lambda: later)
    assert (await client.put(url, content=PNG)).status_code == 403


@pytest.mark.parametrize(
    "path", ["/files/../service/settings.py", "/files/media/..%2f..%2fetc%2fpasswd", "/files/media/" + "A" * 32]
)
async def test_no_path_leaves_the_folder(client: httpx.AsyncClient, runtime: Runtime, path: str) -> None:
    bound = ("99999999999", "text/plain", "attachment")
    signature = runtime.tokens.sign("file", "GET", path.removeprefix("/files/"), *bound)  # even if it were ours
    query = "?" + urlencode({"expires": bound[0], "a": bound[1], "b": bound[2], "signature": signature})
    assert (await client.get(path + query)).status_code in {404, 422}


@pytest.mark.parametrize(
    "change",
    [
        {"content_type": "image/svg+xml"},
        {"content_type": "text/html"},
        {"size": 0},
        {"size": -1},
        {"sha256": "0" * 63},
        {"name": "a\nb"},
    ],
)
async def test_what_a_browser_would_run_is_no_media(
    client: httpx.AsyncClient, meet: Any, change: dict[str, Any]
) -> None:
    answer = await client.post(URL, json=announced(**change), headers=(await meet()).headers)
    assert answer.status_code == 422


async def test_sizes_have_a_limit(client: httpx.AsyncClient, meet: Any, runtime: Runtime) -> None:
    large = announced(size=runtime.settings.media.largest_upload + 1)
    assert (await client.post(URL, json=large, headers=(await meet()).headers)).status_code == 413


async def test_strangers_uploads_are_not_found(client: httpx.AsyncClient, meet: Any) -> None:
    media, stranger = await start(client, await meet()), await meet()
    place = f"{URL}/{media['id']}"
    answers = [
        await client.get(place, headers=stranger.headers),
        await client.post(f"{place}/complete", headers=stranger.headers),
        await client.get(f"{place}/download", headers=stranger.headers),
        await client.delete(place, headers=stranger.headers),
    ]
    assert {answer.status_code for answer in answers} == {404}
