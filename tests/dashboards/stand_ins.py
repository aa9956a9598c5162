"""Who answers for what cannot run here? A provider of speech and scripts, and the exporters of a cluster's figures."""

import contextlib
import json
import math
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import product
from typing import Any

import yaml

from dashboards.metrics import SOURCES

SPEECH = bytes(48_000)  # one second of silence at 24 kHz
REFUSED = "provider-down"  # a course that says this finds its provider failing
MADE_UP = {"pod": ("api-1", "api-2", "worker-1"), "container": ("service",), "interface": ("eth0",), "node": ("a", "b")}
MADE_UP |= {"deployment": ("api", "worker"), "horizontalpodautoscaler": ("api", "worker")}
STATES, HEALTHY = ("phase", "condition", "status", "reason"), {"true", "Running", "Ready"}
VALUES: dict[str, Callable[[float], float]] = {  # by metric: the value at a second
    "container_cpu_usage_seconds_total": lambda t: 0.3 * t + 4 * math.sin(t / 40),
    "container_memory_working_set_bytes": lambda t: 2**28 * (1 + 0.2 * math.sin(t / 60)),
    "container_spec_memory_limit_bytes": lambda _: 2**29,
    "container_fs_usage_bytes": lambda t: 4e7 + 1e4 * (t % 3000),
    "container_network_receive_bytes_total": lambda t: 4e5 * t + 5e6 * math.sin(t / 30),
    "container_network_transmit_bytes_total": lambda t: 2e6 * t + 1e7 * math.sin(t / 50),
    "container_cpu_cfs_throttled_periods_total": lambda t: 0.05 * t,
    "container_cpu_cfs_periods_total": lambda t: 10 * t,
    "kube_horizontalpodautoscaler_spec_max_replicas": lambda _: 10,
    "kube_horizontalpodautoscaler_spec_min_replicas": lambda _: 3,
    "kube_horizontalpodautoscaler_status_current_replicas": lambda t: 4 + round(math.sin(t / 60)),
    "kube_pod_container_status_restarts_total": lambda t: t // 97,
    "kube_deployment_spec_replicas": lambda _: 3,
    "kube_deployment_status_replicas_available": lambda t: 3 if t % 120 > 20 else 2,
}


def exposition(exporter: str, second: float) -> str:
    """What an exporter of `sources.yaml` would say: every metric with every value of its labels."""
    lines = []
    for row in yaml.safe_load(SOURCES.read_text())["metrics"]:
        if row["exporter"] != exporter:
            continue
        names = {name: MADE_UP.get(name, ("made-up",)) if v == "any" else v for name, v in row["labels"].items()}
        lines.append(f"# TYPE {row['name']} {row['type']}")
        for number, values in enumerate(product(*names.values())):
            labels = dict(zip(names, values, strict=True))
            states = [labels[name] for name in STATES if name in labels]
            known = VALUES.get(row["name"], lambda _, states=states: float(bool(states) and {*states} <= HEALTHY))
            shown = ",".join(f'{name}="{value}"' for name, value in labels.items())
            lines.append(f"{row['name']}{{{shown}}} {known(second + 13 * number)}")
    return "\n".join(lines) + "\n"


class Handler(BaseHTTPRequestHandler):
    """GET /<exporter> is a scrape, POST is a call to the provider."""

    def log_message(self, *_: object) -> None:
        """Silent."""

    def do_GET(self) -> None:
        self.answer(200, "text/plain", exposition(self.path.removeprefix("/"), time.time() % 1e5).encode())

    def do_POST(self) -> None:
        asked = self.rfile.read(int(self.headers["content-length"])).decode()
        if REFUSED in asked:
            self.answer(503, "text/plain", b"")
        elif self.path.endswith("speech"):
            self.answer(200, "audio/pcm", SPEECH)
        else:
            slides = json.loads(json.loads(asked)["messages"][1]["content"])["scenes"]
            self.answer(200, "application/json", json.dumps(completion(len(slides))).encode())

    def answer(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        with contextlib.suppress(ConnectionError):  # a scraper that is stopped does not wait
            self.end_headers()
            self.wfile.write(body)


def completion(scenes: int) -> dict[str, Any]:
    """A script for so many scenes, as the provider words it."""
    message = {"content": json.dumps({"narrations": ["Uma frase."] * scenes})}
    usage = {"prompt_tokens": 150 + 60 * scenes, "completion_tokens": 40 * scenes}
    return {"choices": [{"message": message, "finish_reason": "stop"}], "usage": usage}


@contextlib.contextmanager
def answering() -> Iterator[int]:
    """The port on which all of them answer."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
