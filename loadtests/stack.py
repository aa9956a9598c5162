"""How does a load test get a service of its own? API processes on one port, database and cache private to them.

`python tests/service/servers.py python -m loadtests.stack` brings it up, says so in JSON lines, and holds it until its
standard input is closed: when whoever asked for it dies, however that happens, nothing is left behind.
"""

import argparse
import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import create_engine, make_url, text

ROOT = Path(__file__).resolve().parent.parent
PREFIX = "TECNOCURSOS_"
PATIENCE = 60  # seconds until a process must answer
DATABASE = "loadtest"


def say(**row: Any) -> None:
    """One line to whoever asked."""
    print(json.dumps(row), flush=True)


def free_port() -> int:
    """A port that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def settings(folder: Path) -> dict[str, str]:
    """The service as in production: limits on, logs written, one trusted proxy (the generator) in front of it."""
    return {
        f"{PREFIX}ENVIRONMENT": "dev",
        f"{PREFIX}DATABASE__URL": f"{os.environ[f'{PREFIX}TEST_MYSQL']}/{DATABASE}",
        f"{PREFIX}CACHE__URL": os.environ[f"{PREFIX}TEST_REDIS"],
        f"{PREFIX}SECURITY__TOKEN_KEYS": json.dumps([secrets.token_urlsafe(32)]),
        f"{PREFIX}SECURITY__ACCESS_MINUTES": "60",
        f"{PREFIX}SECURITY__TRUSTED_PROXIES": '["127.0.0.0/8"]',
        f"{PREFIX}MEDIA__FOLDER": str(folder / "media"),
        f"{PREFIX}LOGS__SINK": "file",
        f"{PREFIX}LOGS__FILE": str(folder / "service.log"),
        f"{PREFIX}DRAIN_SECONDS": "0",
    }


def run(environment: dict[str, str], *arguments: str) -> bytes:
    """The answer of a command of the service. Raises CalledProcessError, after its words went to standard error."""
    command = [sys.executable, "-m", "service", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, check=True).stdout


def wait(port: int, process: subprocess.Popen[bytes]) -> None:
    """Until the metrics port answers, which each process has for itself. Raises RuntimeError."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5):
            return
        time.sleep(0.05)
    raise RuntimeError(f"a process of the service did not start within {PATIENCE} s (exit code {process.poll()})")


def servers() -> dict[str, list[int]]:
    """Process ids of the database and the cache: children of the process that started this one."""
    found: dict[str, list[int]] = {"database": [], "cache": []}
    for child in psutil.Process(os.getppid()).children():
        for name, program in (("database", "mariadbd"), ("cache", "redis-server")):
            if program in child.name():
                found[name].append(child.pid)
    return found


def main() -> int:
    """Bring everything up, hold it, take it down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, default=2, help="of the API (default: %(default)s)")
    parser.add_argument("--accounts", type=int, default=40, help="in the database (default: %(default)s)")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of the service")
    options = parser.parse_args()
    started: list[subprocess.Popen[bytes]] = []
    with tempfile.TemporaryDirectory(prefix="tecnocursos-load-") as name:
        changes = dict(pair.split("=", 1) for pair in options.set)
        environment = os.environ | settings(Path(name)) | changes
        server = create_engine(make_url(os.environ[f"{PREFIX}TEST_MYSQL"]).set(drivername="mysql+pymysql"))
        with server.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {DATABASE}"))
        server.dispose()
        run(environment, "migrate")
        port, metrics = free_port(), [free_port() for _ in range(options.processes)]
        say(progress=f"{options.processes} API processes on port {port}")
        try:
            for own in metrics:
                command = [sys.executable, "-m", "service", "api", "--share-port", "--port", str(port)]
                command += ["--metrics-port", str(own)]
                started.append(subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL))
            say(progress=f"{options.accounts} accounts with their courses")
            sample = Path(name) / "sample.json"
            sample.write_bytes(run(environment, "sample", "--accounts", str(options.accounts)))
            for own, process in zip(metrics, started, strict=True):
                wait(own, process)
            say(
                ready={
                    "url": f"http://127.0.0.1:{port}",
                    "metrics": [f"http://127.0.0.1:{own}/metrics" for own in metrics],
                    "sample": str(sample),
                    "processes": {"api": [process.pid for process in started], **servers()},
                }
            )
            sys.stdin.read()
        finally:
            for process in started:
                process.send_signal(signal.SIGTERM)
            for process in started:
                process.wait(PATIENCE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
