"""How does a pod live on a node, from its binding to its removal, and what does the API server see of it?"""

import asyncio
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rehearsal.live.network.pod_network import Way
from rehearsal.live.pods import files
from rehearsal.live.pods.api import STRATEGIC, UNREACHABLE, Refused
from rehearsal.live.pods.container import Container, now

if TYPE_CHECKING:
    from rehearsal.live.pods.agent import Agent

Object = dict[str, Any]
_TOLD_AGAIN = 0.5
_MEASURED_EVERY = 5.0
_TOKEN_SECONDS = 86400


class Pod:
    """One pod of this node."""

    def __init__(self, agent: "Agent", row: Object, address: str) -> None:
        self.agent, self.row, self.address = agent, row, address
        meta = row["metadata"]
        self.name, self.namespace, self.uid = meta["name"], meta["namespace"], meta["uid"]
        self.local = agent.around.surroundings.loopback.local(address)
        self.folder: Path = agent.folder / "pods" / f"{self.namespace}_{self.name}"
        self.leaving = asyncio.Event()
        self.grace = 30.0
        self.volumes: dict[str, files.Volume] = {}
        self.identified = False
        self._phase, self._why = "Pending", ("", "")
        self._started = now()
        self._since: dict[str, tuple[str, str]] = {}
        self._turn = asyncio.Lock()
        spec = row["spec"]
        self.initial = [Container(self, one, initial=True) for one in spec.get("initContainers", [])]
        self.containers = [Container(self, one, initial=False) for one in spec["containers"]]

    async def live(self) -> None:
        """Until the pod is gone from the API server."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.refresh()
        measuring = asyncio.create_task(self._measure())
        measuring.add_done_callback(self.heard)
        try:
            await self._identify()
            for one in self.initial:
                await one.live()
                if one.exit_code:
                    self._phase = "Failed"
            if self._phase == "Pending" and not self.leaving.is_set():
                self._phase = "Running"
                await asyncio.gather(*(one.live() for one in self.containers))
                if self.row["spec"].get("restartPolicy") != "Always" and self._phase == "Running":
                    bad = any(one.exit_code != 0 for one in self.containers)
                    self._phase = "Failed" if bad else "Succeeded"
            await self.report()
            await self.leaving.wait()
            await self.report()
            await self._removed()
        finally:
            measuring.cancel()
            shutil.rmtree(self.folder / "volumes", ignore_errors=True)

    def told(self, kind: str) -> list[Object]:
        """Statuses that an agent before this one left."""
        found: list[Object] = self.row.get("status", {}).get(kind, [])
        return found

    def log(self, container: str, run: int) -> Path:
        """The file of one run's output."""
        place = self.folder / "logs"
        place.mkdir(parents=True, exist_ok=True)
        return place / f"{container}-{run}.log"

    def ways(self) -> list[Way]:
        """What it may connect to now."""
        return self.agent.around.ways(self.row)

    def admits(self, source: str, port: int) -> str | None:
        """Who comes in, and as whom."""
        return self.agent.around.admits(self.row | {"status": {"podIP": self.address}}, source, port)

    def refresh(self) -> None:
        """Names and ways have changed around it: written into the same file, for it is bound into the containers."""
        with (self.folder / "hosts").open("w") as hosts:
            hosts.write(f"127.0.0.1 localhost\n{self.address} {self.name}\n{self.agent.around.hosts()}")
        for one in self.containers:
            if one.network is not None and one.process is not None and not one.process.ended:
                task = asyncio.ensure_future(one.network.allow(self.ways()))
                task.add_done_callback(self.heard)

    async def leaves_within(self, seconds: float) -> bool:
        """Wait, unless the pod is to go before."""
        try:
            await asyncio.wait_for(self.leaving.wait(), seconds)
        except TimeoutError:
            return False
        return True

    def heard(self, task: "asyncio.Task[None]") -> None:
        """A fault of the agent is seen, whichever task it happens in."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self.agent.say(f"{self.name}: fault of the agent: {error!r}")

    async def report(self) -> None:
        """Write the status, as often as it takes while the API server is away."""
        async with self._turn:
            while True:
                status = self._status()
                body = {"metadata": {"uid": self.uid}, "status": status}
                try:
                    await self.agent.api.call("PATCH", f"{self._path}/status", body, STRATEGIC)
                except Refused as error:
                    if error.status not in (404, 409):
                        self.agent.say(f"{self.name}: status refused: {error}")
                    return
                except UNREACHABLE:
                    await asyncio.sleep(_TOLD_AGAIN)
                else:
                    return

    async def event(self, kind: str, reason: str, message: str) -> None:
        """What `kubectl describe` shows."""
        self.agent.say(f"{self.name}: {reason}: {message}")
        about = {"apiVersion": "v1", "kind": "Pod", "name": self.name, "namespace": self.namespace, "uid": self.uid}
        moment = now()
        body = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"generateName": f"{self.name[:200]}."},
            "type": kind,
            "reason": reason,
            "message": message[:1000],
            "involvedObject": about,
            "source": {"component": "live-agent", "host": self.row["spec"]["nodeName"]},
            "firstTimestamp": moment,
            "lastTimestamp": moment,
            "count": 1,
        }
        try:
            await self.agent.api.call("POST", f"/api/v1/namespaces/{self.namespace}/events", body)
        except (Refused, *UNREACHABLE):
            return

    @property
    def _path(self) -> str:
        return f"/api/v1/namespaces/{self.namespace}/pods/{self.name}"

    def _status(self) -> Object:
        rows = [one.status() for one in self.containers]
        over = self._phase in ("Succeeded", "Failed")
        ready = not over and all(one.ready for one in self.containers)
        gates = [gate["conditionType"] for gate in self.row["spec"].get("readinessGates", [])]
        open_ = {one["type"] for one in self.told("conditions") if one["status"] == "True"}
        waiting = [gate for gate in gates if gate not in open_]
        reason = "PodCompleted" if self._phase == "Succeeded" else "" if ready else "ContainersNotReady"
        initialized = all(one.exit_code == 0 for one in self.initial)
        status: Object = {
            "phase": self._phase,
            "hostIP": self.agent.address,
            "podIP": self.address,
            "podIPs": [{"ip": self.address}],
            "startTime": self._started,
            "containerStatuses": rows,
            "initContainerStatuses": [one.status() for one in self.initial],
            "conditions": [
                self._condition("PodReadyToStartContainers", not over),
                self._condition("Initialized", initialized),
                self._condition("ContainersReady", ready, reason),
                self._condition(
                    "Ready", ready and not waiting, reason or ("ReadinessGatesNotReady" if waiting else "")
                ),
            ],
        }
        if self._why[0]:
            status |= {"reason": self._why[0], "message": self._why[1]}
        return status

    def _condition(self, kind: str, holds: bool, reason: str = "") -> Object:
        value = "True" if holds else "False"
        if self._since.get(kind, ("", ""))[0] != value:
            self._since[kind] = (value, now())
        row = {"type": kind, "status": value, "lastTransitionTime": self._since[kind][1]}
        return row | {"reason": reason} if reason else row

    async def _identify(self) -> None:
        """A token for Pod Identity, bound to this pod, where its account has a role, as EKS's webhook projects it."""
        account = self.row["spec"].get("serviceAccountName", "default")
        if (self.namespace, account) not in self.agent.around.surroundings.associations:
            return
        bound = {"apiVersion": "v1", "kind": "Pod", "name": self.name, "uid": self.uid}
        spec = {"audiences": ["pods.eks.amazonaws.com"], "expirationSeconds": _TOKEN_SECONDS, "boundObjectRef": bound}
        path = f"/api/v1/namespaces/{self.namespace}/serviceaccounts/{account}/token"
        answer = await self.agent.api.call("POST", path, {"spec": spec})
        place = self.folder / "token"
        place.mkdir(exist_ok=True)
        (place / "eks-pod-identity-token").write_text(answer["status"]["token"])
        self.identified = True

    async def _measure(self) -> None:
        """Evict the pod when a volume is above its limit (Kubernetes documentation, "Local ephemeral storage")."""
        while True:
            await asyncio.sleep(_MEASURED_EVERY)
            for volume in list(self.volumes.values()):
                if volume.limit is None or await asyncio.to_thread(files.size, volume.folder) <= volume.limit:
                    continue
                limit = next(
                    v["emptyDir"]["sizeLimit"] for v in self.row["spec"]["volumes"] if v["name"] == volume.name
                )
                words = f'Usage of EmptyDir volume "{volume.name}" exceeds the limit "{limit}".'
                self._phase, self._why = "Failed", ("Evicted", words)
                await self.event("Warning", "Evicted", words)
                for one in self.containers:
                    if one.process is not None:
                        one.process.kill("Error")
                await self.report()
                return

    async def _removed(self) -> None:
        while True:
            try:
                body = {"gracePeriodSeconds": 0, "preconditions": {"uid": self.uid}}
                await self.agent.api.call("DELETE", self._path, body)
            except Refused:  # gone already, or another of that name
                return
            except UNREACHABLE:
                await asyncio.sleep(_TOLD_AGAIN)
            else:
                return
