"""How is a server started so that it outlives its starter, and stopped by id and by nothing else?

A process is known by its id *and* its start time, so that an id which the kernel has handed to somebody
else's process in the meantime is never signalled.
"""

import os
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

_children: list[subprocess.Popen[bytes]] = []  # kept, so that an ended child is reaped instead of staying a zombie


def started_at(pid: int) -> str | None:
    """The start time of a living process as the system words it; None when there is none (or only a zombie)."""
    if Path("/proc/self/stat").exists():
        try:
            # The command's name is in brackets and may hold anything; state and start time are fields 3 and 22.
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return None
        return None if fields[0] in "ZX" else fields[19]
    done = subprocess.run(["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    state, _, moment = done.stdout.strip().partition(" ")
    return moment.strip() if moment and not state.startswith("Z") else None


def spawn(name: str, command: list[str], folder: Path, environment: Mapping[str, str] | None = None) -> None:
    """Start `command` in a session of its own with `folder` as working directory; NAME.log and NAME.pid stand there.

    `environment` is added to this process's own.
    """
    with (folder / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    _children.append(process)
    record = folder / f"{name}.pid"
    record.with_suffix(".new").write_text(f"{process.pid} {started_at(process.pid) or ''}")
    record.with_suffix(".new").rename(record)


def alive(name: str, folder: Path) -> int | None:
    """The id of the process that NAME.pid records, while that very process lives."""
    for process in _children:
        process.poll()
    try:
        number, _, moment = (folder / f"{name}.pid").read_text().partition(" ")
    except FileNotFoundError:
        return None
    return int(number) if moment and started_at(int(number)) == moment else None


def stop(name: str, folder: Path, patience: float = 10.0) -> None:
    """SIGTERM, then SIGKILL after `patience` seconds; returns when the process is gone."""
    if pid := alive(name, folder):
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + patience
        while alive(name, folder):
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
                deadline += patience
            time.sleep(0.05)
    (folder / f"{name}.pid").unlink(missing_ok=True)


def tail(name: str, folder: Path, lines: int = 5) -> str:
    """The last lines of NAME.log, for an error message."""
    try:
        text = (folder / f"{name}.log").read_text(errors="replace")
    except FileNotFoundError:
        return "(no log)"
    return "\n".join(line[:400] for line in text.splitlines()[-lines:])
