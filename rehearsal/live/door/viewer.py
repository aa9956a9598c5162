"""How does a person's browser reach the front door under names of this machine? By a proxy that rewrites.

`https://dev.tecnocursos.localhost:8443` stands for `https://dev.tecnocursos.example`: a `.localhost` name is always
this machine (RFC 6761), so no hosts file needs a line. Host, Origin, Referer and cookies are written as the front door
expects them; locations, policies and links to buckets as the browser can follow them.
"""

import asyncio
import re
import ssl

from aiohttp import ClientError, ClientSession, TCPConnector, WSMsgType, web

from rehearsal.live.part import Ground
from rehearsal.live.pods.neighbourhood import Endpoint
from rehearsal.live.view import View

_DISTRIBUTION, _BUCKET = "aws:cloudfront/distribution:Distribution", "aws:s3/bucket:Bucket"
_FIRST_PORT, _PORTS = 8443, 20
_EDGE_PORT, _GATEWAY_PORT = 8443, 8443
_OBJECTS = "/_objects/"
_HOP = {"host", "content-length", "transfer-encoding", "connection", "keep-alive", "upgrade", "accept-encoding"}
_TEXT = re.compile(r"(application/(problem\+)?json|text/)")


def local_name(name: str) -> str:
    """The name of this machine that stands for a public one: its last label is replaced."""
    return f"{name.rpartition('.')[0]}.localhost"


