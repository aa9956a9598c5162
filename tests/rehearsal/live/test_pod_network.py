"""Has a sandbox a network of its own, in which just its ways lead out and just its ports lead in?"""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from rehearsal.live.network.pod_network import PodNetwork, Way
from rehearsal.live.pods import sandbox
from rehearsal.live.pods.image import Image
from rehearsal.live.pods.process import ContainerProcess

SPEC = {"securityContext": {"runAsUser": 10001, "runAsGroup": 10001}}
POD, LOCAL, CALLER = "10.77.3.7", "127.77.3.7", "127.77.0.9"
PYTHON = str(Path(sys.base_prefix).resolve() / "bin" / "python3")
# Answers each connection with the address that it came from, and passes on what the outside answers at an address.
INSIDE = """
import os, socket, socketserver
class Talk(socketserver.StreamRequestHandler):
    def handle(self):
        asked = self.rfile.readline().decode().split()
        if asked[0] == "who":
            self.wfile.write(f"{os.getuid()} {self.client_address[0]}".encode())
        else:
            try:
                with socket.create_connection((asked[1], int(asked[2])), 3) as out:
                    self.wfile.write(out.recv(100))
            except OSError as error:
                self.wfile.write(type(error).__name__.encode())
socketserver.ThreadingTCPServer(("0.0.0.0", 8000), Talk).serve_forever()
"""


@pytest.fixture
async def outside() -> AsyncIterator[int]:
    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"the outside")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


@pytest.fixture
async def network(tmp_path: Path, outside: int) -> AsyncIterator[PodNetwork]:
    (tmp_path / "hosts").write_text("127.0.0.1 localhost\n")
    ground = sandbox.Ground(tmp_path / "hosts", tmp_path / "etc", tmp_path / "hosts", {})
    container: dict[str, Any] = {"args": [], "securityContext": {"readOnlyRootFilesystem": True}}
    image = Image((PYTHON, "-I", "-S", "-c", INSIDE))
    process = ContainerProcess()
    line = sandbox.command("pod", SPEC, container, image=image, environment={}, ground=ground)
    await process.start(line, tmp_path / "log")
    made = PodNetwork(process.pid, POD, LOCAL, lambda source, _: "10.77.0.9" if source == CALLER else None)
    await made.open([Way("52.94.0.4", 443, lambda: ("127.0.0.1", outside))], [8000])
    process.proceed()
    yield made
    process.kill("Error")
    await process.wait()
    await made.close()


async def ask(line: str, source: str = CALLER) -> str:
    async with asyncio.timeout(30):
        while True:  # until the container listens
            reader, writer = await asyncio.open_connection(LOCAL, 8000, local_addr=(source, 0))
            try:
                writer.write(f"{line}\n".encode())
                await writer.drain()
                if answer := await reader.read():
                    return answer.decode()
            except ConnectionError:
                if source != CALLER:
                    return "refused"
            finally:
                writer.close()


async def test_a_caller_comes_in_with_its_own_address_and_others_do_not(network: PodNetwork) -> None:
    assert await ask("who") == "10001 10.77.0.9"
    assert await ask("who", source="127.77.0.10") == "refused"


async def test_what_is_allowed_is_reached_at_its_address_and_nothing_else_is(network: PodNetwork, outside: int) -> None:
    assert await ask("get 52.94.0.4 443") == "the outside"
    for elsewhere in (f"127.0.0.1 {outside}", "52.94.0.4 80", "10.77.9.9 3306"):
        assert await ask(f"get {elsewhere}") in {"ConnectionRefusedError", "OSError"}


async def test_ways_open_and_close_while_the_pod_runs(network: PodNetwork, outside: int) -> None:
    other = Way("10.77.9.9", 3306, lambda: ("127.0.0.1", outside))
    await network.allow([other])
    assert await ask("get 10.77.9.9 3306") == "the outside"
    assert await ask("get 52.94.0.4 443") == "ConnectionRefusedError"
