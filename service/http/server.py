"""How is the application served and stopped? uvicorn, a drain before it stops, metrics on a port of their own."""

import asyncio
import contextlib
import gc
import signal
import socket
from types import FrameType

import uvicorn
from fastapi import FastAPI
from prometheus_client import start_http_server

from service.runtime import Runtime

KEEP_ALIVE = 75  # seconds: longer than the load balancer's idle timeout, or it meets connections that are closing
BACKLOG = 2048


class Server(uvicorn.Server):
    """Drains on SIGTERM: unready at once and closing kept connections, still serving until traffic has moved away."""

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Look at what the process needs first: whoever is refused need not begin."""
        if isinstance(self.config.app, FastAPI):
            runtime: Runtime = self.config.app.state.runtime
            await runtime.check()
            await runtime.cache.check()  # the API's alone: no worker has a way to the cache
        await super().serve(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The first SIGTERM drains, the second and SIGINT stop."""
        app = self.config.loaded_app
        runtime: Runtime | None = app.state.runtime if isinstance(app, FastAPI) else None
        if sig != signal.SIGTERM or runtime is None or runtime.draining or not self.started:
            super().handle_exit(sig, frame)
            return
        runtime.draining = True
        asyncio.get_event_loop().call_later(runtime.settings.drain_seconds, super().handle_exit, sig, frame)


def serve(application: FastAPI, host: str, port: int, metrics_port: int | None, *, share_port: bool = False) -> None:
    """Serve until stopped. One process is one worker: more of them are more pods, or share the port.

    Raises OSError for an address that cannot be had, and what `Runtime.check` raises.
    """
    runtime: Runtime = application.state.runtime
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family, backlog=BACKLOG, reuse_port=share_port)
    config = uvicorn.Config(
        application,
        loop="uvloop",
        http="httptools",
        ws="websockets-sansio",
        proxy_headers=False,  # the service trusts configured proxies only, and reads the header itself
        server_header=False,
        access_log=False,
        log_config=None,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=runtime.settings.stop_seconds,
        backlog=BACKLOG,
    )
    collect_less()
    if metrics_port is not None:
        start_http_server(metrics_port, host, registry=runtime.metrics.registry)
    with contextlib.suppress(KeyboardInterrupt):  # uvicorn raises the signal again once everything is closed
        Server(config).run([listener])


def collect_less() -> None:
    """What was imported stays: it need not be looked through at every collection, and those may be rarer."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    gc.enable()
