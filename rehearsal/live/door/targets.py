"""Which pods are targets of a group? Those behind the Services that a cluster's TargetGroupBindings name.

As the controller of EKS Auto Mode does it: a ready endpoint is registered; one that goes is deregistered and gets no
new request while it drains for the group's delay. A pod with a readiness gate of the binding becomes ready when the
balancer's checks pass.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rehearsal.live.pods.api import ApiServer

Object = dict[str, Any]
_BINDINGS = "/apis/eks.amazonaws.com/v1/targetgroupbindings"
_SLICES = "/apis/discovery.k8s.io/v1/endpointslices"


@dataclass(frozen=True)
class Registered:
    """An address registered with a group (its ARN)."""

    group: str
    address: str


class Targets:
    """The targets of one cluster, as its API server tells them."""

    def __init__(self, kubeconfig: Path, changed: Callable[[], None]) -> None:
        self._api = ApiServer(kubeconfig)
        self._changed = changed
        self._bindings: dict[str, Object] = {}
        self._slices: dict[str, Object] = {}

    async def follow(self) -> None:
        """Until cancelled."""
        try:
            await asyncio.gather(self._watch(_BINDINGS, self._bindings), self._watch(_SLICES, self._slices))
        finally:
            await self._api.close()

    def registered(self) -> set[Registered]:
        """What is registered now."""
        found = set()
        for binding in self._bindings.values():
            service = (binding["metadata"]["namespace"], binding["spec"]["serviceRef"]["name"])
            for row in self._slices.values():
                meta = row["metadata"]
                if (meta["namespace"], meta.get("labels", {}).get("kubernetes.io/service-name")) != service:
                    continue
                for one in row.get("endpoints") or []:
                    if one.get("conditions", {}).get("ready"):
                        found |= {Registered(binding["spec"]["targetGroupARN"], a) for a in one["addresses"]}
        return found

    async def _watch(self, path: str, known: dict[str, Object]) -> None:
        async for _ in self._api.mirror(path, known):
            self._changed()
