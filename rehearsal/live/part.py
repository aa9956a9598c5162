"""What is a part of the region? Something that brings what runs into line with what the world declares."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from rehearsal.live.plan import Plan
from rehearsal.live.pods.neighbourhood import Endpoint
from rehearsal.live.stand_ins.authority import Authority
from rehearsal.live.view import View

_SUBNET, _VPC = "aws:ec2/subnet:Subnet", "aws:ec2/vpc:Vpc"


@dataclass(frozen=True)
class Ground:
    """What all parts stand on."""

    folder: Path
    plan: Plan
    authority: Authority
    say: Callable[[str], None]


@dataclass(frozen=True)
class Place:
    """Where something stands: its VPC, its address there, and that address's image on this machine."""

    vpc: str
    address: str
    local: str


def placed(ground: Ground, view: View, owner: str, subnets: Sequence[str]) -> Place | None:
    """The place of what is declared for these subnets (its ARN); None while none of them is there."""
    subnet = next((row for row in view.all(_SUBNET) if row.id in subnets), None)
    if subnet is None:
        return None
    vpc = subnet.outputs["vpcId"]
    cidr = next(row.outputs["cidrBlock"] for row in view.all(_VPC) if row.id == vpc)
    address = ground.plan.address(owner, subnet.outputs["cidrBlock"])
    return Place(vpc, address, ground.plan.loopback(vpc, cidr).local(address))


class Part(Protocol):
    """One part."""

    async def settle(self, view: View) -> None:
        """Start what is declared, stop what is not any more. May take seconds; is never called twice at once."""

    def endpoints(self, view: View) -> list[tuple[str, Endpoint]]:
        """What answers to pods: (VPC id, or "" for every VPC; endpoint)."""

    async def close(self) -> None:
        """Stop everything; data stay."""


class Serving:
    """Tasks by name that serve until they are ended; one that fails says so."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._tasks: dict[str, asyncio.Task[Any]] = {}

    def begin(self, name: str, work: Coroutine[Any, Any, Any]) -> None:
        """Let it serve from now on."""
        task = self._tasks[name] = asyncio.create_task(work)
        task.add_done_callback(lambda ended: self._ended(name, ended))

    async def end(self, name: str) -> None:
        """Stop one; nothing happens when it is not there."""
        if task := self._tasks.pop(name, None):
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def end_all(self) -> None:
        """Stop all."""
        for name in list(self._tasks):
            await self.end(name)

    def _ended(self, name: str, task: "asyncio.Task[Any]") -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._say(f"{name} has ended: {error!r}")
