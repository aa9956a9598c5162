"""Who runs the pods of a cluster? One agent that is every node of it: registers, watches, reports, serves logs.

Run as `python -m rehearsal.live.pods.agent KUBECONFIG SURROUNDINGS FOLDER`; ends on SIGTERM, with every container, and
when its folder is gone.
"""

import argparse
import asyncio
import contextlib
import ipaddress
import signal
import sys
import time
from pathlib import Path
from typing import Any

from rehearsal.live.pods import nodes
from rehearsal.live.pods.api import ApiServer
from rehearsal.live.pods.image import Registry
from rehearsal.live.pods.logs import serve_logs
from rehearsal.live.pods.neighbourhood import KINDS, Neighbourhood, Surroundings
from rehearsal.live.pods.pod import Pod

Object = dict[str, Any]
_LOOKS_EVERY = 0.25  # at the surroundings' file and at whether the folder is still there
_IDENTITY = "http://169.254.170.23/v1/credentials"  # EKS user guide, "Pod Identity": the agent's link-local address
_GOODBYE = 5.0


class Agent:
    """The nodes of one cluster, as many as it has zones."""

    def __init__(self, kubeconfig: Path, surroundings: Path, folder: Path) -> None:
        self.api = ApiServer(kubeconfig)
        self._file, self.folder = surroundings, folder
        self.around = Neighbourhood(Surroundings.read(surroundings))
        self.registry = Registry(self.around.surroundings.registry)
        self.address = str(ipaddress.ip_network(next(iter(self.around.surroundings.subnets.values())))[4])
        self.pods: dict[str, Pod] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def say(self, text: str) -> None:
        """A line of the agent's log."""
        sys.stdout.write(f"{time.strftime('%H:%M:%S')} {text}\n")
        sys.stdout.flush()

    def identity_environment(self, token: str) -> dict[str, str]:
        """What EKS's webhook adds to the containers of an account that has a role."""
        region = self.around.surroundings.region
        return {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": _IDENTITY,
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": token,
            "AWS_STS_REGIONAL_ENDPOINTS": "regional",
            "AWS_DEFAULT_REGION": region,
            "AWS_REGION": region,
        }

    async def run(self) -> None:
        """Until SIGTERM, or until the folder is gone."""
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        zones = self.around.surroundings.subnets
        local = self.around.surroundings.loopback.local(self.address)
        logs = await serve_logs(self.folder, local)
        work = [
            nodes.keep(self.api, zones, address=self.address, local=local, log_port=logs.port, say=self.say),
            self._watch_pods(zones),
        ]
        work += [self._watch(kind, path) for kind, path in KINDS.items()]
        work += [self._look(stop)]
        tasks = [asyncio.create_task(one) for one in work]
        stopping = asyncio.create_task(stop.wait())
        done, _ = await asyncio.wait([*tasks, stopping], return_when=asyncio.FIRST_COMPLETED)
        for task in done - {stopping}:
            if error := task.exception():
                self.say(f"the agent ends: {error!r}")
        for task in (*tasks, *self._tasks.values()):
            task.cancel()
        running = [one for pod in self.pods.values() for one in (*pod.initial, *pod.containers) if one.process]
        await asyncio.gather(*(one.process.stop(_GOODBYE, 0) for one in running if one.process), return_exceptions=True)
        await asyncio.gather(*(one.network.close() for one in running if one.network), return_exceptions=True)
        await logs.close()
        await self.api.close()

    async def _look(self, stop: asyncio.Event) -> None:
        """Take over new surroundings; end when the rehearsal's folder was removed."""
        seen = self._file.stat().st_mtime_ns
        while True:
            await asyncio.sleep(_LOOKS_EVERY)
            try:
                moment = self._file.stat().st_mtime_ns
            except FileNotFoundError:
                if not self.folder.exists() or not self._file.parent.exists():
                    stop.set()
                continue
            if moment != seen:
                seen = moment
                self.around.surroundings = Surroundings.read(self._file)
                self._refresh()

    def _refresh(self) -> None:
        for pod in self.pods.values():
            if pod.folder.exists():
                pod.refresh()

    async def _watch(self, kind: str, path: str) -> None:
        async for _ in self.api.mirror(path, self.around.objects[kind]):
            if kind != "Namespace":
                self._refresh()

    async def _watch_pods(self, zones: Any) -> None:
        mine = {nodes.name(zone) for zone in zones}
        async for happened, row in self.api.watch("/api/v1/pods"):
            if happened == "SYNCED":
                for uid in set(self.pods) - row["uids"]:
                    self._gone(uid)
                continue
            uid, meta = row["metadata"]["uid"], row["metadata"]
            if row["spec"].get("nodeName") not in mine:
                continue
            if address := row.get("status", {}).get("podIP"):
                self.around.pods[address] = row
            if happened == "DELETED":
                self._gone(uid)
                continue
            if uid not in self.pods:
                if row.get("status", {}).get("phase") in ("Succeeded", "Failed") and not meta.get("deletionTimestamp"):
                    continue  # of an agent before this one
                self._begin(uid, row)
            pod = self.pods[uid]
            pod.row = row
            if meta.get("deletionTimestamp") and not pod.leaving.is_set():
                pod.grace = float(meta.get("deletionGracePeriodSeconds") or 0)
                pod.leaving.set()

    def _begin(self, uid: str, row: Object) -> None:
        pod = self.pods[uid] = Pod(self, row, self._free(row))
        task = self._tasks[uid] = asyncio.create_task(pod.live())
        task.add_done_callback(pod.heard)

    def _gone(self, uid: str) -> None:
        if pod := self.pods.pop(uid, None):
            pod.grace = 0
            pod.leaving.set()
            self.around.pods.pop(pod.address, None)

    def _free(self, row: Object) -> str:
        """An address of the node's subnet; the same again for a pod that has one."""
        before: str = row.get("status", {}).get("podIP", "")
        if before:
            return before
        zone = nodes.zone(row["spec"]["nodeName"])
        used = {pod.address for pod in self.pods.values()}
        hosts = ipaddress.ip_network(self.around.surroundings.subnets[zone])
        # Those at the start are the load balancer's, the node's and the stand-ins'.
        return next(str(hosts[n]) for n in range(64, hosts.num_addresses - 1) if str(hosts[n]) not in used)


def main(arguments: list[str]) -> int:
    """Run an agent in the foreground."""
    parser = argparse.ArgumentParser(prog="python -m rehearsal.live.pods.agent", description=__doc__)
    for name in ("kubeconfig", "surroundings", "folder"):
        parser.add_argument(name, type=Path)
    options = parser.parse_args(arguments)

    async def begin() -> None:
        agent = Agent(options.kubeconfig, options.surroundings, options.folder)
        await agent.run()

    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(begin())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
