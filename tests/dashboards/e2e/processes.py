"""How do the real Prometheus, Alertmanager and service run here? On loopback, each in a folder of its own."""

import json
import os
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import yaml

from tests.dashboards.e2e.scaling import scaled

ROOT = Path(__file__).resolve().parents[3]
GENERATED = ROOT / "dashboards/generated"
PATIENCE = 60.0  # seconds that any condition may take on a busy machine
LISTEN = "127.0.0.1"
T = TypeVar("T")


def until(what: str, condition: Callable[[], T | None], seconds: float = PATIENCE) -> T:
    """The first answer of the condition that is neither None nor false; AssertionError when it takes too long."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if found := condition():
                return found
        except OSError:  # nobody listens there yet
            pass
        threading.Event().wait(0.05)
    raise AssertionError(f"after {seconds:.0f} s still not: {what}")


def asked(url: str, headers: Mapping[str, str] = MappingProxyType({})) -> Any:
    """The JSON behind an address; OSError when there is none."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=dict(headers)), timeout=10) as answer:  # noqa: S310
            return json.load(answer)
    except urllib.error.HTTPError as refusal:
        refusal.close()
        raise


@contextmanager
def process(command: list[str], folder: Path, environment: dict[str, str] | None = None) -> Iterator[None]:
    """A child that is ended with the block; its output is in `folder`/log, and in the error if the block fails."""
    with (folder / "log").open("ab") as log:
        child = subprocess.Popen(command, cwd=ROOT, env=os.environ | (environment or {}), stdout=log, stderr=log)
    try:
        yield
    except AssertionError as error:
        error.add_note(f"{command[0]}: ...{(folder / 'log').read_text()[-1500:]}")
        raise
    finally:
        child.terminate()
        child.wait(30)


class Webhook(ThreadingHTTPServer):
    """What an alert manager sends to, by receiver."""

    def __init__(self) -> None:
        messages: list[dict[str, Any]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                messages.append(json.loads(body) | {"at": time.monotonic()})
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Messages are looked at by the test."""

        super().__init__((LISTEN, 0), Handler)
        self.messages = messages

    def alerts(self, receiver: str, status: str) -> dict[str, dict[str, Any]]:
        """The latest alert of that state that the receiver was told of, by name."""
        told = [message for message in self.messages if message["receiver"] == receiver]
        return {
            alert["labels"]["alertname"]: alert | {"at": message["at"]}
            for message in told
            for alert in message["alerts"]
            if alert["status"] == status
        }


@contextmanager
def webhook() -> Iterator[Webhook]:
    """A receiver that listens while the block runs."""
    server = Webhook()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def alertmanager(folder: Path, port: int, hook: int, factor: int) -> AbstractContextManager[None]:
    """Alertmanager with the generated routes, shortened; every receiver's channels are the one webhook."""
    document = scaled(yaml.safe_load((GENERATED / "alertmanager.yaml").read_text()), factor)
    target = {"url": f"http://{LISTEN}:{hook}/", "send_resolved": True}
    document["receivers"] = [{"name": one["name"], "webhook_configs": [target]} for one in document["receivers"]]
    (folder / "alertmanager.yaml").write_text(yaml.safe_dump(document))
    return process(
        [
            "prometheus-alertmanager",
            f"--config.file={folder}/alertmanager.yaml",
            f"--storage.path={folder}/data",
            f"--web.listen-address={LISTEN}:{port}",
            "--cluster.listen-address=",
        ],
        folder,
    )


def prometheus(
    folder: Path, port: int, manager: int, targets: dict[str, int], factor: int
) -> AbstractContextManager[None]:
    """Prometheus with the generated rules, shortened. targets: port of /metrics by component."""
    (folder / "rules").mkdir()
    for path in (GENERATED / "rules").glob("*.yaml"):
        (folder / "rules" / path.name).write_text(yaml.safe_dump(scaled(yaml.safe_load(path.read_text()), factor)))
    static = [
        {
            "targets": [f"{LISTEN}:{metrics}"],
            "labels": {"app": "tecnocursos", "component": component, "pod": f"{component}-1"},
        }
        for component, metrics in targets.items()
    ]
    document = {
        "global": {"scrape_interval": "500ms", "scrape_timeout": "500ms"},
        "rule_files": [f"{folder}/rules/*.yaml"],
        "scrape_configs": [{"job_name": "service", "static_configs": static}],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [f"{LISTEN}:{manager}"]}]}]},
    }
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(document))
    return process(
        [
            "prometheus",
            f"--config.file={folder}/prometheus.yaml",
            f"--storage.tsdb.path={folder}/data",
            f"--web.listen-address={LISTEN}:{port}",
            "--query.lookback-delta=5s",
            "--rules.alert.resend-delay=1s",
        ],
        folder,
    )


def service(folder: Path, environment: dict[str, str], port: int, metrics: int) -> AbstractContextManager[None]:
    """One process of the API."""
    command = [sys.executable, "-m", "service", "api", "--port", str(port), "--metrics-port", str(metrics)]
    return process(command, folder, environment)


@contextmanager
def load(port: int, paths: Sequence[str], headers: dict[str, str], each: float = 0.05) -> Iterator[None]:
    """People who ask for one path each, again and again while the block runs, whatever the answers are."""
    over = threading.Event()

    def ask(path: str) -> None:
        while not over.wait(each):
            try:
                asked(f"http://{LISTEN}:{port}{path}", headers)
            except OSError:  # an answer of 503, or none
                continue

    with ExitStack() as stack:
        for path in paths:
            thread = threading.Thread(target=ask, args=(path,))
            thread.start()
            stack.callback(thread.join)
        stack.callback(over.set)
        yield
