"""How does the agent speak to an API server? JSON over HTTPS, and watches that begin again by themselves."""

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector

Object = dict[str, Any]
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"
_SECONDS = 15.0
_PAUSE = 0.5
UNREACHABLE = (ClientError, OSError, asyncio.TimeoutError)
"""What a call raises while the API server is away."""


class Refused(Exception):  # noqa: N818 (what the API server did)
    """The API server's refusal, in its words."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status


class ApiServer:
    """One API server, from a kubeconfig in JSON as the rehearsal's control plane writes it."""

    def __init__(self, kubeconfig: Path) -> None:
        config = json.loads(kubeconfig.read_text())
        cluster = config["clusters"][0]["cluster"]
        self._address, token = cluster["server"], config["users"][0]["user"]["token"]
        connector = TCPConnector(ssl=ssl.create_default_context(cafile=cluster["certificate-authority"]), limit=0)
        self._session = ClientSession(headers={"Authorization": f"Bearer {token}"}, connector=connector)

    async def call(self, verb: str, path: str, body: Object | None = None, kind: str = "application/json") -> Object:
        """One request. Raises Refused, or one of UNREACHABLE."""
        data = None if body is None else json.dumps(body)
        timeout = ClientTimeout(_SECONDS)
        async with self._session.request(
            verb, self._address + path, data=data, headers={"Content-Type": kind}, timeout=timeout
        ) as answer:
            text = await answer.text()
            if answer.status < 400:
                found: Object = json.loads(text) if text else {}
                return found
            with contextlib.suppress(ValueError, KeyError):
                text = json.loads(text)["message"]
            raise Refused(answer.status, text[:1500])

    async def apply(self, collection: str, body: Object) -> Object:
        """Server-side apply into a collection, as the node's agent."""
        path = f"{collection}/{body['metadata']['name']}?fieldManager=live-agent&force=true"
        return await self.call("PATCH", path, body, APPLY)

    async def watch(self, path: str) -> AsyncIterator[tuple[str, Object]]:
        """(`ADDED`|`MODIFIED`|`DELETED`, object), beginning with what is there, for ever.

        After a break everything there is told as ADDED again, and after it (`SYNCED`, {uids}), for what went meanwhile.
        """
        while True:
            try:
                listing = await self.call("GET", path)
                for row in listing["items"]:
                    yield "ADDED", row
                yield "SYNCED", {"uids": {row["metadata"]["uid"] for row in listing["items"]}}
                version = listing["metadata"]["resourceVersion"]
                url = f"{self._address}{path}?watch=1&allowWatchBookmarks=true&resourceVersion={version}"
                async with self._session.get(url, timeout=ClientTimeout(None, sock_connect=_SECONDS)) as answer:
                    async for kind, row in _events(answer.content.iter_any()):
                        yield kind, row
            except (*UNREACHABLE, Refused):
                pass
            await asyncio.sleep(_PAUSE)

    async def mirror(self, path: str, known: dict[str, Object]) -> AsyncIterator[None]:
        """Keep `known` (by uid) as the server has it, for ever; yields after each change."""
        async for happened, row in self.watch(path):
            if happened == "SYNCED":
                for uid in set(known) - row["uids"]:
                    del known[uid]
            elif happened == "DELETED":
                known.pop(row["metadata"]["uid"], None)
            else:
                known[row["metadata"]["uid"]] = row
            yield

    async def close(self) -> None:
        """Close every connection."""
        await self._session.close()


async def _events(chunks: AsyncIterator[bytes]) -> AsyncIterator[tuple[str, Object]]:
    buffer = b""
    async for chunk in chunks:
        *lines, buffer = (buffer + chunk).split(b"\n")
        for line in lines:
            event = json.loads(line)
            if event["type"] == "ERROR":
                return
            if event["type"] != "BOOKMARK":
                yield event["type"], event["object"]