class Viewer:
    """The proxy. `port` is where it listens on 127.0.0.1, the first free one from 8443 on."""

    def __init__(self, ground: Ground, edge: str) -> None:
        self._ground, self._edge = ground, edge
        self._names: dict[str, str] = {}  # local name -> public name
        self._buckets: set[str] = set()
        self._runner: web.AppRunner | None = None
        self._client: ClientSession | None = None
        self.port = 0

    async def settle(self, view: View) -> None:
        """Stand for every alias of every distribution."""
        aliases = [a for row in view.all(_DISTRIBUTION) for a in row.outputs.get("aliases") or []]
        self._buckets = {
            f"{row.outputs['bucket']}.s3.{part}amazonaws.com"
            for row in view.all(_BUCKET)
            for part in ("", f"{row.outputs['region']}.")
        }
        names = {local_name(alias): alias for alias in aliases if not alias.startswith("*")}
        if names and set(names) != set(self._names):
            self._names = names
            await self.close()
            await self._listen()

    def endpoints(self, view: View) -> list[tuple[str, Endpoint]]:
        """None: it is for people."""
        return []

    async def close(self) -> None:
        """Stop listening."""
        if self._runner:
            await self._runner.cleanup()
        if self._client:
            await self._client.close()
        self._runner = self._client = None

    async def _listen(self) -> None:
        trusted = ssl.create_default_context(cafile=str(self._ground.authority.certificate))
        self._client = ClientSession(connector=TCPConnector(ssl=trusted, limit=0), auto_decompress=True)
        app = web.Application(client_max_size=256 * 2**20)
        app.router.add_route("*", _OBJECTS + "{host}/{path:.*}", self._object)
        app.router.add_route("*", "/{path:.*}", self._page)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        tls = self._ground.authority.server(*sorted(self._names), "localhost")
        for port in [self.port] if self.port else range(_FIRST_PORT, _FIRST_PORT + _PORTS):
            try:
                await web.TCPSite(self._runner, "127.0.0.1", port, ssl_context=tls).start()
            except OSError:
                continue
            self.port = port
            break
        for local in self._names:
            self._ground.say(f"front door: https://{local}:{self.port}")

    async def _page(self, request: web.Request) -> web.StreamResponse:
        local = request.host.partition(":")[0]
        public = self._names.get(local)
        if public is None:
            shown = ", ".join(f"https://{name}:{self.port}" for name in self._names)
            return web.Response(status=404, text=f"this front door is called {shown}\n")
        headers = {
            name: self._outward(value, local, public)
            for name, value in request.headers.items()
            if name.lower() not in _HOP
        }
        headers["Host"] = public
        url = f"https://{self._edge}:{_EDGE_PORT}{request.raw_path}"
        if request.headers.get("upgrade", "").lower() == "websocket":
            return await self._socket(request, url, headers, public)
        return await self._passed(request, url, headers, server=public, names=(local, public))

    async def _object(self, request: web.Request) -> web.StreamResponse:
        host = request.match_info["host"]
        if host not in self._buckets:
            return web.Response(status=404, text="there is no such bucket\n")
        path = request.raw_path.removeprefix(f"{_OBJECTS}{host}")
        headers = {
            name: value
            for name, value in request.headers.items()
            if name.lower() not in (*_HOP, "cookie", "origin", "referer")
        }
        headers["Host"] = host
        url = f"https://{self._ground.plan.stand_in(4)}:{_GATEWAY_PORT}{path}"
        local = request.host.partition(":")[0]
        names = (local, self._names.get(local, ""))
        return await self._passed(request, url, headers, server=host, names=names)

    async def _passed(
        self, request: web.Request, url: str, headers: dict[str, str], *, server: str, names: tuple[str, str]
    ) -> web.StreamResponse:
        assert self._client is not None  # it is there while it listens  # noqa: S101
        local, public = names
        try:
            async with self._client.request(
                request.method,
                url,
                data=request.content if request.can_read_body else None,
                headers=headers,
                allow_redirects=False,
                server_hostname=server,
            ) as answer:
                shown = [
                    (name, self._inward(value, local, public))
                    for name, value in answer.headers.items()
                    if name.lower() not in (*_HOP, "content-encoding")
                ]
                response = web.StreamResponse(status=answer.status)
                response.headers.extend(shown)
                if _TEXT.match(answer.headers.get("content-type", "")):
                    text = self._inward(await answer.text(), local, public)
                    await response.prepare(request)
                    await response.write(text.encode())
                else:
                    if length := answer.headers.get("content-length"):
                        response.content_length = int(length)
                    await response.prepare(request)
                    async for chunk in answer.content.iter_chunked(65536):
                        await response.write(chunk)
                await response.write_eof()
                return response
        except (ClientError, OSError) as error:
            return web.Response(status=502, text=f"the front door does not answer: {error}\n")

    async def _socket(self, request: web.Request, url: str, headers: dict[str, str], public: str) -> web.StreamResponse:
        assert self._client is not None  # noqa: S101
        offered = [one.strip() for one in request.headers.get("sec-websocket-protocol", "").split(",") if one.strip()]
        kept = {name: value for name, value in headers.items() if not name.lower().startswith("sec-websocket")}
        try:
            async with self._client.ws_connect(url, headers=kept, protocols=offered, server_hostname=public) as behind:
                here = web.WebSocketResponse(protocols=[behind.protocol] if behind.protocol else [])
                await here.prepare(request)
                await asyncio.gather(_messages(here, behind), _messages(behind, here))
                return here
        except (ClientError, OSError) as error:
            return web.Response(status=502, text=f"the front door does not answer: {error}\n")

    def _outward(self, text: str, local: str, public: str) -> str:
        return text.replace(f"{local}:{self.port}", public).replace(local, public)

    def _inward(self, text: str, local: str, public: str) -> str:
        own = f"{local}:{self.port}"
        for bucket in self._buckets:
            if bucket in text:
                text = text.replace(f"https://{bucket}/", f"https://{own}{_OBJECTS}{bucket}/")
                text = text.replace(f"https://{bucket}", f"https://{own}")
        return text.replace(f"//{public}", f"//{own}").replace(f"domain={public}", f"domain={local}")


async def _messages(source: object, target: object) -> None:
    async for message in source:  # type: ignore[attr-defined]
        if message.type is WSMsgType.TEXT:
            await target.send_str(message.data)  # type: ignore[attr-defined]
        elif message.type is WSMsgType.BINARY:
            await target.send_bytes(message.data)  # type: ignore[attr-defined]
    await target.close()  # type: ignore[attr-defined]
