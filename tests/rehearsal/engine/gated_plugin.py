"""The emulated AWS plugin with a gate: one operation on one resource stops there until the test lets it go on.

`GATE` is "create|update|delete before|after NAME": there the plugin connects to `GATE_KEEPER` and waits for a byte.
"""

import os
import runpy
import socket
import threading
from collections.abc import Callable
from typing import Any

from rehearsal.protocol import load_messages

load_messages()

from rehearsal.aws.provider import Aws  # noqa: E402


def gated(operation: str, act: Callable[..., Any]) -> Callable[..., Any]:
    """The operation, stopping before or after the world has changed; previews pass."""

    def through(self: Aws, urn: Any, *arguments: Any) -> Any:
        preview = arguments[-1] is True
        stop(f"{operation} before {urn.name}", preview)
        answer = act(self, urn, *arguments)
        stop(f"{operation} after {urn.name}", preview)
        return answer

    return through


def stop(place: str, preview: bool) -> None:
    if not preview and os.environ.get("GATE") == place:
        with socket.socket(socket.AF_UNIX) as keeper:
            keeper.connect(os.environ["GATE_KEEPER"])
            keeper.recv(1)


def end_with_the_engine() -> None:
    """The gate holds up the plugin's own watch: the engine has our standard input, which ends with it."""
    os.read(0, 1)
    os._exit(0)


for name in ("create", "update", "delete"):
    setattr(Aws, name, gated(name, getattr(Aws, name)))
threading.Thread(target=end_with_the_engine, daemon=True).start()
runpy.run_module("rehearsal.aws", run_name="__main__", alter_sys=True)
