"""What is the region? One process that follows the world and keeps what it declares running, for every pod to use.

Run as `python -m rehearsal.live.region FOLDER WORLDS CLUSTERS`; ends on SIGTERM, with all that it started, and when its
folder is gone.
"""

import argparse
import asyncio
import json
import logging
import secrets
import signal
import sys
import time
from pathlib import Path

from rehearsal.aws.authorization import account as accounts
from rehearsal.aws.authorization.account import Account
from rehearsal.errors import RehearsalError
from rehearsal.live.clusters import Clusters
from rehearsal.live.door.part import Door
from rehearsal.live.door.viewer import Viewer
from rehearsal.live.part import Ground, Part
from rehearsal.live.plan import Plan
from rehearsal.live.pods.neighbourhood import Endpoint
from rehearsal.live.stand_ins.authority import Authority
from rehearsal.live.stand_ins.aws.judgement import Judgement
from rehearsal.live.stand_ins.aws.sessions import Sessions
from rehearsal.live.stand_ins.cache.part import Caches
from rehearsal.live.stand_ins.database.part import Databases
from rehearsal.live.stand_ins.endpoints import Endpoints
from rehearsal.live.stand_ins.secret_values import SecretValues
from rehearsal.live.view import Follower, View

_LOOKS_EVERY = 0.2
_AUDITED_EVERY = 2.0


class Region:
    """All parts, over one world."""

    def __init__(self, folder: Path, worlds: Path, clusters: Path) -> None:
        self._folder = folder
        self._follower = Follower(worlds)
        self._view = View()
        self._account: Account | None = None
        self._told: list[tuple[str, Endpoint]] = []
        ground = Ground(folder, Plan(folder), Authority(folder / "authority"), self.say)
        self._ground = ground
        self._judgement = Judgement(self.account, Sessions(_kept(folder / "sessions.key")))
        values = SecretValues(folder / "secrets.json")
        self._databases = Databases(ground, self._judgement, values)
        self._caches = Caches(ground, self._judgement)
        self._endpoints = Endpoints(ground, self._judgement, values, clusters)
        self._door = Door(ground, clusters, self._endpoints.objects)
        self._viewer = Viewer(ground, self._door.edge)
        self._clusters = Clusters(ground, clusters, folder / "images")
        self._parts: tuple[Part, ...] = (self._databases, self._caches, self._endpoints, self._door, self._viewer)

    def say(self, text: str) -> None:
        """A line of the region's log."""
        sys.stdout.write(f"{time.strftime('%H:%M:%S')} {text}\n")
        sys.stdout.flush()

    def account(self) -> Account:
        """The policies as they stand now, read when they are asked for the first time after a change."""
        if self._account is None:
            self._account = accounts.read(self._view.graph())
        return self._account

    async def run(self) -> None:
        """Until SIGTERM, or until the folder is gone."""
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        following = asyncio.create_task(self._follow())
        auditing = asyncio.create_task(self._tell_audit())
        stopping = asyncio.create_task(stop.wait())
        try:
            done, _ = await asyncio.wait({following, auditing, stopping}, return_when=asyncio.FIRST_COMPLETED)
            for task in done - {stopping}:
                if error := task.exception():
                    self.say(f"the region ends: {error!r}")
        finally:
            for task in (following, auditing, stopping):
                task.cancel()
            await self._clusters.close()
            for part in reversed(self._parts):
                await part.close()
            self._ground.plan.close()

    async def _follow(self) -> None:
        secret_file = self._folder / "secrets.json"
        seen = 0
        while self._folder.exists():
            view = self._follower.changed()
            stamp = secret_file.stat().st_mtime_ns if secret_file.exists() else 0
            if view is not None:
                self._view, self._account = view, None
            if view is not None or stamp != seen:
                seen = stamp
                for part in self._parts:
                    try:
                        await part.settle(self._view)
                    except Exception as error:  # one part's fault must not end the others
                        self.say(f"{type(part).__name__}: {error!r}")
                every = [one for part in self._parts for one in part.endpoints(self._view)]
                self._told = every
                (self._folder / "ready").write_text(json.dumps({"viewer": self._viewer.port, "edge": self._door.edge}))
            await self._clusters.tell(self._view, self._told)
            await asyncio.sleep(_LOOKS_EVERY)

    async def _tell_audit(self) -> None:
        """What was refused and what nobody ever used, for `python -m rehearsal live audit` and the report."""
        told = -1
        while True:
            await asyncio.sleep(_AUDITED_EVERY)
            audit = self._judgement.audit
            if len(audit.answers) == told or not self._view.rows:
                continue
            told = len(audit.answers)
            try:
                roles, pods = self.account().roles, self.account().pods
            except (RehearsalError, ValueError) as error:
                self.say(f"policies: {error}")
                continue
            refused = [
                {
                    "who": one.caller.identity,
                    "action": one.action,
                    "resource": one.resource,
                    "reason": one.decision.reason,
                }
                for one in audit.refused()
            ]
            unused = [
                {"role": one.role, "action": one.action, "resource": one.resource, "place": one.place}
                for one in audit.unused({arn: role for arn, role in roles.items() if arn in pods.values()})
            ]
            fresh = self._folder / "audit.new"
            fresh.write_text(json.dumps({"asked": told, "refused": refused, "unused": unused}, indent=1))
            fresh.rename(self._folder / "audit.json")


def _kept(file: Path) -> bytes:
    """A key that outlives a restart: what was sealed with it stays good."""
    if not file.exists():
        file.touch(mode=0o600)
        file.write_bytes(secrets.token_bytes(32))
    return file.read_bytes()


def main(arguments: list[str]) -> int:
    """Run the region in the foreground; 1 when it cannot begin."""
    parser = argparse.ArgumentParser(prog="python -m rehearsal.live.region", description=__doc__)
    for name in ("folder", "worlds", "clusters"):
        parser.add_argument(name, type=Path)
    options = parser.parse_args(arguments)
    logging.getLogger("asyncio").setLevel(logging.ERROR)

    async def begin() -> None:
        await Region(options.folder, options.worlds, options.clusters).run()

    try:
        asyncio.run(begin())
    except RehearsalError as error:
        sys.stderr.write(f"rehearsal: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
