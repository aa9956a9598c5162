"""Does the front door stand as the world and the clusters declare it?"""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from rehearsal.cluster import control_plane
from rehearsal.errors import RehearsalError
from rehearsal.live.door.configuration import Balancer, Places, Target, drawn
from rehearsal.live.door.haproxy import HAProxy
from rehearsal.live.door.targets import Registered, Targets
from rehearsal.live.part import Ground, Serving, placed
from rehearsal.live.pods.neighbourhood import Endpoint
from rehearsal.live.view import View

_BALANCER, _GROUP = "aws:lb/loadBalancer:LoadBalancer", "aws:lb/targetGroup:TargetGroup"
_CERTIFICATE, _CLUSTER, _VPC = "aws:acm/certificate:Certificate", "aws:eks/cluster:Cluster", "aws:ec2/vpc:Vpc"
_LISTENER = "aws:lb/listener:Listener"
EDGE_PORT = 8443


class Door:
    """CloudFront and the load balancers."""

    def __init__(self, ground: Ground, clusters: Path, objects: tuple[str, int]) -> None:
        self._ground, self._clusters, self._objects = ground, clusters, objects
        self._view = View()
        self._proxy = HAProxy(ground.folder / "door")
        self._following: dict[str, Targets] = {}
        self._serving = Serving(ground.say)
        self._targets: dict[str, dict[str, Target]] = {}  # group -> address -> target
        self._draining: dict[Registered, asyncio.Task[None]] = {}
        self._wake = asyncio.Event()
        self._serving.begin("front door", self._keep())
        self.edge = ground.plan.stand_in(5)

    async def settle(self, view: View) -> None:
        """Follow the clusters that are there; the configuration follows by itself."""
        self._view = view
        names = {row.outputs["name"] for row in view.all(_CLUSTER)}
        for name in set(self._following) - names:
            await self._serving.end(f"targets of {name}")
            del self._following[name]
        for name in names - set(self._following):
            kubeconfig = control_plane.folder_of(self._clusters, name) / "kubeconfig"
            if kubeconfig.exists():
                self._following[name] = Targets(kubeconfig, self._wake.set)
                self._serving.begin(f"targets of {name}", self._following[name].follow())
        self._wake.set()

    def endpoints(self, view: View) -> list[tuple[str, Endpoint]]:
        """Pods do not call the front door."""
        return []

    async def close(self) -> None:
        """Stop."""
        await self._serving.end_all()
        for task in self._draining.values():
            task.cancel()
        await asyncio.to_thread(self._proxy.stop)

    async def _keep(self) -> None:
        """Draw it anew after every change, a few together."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            self._register()
            if not self._view.all(_LISTENER):
                continue
            try:
                await self._proxy.take(self._drawn())
            except (RehearsalError, OSError, TimeoutError) as error:
                self._ground.say(f"front door: {error}")
            await asyncio.sleep(0.2)

    def _register(self) -> None:
        wanted = {one for targets in self._following.values() for one in targets.registered()}
        for group, known in self._targets.items():
            for address, target in known.items():
                here = Registered(group, address)
                if here not in wanted and here not in self._draining:
                    known[address] = Target(target.local, target.source, draining=True)
                    self._draining[here] = asyncio.create_task(self._deregister(here))
        for one in wanted:
            if task := self._draining.pop(one, None):
                task.cancel()
            known = self._targets.setdefault(one.group, {})
            before = known.get(one.address)
            if (before is None or before.draining) and (made := self._target(one)) is not None:
                known[one.address] = made

    async def _deregister(self, one: Registered) -> None:
        row = self._view.find(_GROUP, arn=one.group)
        await asyncio.sleep(float(row.outputs.get("deregistrationDelay", 300)) if row else 0)
        self._targets[one.group].pop(one.address, None)
        self._draining.pop(one, None)
        self._wake.set()

    def _target(self, one: Registered) -> Target | None:
        row = self._view.find(_GROUP, arn=one.group)
        vpc = next((v for v in self._view.all(_VPC) if row and v.id == row.outputs.get("vpcId")), None)
        if row is None or vpc is None:
            return None
        loopback = self._ground.plan.loopback(vpc.id, vpc.outputs["cidrBlock"])
        balancers = self._balancers()
        place = next((p for p in balancers.values() if p.address.startswith(loopback.vpc + ".")), None)
        return Target(loopback.local(one.address), place.local if place else "0.0.0.0")  # noqa: S104

    def _balancers(self) -> dict[str, Balancer]:
        found = {}
        for row in self._view.all(_BALANCER):
            place = placed(self._ground, self._view, row.outputs["arn"], row.outputs.get("subnets") or [])
            if place is not None:
                found[row.outputs["arn"]] = Balancer(place.address, place.local)
        return found

    def _drawn(self) -> str:
        certificates = {}
        for row in self._view.all(_CERTIFICATE):
            names = [row.outputs["domainName"], *(row.outputs.get("subjectAlternativeNames") or [])]
            certificates[row.outputs["arn"]] = self._ground.authority.pem(*dict.fromkeys(names))
        places = Places(
            edge=self.edge,
            edge_port=EDGE_PORT,
            objects=self._objects,
            balancers=self._balancers(),
            socket=self._proxy.socket,
            state=self._proxy.state,
            authority=self._ground.authority.certificate,
            certificates=certificates,
        )
        targets: dict[str, Sequence[Target]] = {group: list(known.values()) for group, known in self._targets.items()}
        return drawn(self._view, places, targets)
