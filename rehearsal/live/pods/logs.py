"""How does `kubectl logs` get an answer? The API server asks the node, over TLS, for a container's file."""

import asyncio
import ssl
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from rehearsal.live.stand_ins.authority import Authority

_FOLLOW = 0.3


@dataclass(frozen=True)
class LogServer:
    """What answers, and where."""

    port: int
    runner: web.AppRunner

    async def close(self) -> None:
        """Stop answering."""
        await self.runner.cleanup()


async def serve_logs(folder: Path, address: str) -> LogServer:
    """`GET /containerLogs/NAMESPACE/POD/CONTAINER` as a kubelet has it: tailLines, follow, previous."""

    async def answer(request: web.Request) -> web.StreamResponse:
        pod, container = (
            f"{request.match_info['namespace']}_{request.match_info['pod']}",
            request.match_info["container"],
        )
        runs = sorted(
            (folder / "pods" / pod / "logs").glob(f"{container}-*.log"), key=lambda path: path.stat().st_mtime
        )
        back = 2 if request.query.get("previous") == "true" else 1
        if len(runs) < back:
            return web.Response(status=404, text=f"container {container} of {pod} has not run")
        response = web.StreamResponse(headers={"content-type": "text/plain"})
        await response.prepare(request)
        with runs[-back].open("rb") as file:
            text = file.read()
            if lines := request.query.get("tailLines"):
                text = b"".join(text.splitlines(keepends=True)[-int(lines) :] if int(lines) else [])
            await response.write(text)
            while request.query.get("follow") == "true":
                if text := file.read():
                    await response.write(text)
                await asyncio.sleep(_FOLLOW)
        return response

    app = web.Application()
    app.router.add_get("/containerLogs/{namespace}/{pod}/{container}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    tls: ssl.SSLContext = Authority(folder / "kubelet").server(address)
    site = web.TCPSite(runner, address, 0, ssl_context=tls)
    await site.start()
    return LogServer(runner.addresses[0][1], runner)
