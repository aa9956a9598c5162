"""What does a process see that runs in a pod? AWS's own names lead to the stand-ins, and their authority is trusted.

A test's process has neither a network nor a root file system of its own: Python takes this file up at its start, so
that the service itself and its settings stay as they are.
"""

import json
import os
import socket
import ssl
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import certifi
import pycurl
import uvloop

_plain_getaddrinfo = socket.getaddrinfo
_plain_connection = uvloop.Loop.create_connection
_plain_load = ssl.SSLContext.load_verify_locations
_view = json.loads(Path(os.environ["POD_VIEW"]).read_text())
_HOSTS: dict[str, int] = _view["hosts"]  # "name:port": port on loopback


def _local(host: Any, port: Any) -> int | None:
    """The port on loopback of a name; None when it is loopback already. Raises gaierror for anybody else."""
    name = host.decode() if isinstance(host, bytes) else str(host)
    if host is None or name in ("localhost", "127.0.0.1"):
        return None
    local = _HOSTS.get(f"{name}:{port}") or _HOSTS.get(f"*.{name.partition('.')[2]}:{port}")
    if local is None:
        with Path(_view["strangers"]).open("a") as strangers:
            strangers.write(f"{name}:{port}\n")
        raise socket.gaierror(socket.EAI_NONAME, f"{name} is no stand-in")
    return local


def _getaddrinfo(host: Any, port: Any, *more: Any, **options: Any) -> Any:
    local = _local(host, port)
    return _plain_getaddrinfo(*((host, port) if local is None else ("127.0.0.1", local)), *more, **options)


async def _create_connection(loop: Any, factory: Any, host: Any = None, port: Any = None, **options: Any) -> Any:
    """Uvloop looks names up by itself."""
    local = _local(host, port)
    if local is None:
        return await _plain_connection(loop, factory, host, port, **options)
    if options.get("ssl"):
        options["server_hostname"] = options.get("server_hostname") or host
    return await _plain_connection(loop, factory, "127.0.0.1", local, **options)


class _Curl(pycurl.Curl):
    """Celery's SQS client, whose library looks names up by itself, too."""

    def setopt(self, option: int, value: Any) -> None:
        if option == pycurl.URL:
            parts = urlsplit(value)
            local = _local(parts.hostname, parts.port or 443)
            if local is not None:
                super().setopt(pycurl.CONNECT_TO, [f"::127.0.0.1:{local}"])
        super().setopt(option, value)


def _load(context: ssl.SSLContext, cafile: Any = None, capath: Any = None, cadata: Any = None) -> None:
    _plain_load(context, cafile, capath, cadata)
    _plain_load(context, _view["authority"])


def _load_default(context: ssl.SSLContext, *_: Any) -> None:
    _plain_load(context, _view["authority"])


certifi.where = lambda: _view["authority"]
pycurl.Curl = _Curl  # type: ignore[misc]
socket.getaddrinfo = _getaddrinfo
ssl.SSLContext.load_default_certs = _load_default  # type: ignore[method-assign]
ssl.SSLContext.load_verify_locations = _load  # type: ignore[assignment, method-assign]
uvloop.Loop.create_connection = _create_connection  # type: ignore[method-assign]
