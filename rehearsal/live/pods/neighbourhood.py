"""What may a pod reach and who may reach it, as the cluster stands now? Endpoints, services, pods; policies."""

import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rehearsal.live.network.loopback import Loopback
from rehearsal.live.network.pod_network import Way
from rehearsal.live.network.policies import Peer, Port, allowed

Object = dict[str, Any]
KINDS = {
    "NetworkPolicy": "/apis/networking.k8s.io/v1/networkpolicies",
    "Namespace": "/api/v1/namespaces",
    "Service": "/api/v1/services",
    "EndpointSlice": "/apis/discovery.k8s.io/v1/endpointslices",
}
"""What is watched beside the pods, by collection."""


@dataclass(frozen=True)
class Endpoint:
    """One address outside the cluster that answers: an AWS endpoint or a stand-in, and where it is on this machine."""

    names: tuple[str, ...]
    address: str
    port: int
    to: tuple[str, int]


@dataclass(frozen=True)
class Surroundings:
    """What the region tells the agents of one cluster."""

    loopback: Loopback
    authority: Path
    registry: Path
    region: str
    subnets: Mapping[str, str]  # zone -> CIDR block of the cluster's subnet there
    endpoints: tuple[Endpoint, ...]
    associations: frozenset[tuple[str, str]]  # (namespace, service account) with a role

    @classmethod
    def read(cls, file: Path) -> "Surroundings":
        """From the file that the region writes whole."""
        row = json.loads(file.read_text())
        endpoints = tuple(
            Endpoint(tuple(one["names"]), one["address"], one["port"], (one["to"][0], one["to"][1]))
            for one in row["endpoints"]
        )
        return cls(
            loopback=Loopback(row["vpc"], row["network"]),
            authority=Path(row["authority"]),
            registry=Path(row["registry"]),
            region=row["region"],
            subnets=row["subnets"],
            endpoints=endpoints,
            associations=frozenset((one[0], one[1]) for one in row["associations"]),
        )


@dataclass
class Neighbourhood:
    """Everything around the pods of one cluster, by kind and uid."""

    surroundings: Surroundings
    objects: dict[str, dict[str, Object]] = field(default_factory=lambda: {kind: {} for kind in KINDS})
    pods: dict[str, Object] = field(default_factory=dict)  # by address
    _turn: "itertools.count[int]" = field(default_factory=itertools.count)

    def hosts(self) -> str:
        """The lines of a hosts file, for everything that has a name."""
        lines = [f"{one.address} {' '.join(one.names)}\n" for one in self.surroundings.endpoints if one.names]
        for row in self._services():
            name = f"{row['metadata']['name']}.{row['metadata']['namespace']}"
            lines.append(f"{row['spec']['clusterIP']} {name} {name}.svc {name}.svc.cluster.local\n")
        return "".join(lines)

    def ways(self, pod: Object) -> list[Way]:
        """Every place that the pod may connect to under the policies of this moment."""
        found = []
        for one in self.surroundings.endpoints:
            if self._lets_out(pod, Peer(one.address), Port(one.port)):
                found.append(Way(one.address, one.port, lambda to=one.to: to))  # type: ignore[misc]
        for row in self._services():
            for port in row["spec"].get("ports", []):
                targets = self._targets(row, port)
                peers = [(self.pods.get(address), number) for address, number in targets]
                if any(peer and self._lets_out(pod, self._peer(peer), Port(number)) for peer, number in peers):
                    key = (row["metadata"]["uid"], port.get("name"))
                    found.append(Way(row["spec"]["clusterIP"], port["port"], lambda key=key: self._next(*key)))  # type: ignore[misc]
        return found

    def admits(self, pod: Object, source: str, port: int) -> str | None:
        """The address that a caller from `source` (this machine's) has inside the pod's network; None: refused.

        A caller that is no address of the VPC is the node itself: a kubelet always comes in.
        """
        inside = self.surroundings.loopback.inside(source)
        if inside is None:
            return pod.get("status", {}).get("podIP") or "127.0.0.1"
        peer = self._peer(self.pods[inside]) if inside in self.pods else Peer(inside)
        names = {
            row["containerPort"]: row.get("name") for one in pod["spec"]["containers"] for row in one.get("ports", [])
        }
        meta = pod["metadata"]
        policies = self.objects["NetworkPolicy"].values()
        entering = Port(port, names.get(port))
        good = allowed(policies, "Ingress", meta["namespace"], meta.get("labels", {}), peer=peer, port=entering)
        return inside if good else None

    def _lets_out(self, pod: Object, peer: Peer, port: Port) -> bool:
        meta = pod["metadata"]
        policies = self.objects["NetworkPolicy"].values()
        return allowed(policies, "Egress", meta["namespace"], meta.get("labels", {}), peer=peer, port=port)

    def _peer(self, pod: Object) -> Peer:
        meta = pod["metadata"]
        space = next((n for n in self.objects["Namespace"].values() if n["metadata"]["name"] == meta["namespace"]), {})
        labels = space.get("metadata", {}).get("labels", {})
        return Peer(pod["status"]["podIP"], meta["namespace"], labels, meta.get("labels", {}))

    def _services(self) -> Iterator[Object]:
        for row in self.objects["Service"].values():
            if row["spec"].get("clusterIP") not in (None, "None"):
                yield row

    def _targets(self, service: Object, port: Object) -> list[tuple[str, int]]:
        found = []
        for row in self.objects["EndpointSlice"].values():
            meta = row["metadata"]
            if meta["namespace"] != service["metadata"]["namespace"]:
                continue
            if meta.get("labels", {}).get("kubernetes.io/service-name") != service["metadata"]["name"]:
                continue
            number = next(
                (one["port"] for one in row.get("ports") or [] if one.get("name") == port.get("name", "")), None
            )
            for one in row.get("endpoints") or []:
                if number and one.get("conditions", {}).get("ready"):
                    found += [(address, number) for address in one["addresses"]]
        return sorted(found)

    def _next(self, uid: str, name: str | None) -> tuple[str, int] | None:
        service = self.objects["Service"].get(uid)
        port = next(
            (one for one in (service or {"spec": {}})["spec"].get("ports", []) if one.get("name") == name), None
        )
        targets = self._targets(service, port) if service and port else []
        if not targets:
            return None
        address, number = targets[next(self._turn) % len(targets)]
        return self.surroundings.loopback.local(address), number
