"""How does a container's command run in a test? The service's own program, with exactly the settings of its pod."""

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.permissions.pods import Container
from tests.permissions.region import Region

ROOT = Path(__file__).resolve().parents[2]
VIEW = Path(__file__).with_name("pod_view")
PATIENCE = 60  # seconds; nothing here takes long but on a machine that does other things
# What a container has of its own and a process of this machine has not: addresses to listen on, and a /tmp.
LOOPBACK = {"api": ("--host", "127.0.0.1"), "worker": ("--host", "127.0.0.1")}


class Process:
    """One container's process; its output is in `log`."""

    def __init__(self, region: Region, container: Container, *more: str) -> None:
        self.region, self.container = region, container
        self.folder = region.folder / f"{container.owner}-{secrets.token_hex(4)}"
        self.folder.mkdir()
        self.log = self.folder / "log"
        self._arguments = [*container.arguments, *LOOPBACK.get(container.command, ()), *more]
        self._child: subprocess.Popen[bytes] | None = None

    def environment(self) -> dict[str, str]:
        """The pod's settings, what EKS adds to them, and this machine's Python."""
        region = self.region
        view = {
            "hosts": region.hosts,
            "authority": str(region.authority.certificate),
            "strangers": str(region.folder / "strangers"),
        }
        (self.folder / "view.json").write_text(json.dumps(view))
        return {
            **region.environment(self.container, self.folder.name),
            "TECNOCURSOS_WORKER__FOLDER": str(self.folder / "work"),
            "PYTHONPATH": str(VIEW),
            "POD_VIEW": str(self.folder / "view.json"),
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "TMPDIR": str(self.folder),
        }

    def run(self) -> int:
        """Run to the end; its exit code."""
        with self.running():
            assert self._child is not None
            self._child.wait(PATIENCE)
        return self.code

    @contextlib.contextmanager
    def running(self, ending: signal.Signals = signal.SIGTERM) -> Iterator[None]:
        """Run while the block does, then end it as Kubernetes would."""
        with self.log.open("wb") as log:
            self._child = subprocess.Popen(
                [sys.executable, "-m", "service", *self._arguments],
                cwd=ROOT, env=self.environment(), stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        try:
            yield
        finally:
            if self._child.poll() is None:
                self._child.send_signal(ending)
                try:
                    self._child.wait(PATIENCE)
                except subprocess.TimeoutExpired:
                    self._child.kill()
                    self._child.wait()

    @property
    def ended(self) -> bool:
        """Whether it is gone."""
        return self._child is not None and self._child.poll() is not None

    @property
    def code(self) -> int:
        """How it ended. Raises RuntimeError before."""
        if self._child is None or self._child.returncode is None:
            raise RuntimeError(f"{self.container.command} has not ended")
        return self._child.returncode

    def told(self) -> str:
        """The end of what it said."""
        return self.log.read_text(errors="replace")[-3000:]
