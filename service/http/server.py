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
STOP_SECONDS = 30


class Server(uvicorn.Server):
    """Drains on SIGTERM: unready at once and closing kept connections, still serving until traffic has moved away."""

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
    """Serve until stopped. One process is one worker: more of them are more pods, or share the port."""
    config = uvicorn.Config(
        application,
        host=host,
        port=port,
        loop="uvloop",
        http="httptools",
        ws="websockets-sansio",
        proxy_headers=False,  # the service trusts configured proxies only, and reads the header itself
        server_header=False,
        access_log=False,
        log_config=None,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=STOP_SECONDS,
        backlog=BACKLOG,
    )
    collect_less()
    runtime: Runtime = application.state.runtime
    if metrics_port is not None:
        start_http_server(metrics_port, host, registry=runtime.metrics.registry)
    with contextlib.suppress(KeyboardInterrupt):  # uvicorn raises the signal again once everything is closed
        Server(config).run([_shared(host, port)] if share_port else None)


def collect_less() -> None:
    """What was imported stays: it need not be looked through at every collection, and those may be rarer."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    gc.enable()


def _shared(host: str, port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listener.bind((host, port))
    return listener
