"""How long does the first `up` of dev take on a real API server, what is it spent on, and what would schema mode take?

Both modes deploy into an empty rehearsal cloud, everything built beforehand. The parts are spans of the engine's
events: the control plane is the EKS cluster's creation, the provider's waits are the time in which nothing but
Kubernetes objects was being made, the engine and the emulated AWS are the rest.
"""

import itertools
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CLUSTER = "aws:eks/cluster:Cluster"
Span = tuple[str, float, float]


def rehearsal(env: dict[str, str], *words: str) -> str:
    """One command of the rehearsal."""
    line = [sys.executable, "-m", "rehearsal", *words]
    return subprocess.run(line, cwd=ROOT, env=env, check=True, stdout=subprocess.PIPE, text=True).stdout


def deploy(mode: str, scratch: Path) -> tuple[float, list[Span]]:
    """Seconds of the whole `up`, and of every resource from its first event to its last."""
    apart = os.environ | {"REHEARSAL_DIR": str(scratch / "rehearsal"), "KUBERNETES": mode}
    rehearsal(apart, "setup", "--quiet")
    changes: dict[str, str | None] = json.loads(rehearsal(apart, "env", "--json"))
    env = {key: value for key, value in apart.items() if key not in changes}
    env |= {key: value for key, value in changes.items() if value is not None} | {"PULUMI_DEBUG_COMMANDS": "true"}
    opened = rehearsal(env, "open", "--project", "tecnocursos", "--stack", "dev", "--config", "stacks/Pulumi.dev.yaml")
    log = scratch / "events"
    os.mkfifo(log)
    begun: dict[str, float] = {}
    spans: list[Span] = []

    def listen() -> None:
        for line in log.open():
            now, event = time.perf_counter(), json.loads(line)
            if begin := event.get("resourcePreEvent"):
                begun[begin["metadata"]["urn"]] = now
            elif end := event.get("resOutputsEvent"):
                urn, kind = end["metadata"]["urn"], end["metadata"]["type"]
                spans.append((kind, begun.get(urn, now), now))

    listener = threading.Thread(target=listen)
    listener.start()
    line = ["pulumi", "up", "--yes", "--skip-preview", "--stack", "dev", "--non-interactive", "--event-log", str(log)]
    started = time.perf_counter()
    with (scratch / "output").open("w") as output:
        done = subprocess.run(
            [*line, "--config-file", opened.split()[-1]], cwd=ROOT, env=env, stdout=output, stderr=output, check=False
        )
    seconds = time.perf_counter() - started
    listener.join()
    if mode == "real":
        rehearsal(env, "cluster", "stop", "--forget")
    if done.returncode:
        sys.exit(f"up with KUBERNETES={mode} failed:\n{(scratch / 'output').read_text()[-3000:]}")
    return seconds, spans


def alone(spans: list[Span]) -> float:
    """Seconds in which Kubernetes objects and nothing of AWS were being made."""
    edges = sorted({edge for _, begin, end in spans for edge in (begin, end)})
    return sum(b - a for a, b in itertools.pairwise(edges) if set(_makers(spans, a, b)) == {"kubernetes"})


def _makers(spans: list[Span], begin: float, end: float) -> Iterator[str]:
    for kind, first, last in spans:
        if first <= begin and last >= end and not kind.startswith(("pulumi:", "tecnocursos:")):
            yield kind.partition(":")[0]


def main() -> None:
    """Print both modes."""
    print(f"{'KUBERNETES':12}{'up s':>8}{'control plane s':>18}{'provider waits s':>18}{'engine and AWS s':>18}")
    for mode in ("schema", "real"):
        with tempfile.TemporaryDirectory() as scratch:
            seconds, spans = deploy(mode, Path(scratch))
        plane = sum(end - begin for kind, begin, end in spans if kind == CLUSTER)
        waits = alone(spans)
        print(f"{mode:12}{seconds:8.1f}{plane:18.1f}{waits:18.1f}{seconds - plane - waits:18.1f}")


if __name__ == "__main__":
    main()
