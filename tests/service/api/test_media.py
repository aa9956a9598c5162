"""Do uploads behave as documented? Announce, send, complete; wrong bytes, links and names are refused."""

import hashlib
from typing import Any

import httpx
import pytest

from service.runtime import Runtime

URL = "/api/v1/media"
BYTES = b"\x89PNG"


def announced(content: bytes = BYTES, **change: Any) -> dict[str, Any]:
    digest = hashlib.sha256(content).hexdigest()
    return {"name": "folha.png", "content_type": "image/png", "size": len(content), "sha256": digest} | change


async def start(client: httpx.AsyncClient, person: Any, **change: Any) -> Any:
    answer = await client.post(URL, json=announced(**change), headers=person.headers)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def send(client: httpx.AsyncClient, media: Any, content: bytes = BYTES) -> httpx.Response:
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
    assert got.content == BYTES and got.headers["content-type"] == "image/png"
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


@pytest.mark.parametrize("content", [b"\x89PNX", b"", b"\x89PNG!"])
async def test_other_bytes_than_announced_are_refused(client: httpx.AsyncClient, meet: Any, content: bytes) -> None:
    ana = await meet()
    media = await start(client, ana)
    sent = await send(client, media, content)
    if len(content) != len(BYTES):
        assert sent.status_code == 422
        return
    assert (await client.post(f"{URL}/{media['id']}/complete", headers=ana.headers)).status_code == 422
    assert (await client.get(f"{URL}/{media['id']}", headers=ana.headers)).json()["status"] == "pending"
    assert (await send(client, media)).status_code == 204  # the right bytes still may come
    assert (await client.post(f"{URL}/{media['id']}/complete", headers=ana.headers)).status_code == 200


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
        assert (await client.put(attempt, content=BYTES)).status_code == 403
    assert (await client.get(url)).status_code == 403
    import time

    later = time.time() + 3600
    monkeypatch.setattr("service.data.storage.time.time", lambda: later)
    assert (await client.put(url, content=BYTES)).status_code == 403


@pytest.mark.parametrize(
    "path", ["/files/../service/settings.py", "/files/media/..%2f..%2fetc%2fpasswd", "/files/media/" + "A" * 32]
)
async def test_no_path_leaves_the_folder(client: httpx.AsyncClient, path: str) -> None:
    query = "?expires=99999999999&a=text/plain&b=x&signature=0"
    assert (await client.get(path + query)).status_code in {403, 404, 422}


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
