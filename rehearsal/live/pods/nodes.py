"""Which nodes does an agent stand for? One per zone of the cluster, labelled as EKS Auto Mode does, kept Ready."""

import asyncio
from collections.abc import Callable, Mapping

from rehearsal.cluster import auto_mode
from rehearsal.live.pods.api import STRATEGIC, UNREACHABLE, ApiServer, Object, Refused
from rehearsal.live.pods.container import now

_BEAT = 10.0  # seconds; the controller manager waits 40 before it calls a node lost
_SIZE = {"cpu": "8", "memory": "32Gi", "ephemeral-storage": "80Gi", "pods": "110"}
_HEALTH = (("Ready", "True"), ("MemoryPressure", "False"), ("DiskPressure", "False"), ("PIDPressure", "False"))


def name(zone: str) -> str:
    """The node of a zone."""
    return f"live-{zone}"


def zone(node: str) -> str:
    """The zone of a node."""
    return node.removeprefix("live-")


async def keep(
    api: ApiServer, zones: Mapping[str, str], *, address: str, local: str, log_port: int, say: Callable[[str], None]
) -> None:
    """Register the nodes and say again and again that they are well."""
    for one in zones:
        await api.apply("/api/v1/nodes", _node(one))
    silent = False
    while True:
        try:
            for one in zones:
                body = _status(address, local, log_port)
                await api.call("PATCH", f"/api/v1/nodes/{name(one)}/status", body, STRATEGIC)
            silent = False
        except Refused as error:
            if error.status != 404:
                raise
            for one in zones:
                await api.apply("/api/v1/nodes", _node(one))
        except UNREACHABLE as error:
            if not silent:
                say(f"the API server does not answer: {error!r}")
            silent = True
        await asyncio.sleep(_BEAT if not silent else 1.0)


def _node(place: str) -> Object:
    row = auto_mode.node(name(place), place, place[:-1])
    row["metadata"]["annotations"] = {}  # by one of these KWOK would find its own
    return row


def _status(address: str, local: str, log_port: int) -> Object:
    moment = now()
    conditions = [
        {
            "type": kind,
            "status": value,
            "reason": "LiveAgent",
            "lastHeartbeatTime": moment,
            "lastTransitionTime": moment,
        }
        for kind, value in _HEALTH
    ]
    info = dict.fromkeys(("machineID", "systemUUID", "bootID", "kernelVersion", "kubeProxyVersion"), "")
    info |= {"kubeletVersion": "v1.36.2-live", "architecture": "arm64", "operatingSystem": "linux"}
    info |= {"osImage": "bubblewrap", "containerRuntimeVersion": "bubblewrap://0.8"}
    return {
        "status": {
            "conditions": conditions,
            "capacity": _SIZE,
            "allocatable": _SIZE,
            # The API server asks for logs here; the address of the VPC is what pods know as their host's.
            "addresses": [{"type": "ExternalIP", "address": local}, {"type": "InternalIP", "address": address}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": log_port}},
            "nodeInfo": info,
        }
    }
