"""Is a container started, alive and ready? The three probes, with their delays, periods and thresholds really kept.

Kubernetes documentation, "Configure Liveness, Readiness and Startup Probes"; defaults are the API reference's.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rehearsal.live.network.pod_network import PodNetwork
from rehearsal.live.pods.process import ContainerProcess

Spec = Mapping[str, Any]
Said = tuple[bool, str]
_AGENT = b"kube-probe/1.36"
_SECOND = 1.0


@dataclass(frozen=True)
class Probed:
    """What a probe needs of the container that it looks at."""

    spec: Spec
    process: ContainerProcess
    network: PodNetwork
    environment: Mapping[str, str]


async def until_started(probe: Spec, container: Probed, pause: float = _SECOND) -> str:
    """The startup probe: "" once it has succeeded, else why it failed too often."""
    await asyncio.sleep(probe.get("initialDelaySeconds", 0) * pause)
    why = ""
    for _ in range(probe.get("failureThreshold", 3)):
        good, why = await once(probe, container)
        if good:
            return ""
        await asyncio.sleep(probe.get("periodSeconds", 10) * pause)
    return why


async def until_dead(probe: Spec, container: Probed, pause: float = _SECOND) -> str:
    """The liveness probe: returns why, when it has failed as often in a row as it may."""
    await asyncio.sleep(probe.get("initialDelaySeconds", 0) * pause)
    failed = 0
    while True:
        good, why = await once(probe, container)
        failed = 0 if good else failed + 1
        if failed >= probe.get("failureThreshold", 3):
            return why
        await asyncio.sleep(probe.get("periodSeconds", 10) * pause)


async def keep_ready(
    probe: Spec, container: Probed, told: Callable[[bool, str], Awaitable[None]], pause: float = _SECOND
) -> None:
    """The readiness probe, for ever: tells every change, beginning as not ready."""
    await asyncio.sleep(probe.get("initialDelaySeconds", 0) * pause)
    ready, row = False, 0
    while True:
        good, why = await once(probe, container)
        row = row + 1 if good is not ready else 0
        if row >= (probe.get("successThreshold", 1) if good else probe.get("failureThreshold", 3)):
            ready, row = good, 0
            await told(ready, why)
        await asyncio.sleep(probe.get("periodSeconds", 10) * pause)


async def once(probe: Spec, container: Probed) -> Said:
    """Ask once; whether it is well, and what was said."""
    seconds = float(probe.get("timeoutSeconds", 1))
    if "exec" in probe:
        code, said = await container.process.run_inside(probe["exec"]["command"], container.environment, seconds)
        return code == 0, f"command {' '.join(probe['exec']['command'])}: exit code {code}: {said}"
    ask = probe.get("httpGet") or probe["tcpSocket"]
    port = _number(ask["port"], container.spec)
    try:
        async with asyncio.timeout(seconds):
            reader, writer = await asyncio.open_connection(sock=await container.network.dial(port))
            try:
                if "httpGet" not in probe:
                    return True, ""
                path = ask.get("path", "/")
                host = {row["name"].lower(): row["value"] for row in ask.get("httpHeaders", [])}
                head = f"GET {path} HTTP/1.1\r\nHost: {host.get('host', 'localhost')}\r\nConnection: close\r\n"
                writer.write(head.encode() + b"User-Agent: " + _AGENT + b"\r\nAccept: */*\r\n\r\n")
                status = (await reader.readline()).split()
                code = int(status[1]) if len(status) > 1 else 0
                return 200 <= code < 400, f"GET {path}: {code or 'no answer'}"
            finally:
                writer.close()
    except TimeoutError:
        return False, f"port {port} did not answer within {seconds:g} s"
    except OSError as error:
        return False, f"port {port}: {error}"


def _number(port: int | str, container: Spec) -> int:
    named = {row.get("name"): row["containerPort"] for row in container.get("ports", [])}
    return int(named.get(port, port))
