"""How does a container live in its pod? Started, probed, measured, restarted with back-off, stopped with grace.

A container's back-off doubles from 10 s to 5 minutes and begins anew after 10 minutes of running (Kubernetes
documentation, "Container restarts").
"""

import asyncio
import datetime as dt
import time
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from rehearsal.live.network.pod_network import PodNetwork
from rehearsal.live.pods import files, probes, sandbox
from rehearsal.live.pods.files import NotThere
from rehearsal.live.pods.process import ContainerProcess
from rehearsal.live.pods.quantities import quantity

if TYPE_CHECKING:
    from rehearsal.live.pods.pod import Pod

Object = dict[str, Any]
_FIRST_PAUSE, _LONGEST_PAUSE, _STEADY = 10.0, 300.0, 600.0
_MEASURED_EVERY = 1.0
_MESSAGE = 2048  # bytes of a termination message taken from the log: 80 lines or this
_IDENTITY = "/var/run/secrets/pods.eks.amazonaws.com/serviceaccount"


def now() -> str:
    """The moment, as Kubernetes writes it."""
    return dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Container:
    """One container of a pod, over all its runs."""

    def __init__(self, pod: "Pod", spec: Object, *, initial: bool) -> None:
        self.pod, self.spec, self._initial = pod, spec, initial
        self.name: str = spec["name"]
        before = [
            one
            for one in pod.told("initContainerStatuses" if initial else "containerStatuses")
            if one["name"] == self.name
        ]
        self.restarts = before[0]["restartCount"] + 1 if before else 0
        self.state: Object = {"waiting": {"reason": "PodInitializing" if initial else "ContainerCreating"}}
        self.last: Object = {}
        self.ready = self.started = False
        self.process: ContainerProcess | None = None
        self.network: PodNetwork | None = None
        self.exit_code: int | None = None

    def status(self) -> Object:
        """The containerStatus of this moment."""
        row = {"name": self.name, "image": self.spec["image"], "imageID": self.spec["image"], "state": self.state}
        row |= {"ready": self.ready, "restartCount": self.restarts, "lastState": self.last}
        return row if self._initial else row | {"started": self.started}

    async def live(self) -> None:
        """Run it until it may not be started again, or the pod goes."""
        policy = self.pod.row["spec"].get("restartPolicy", "Always")
        if self._initial and policy == "Always":
            policy = "OnFailure"
        pause = 0.0
        while not self.pod.leaving.is_set():
            ran = await self._once()
            if ran is None:
                if await self.pod.leaves_within(5.0):
                    return
                continue
            if self.pod.leaving.is_set() or policy == "Never" or (policy == "OnFailure" and self.exit_code == 0):
                return
            pause = 0.0 if ran > _STEADY else pause
            self.last = self.state
            if pause:
                words = f"back-off {pause:.0f}s restarting failed container {self.name}"
                self.state = {"waiting": {"reason": "CrashLoopBackOff", "message": words}}
                await self.pod.event("Warning", "BackOff", words)
                await self.pod.report()
            if await self.pod.leaves_within(pause):
                return
            pause = min(max(pause * 2, _FIRST_PAUSE), _LONGEST_PAUSE)
            self.restarts += 1

    async def _once(self) -> float | None:
        """One run: how many seconds it took; None when it could not begin."""
        image = self.pod.agent.registry.pull(self.spec["image"])
        if image is None:
            await self._waits("ImagePullBackOff", f"the registry has no image {self.spec['image']}")
            return None
        try:
            environment = await files.environment(self.pod.agent.api, self.pod.row, self.spec, self.pod.address)
            found = await files.volumes(self.pod.agent.api, self.pod.row, self.pod.folder)
        except NotThere as error:
            await self._waits("CreateContainerConfigError", str(error))
            return None
        self.pod.volumes = found
        mounts = {
            mount["mountPath"]: (found[mount["name"]].folder, not mount.get("readOnly"))
            for mount in self.spec.get("volumeMounts", [])
        }
        if self.pod.identified:
            mounts[_IDENTITY] = (self.pod.folder / "token", False)
            environment |= self.pod.agent.identity_environment(f"{_IDENTITY}/eks-pod-identity-token")
        around = self.pod.agent.around.surroundings
        ground = sandbox.Ground(self.pod.folder / "hosts", self.pod.folder / "etc", around.authority, mounts)
        process = self.process = ContainerProcess()
        log = self.pod.log(self.name, self.restarts)
        line = sandbox.command(
            self.pod.name, self.pod.row["spec"], self.spec, image=image, environment=environment, ground=ground
        )
        try:
            await process.start(line, log)
            network = PodNetwork(process.pid, self.pod.address, self.pod.local, self.pod.admits)
            ports = [row["containerPort"] for row in self.spec.get("ports", []) if row.get("protocol", "TCP") == "TCP"]
            await network.open(self.pod.ways(), ports)
        except OSError as error:
            process.kill("StartError")
            await self._waits("CreateContainerError", str(error))
            return None
        self.network = network
        await network.allow(self.pod.ways())  # what changed while it was opened
        process.proceed()
        await self._running(process, network, {**image.environment, **environment})
        return time.monotonic() - process.started

    async def _waits(self, reason: str, message: str) -> None:
        if self.state.get("waiting", {}).get("message") != message:
            self.state = {"waiting": {"reason": reason, "message": message}}
            await self.pod.event("Warning", "Failed", message)
            await self.pod.report()

    async def _running(self, process: ContainerProcess, network: PodNetwork, environment: dict[str, str]) -> None:
        begun = now()
        self.state = {"running": {"startedAt": begun}}
        self.started = "startupProbe" not in self.spec
        self.ready = self.started and "readinessProbe" not in self.spec
        await self.pod.report()
        probed = probes.Probed(self.spec, process, network, environment)
        watching: list[asyncio.Task[None]] = []
        for work in (self._probes(probed), self._memory(process)):
            watching.append(asyncio.create_task(work))
        for task in watching:
            task.add_done_callback(self.pod.heard)
        ended = asyncio.create_task(process.wait())
        leaving = asyncio.create_task(self.pod.leaving.wait())
        await asyncio.wait({ended, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not ended.done():
            for task in watching:
                task.cancel()
            await process.stop(self.pod.grace, self._pause_before_stop())
        leaving.cancel()
        for task in watching:
            task.cancel()
        await network.close()
        self.exit_code = code = await ended
        reason = process.killed or ("Completed" if code == 0 else "Error")
        ending = {
            "exitCode": code,
            "reason": reason,
            "startedAt": begun,
            "finishedAt": now(),
            "message": self._message(code),
        }
        self.state, self.ready, self.started = {"terminated": ending}, False, False
        self.pod.agent.say(
            f"{self.pod.name}/{self.name}: {reason} ({code}) after {time.monotonic() - process.started:.1f} s, "
            f"peak {process.peak / 2**20:.0f} MiB"
        )
        await self.pod.report()

    def _pause_before_stop(self) -> float:
        hook = self.spec.get("lifecycle", {}).get("preStop", {})
        return float(hook.get("sleep", {}).get("seconds", 0))

    def _message(self, code: int) -> str:
        if not code or self.spec.get("terminationMessagePolicy") != "FallbackToLogsOnError":
            return ""
        text = self.pod.log(self.name, self.restarts).read_text(errors="replace")
        return "\n".join(text.splitlines()[-80:])[-_MESSAGE:]

    async def _probes(self, probed: probes.Probed) -> None:
        if probe := self.spec.get("startupProbe"):
            if why := await probes.until_started(probe, probed):
                await self.pod.event("Warning", "Unhealthy", f"Startup probe failed: {why}")
                return await self._restart(probed.process, f"Container {self.name} failed startup probe")
            self.started = True
            self.ready = "readinessProbe" not in self.spec
            await self.pod.report()
        work: list[Coroutine[Any, Any, None]] = []
        if probe := self.spec.get("readinessProbe"):
            work.append(probes.keep_ready(probe, probed, self._became))
        if probe := self.spec.get("livenessProbe"):
            work.append(self._alive(probe, probed))
        await asyncio.gather(*work)
        return None

    async def _became(self, ready: bool, why: str) -> None:
        self.ready = ready
        if not ready:
            await self.pod.event("Warning", "Unhealthy", f"Readiness probe failed: {why}")
        await self.pod.report()

    async def _alive(self, probe: Object, probed: probes.Probed) -> None:
        why = await probes.until_dead(probe, probed)
        await self.pod.event("Warning", "Unhealthy", f"Liveness probe failed: {why}")
        await self._restart(probed.process, f"Container {self.name} failed liveness probe")

    async def _restart(self, process: ContainerProcess, words: str) -> None:
        await self.pod.event("Normal", "Killing", f"{words}, will be restarted")
        grace = float(self.pod.row["spec"].get("terminationGracePeriodSeconds", 30))
        await asyncio.shield(process.stop(grace, 0))

    async def _memory(self, process: ContainerProcess) -> None:
        limit = self.spec.get("resources", {}).get("limits", {}).get("memory")
        most = quantity(limit) if limit else float("inf")
        while True:
            await asyncio.sleep(_MEASURED_EVERY)
            if await asyncio.to_thread(process.memory) > most:
                process.kill("OOMKilled")
                words = f"{process.peak / 2**20:.0f} MiB are above the limit of {limit}"
                await self.pod.event("Warning", "OOMKilling", words)
                return
