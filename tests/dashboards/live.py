"""How does a real Prometheus watch the real service? Its processes, a scrape every second, the generated rules."""

import asyncio
import contextlib
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

from dashboards import generated
from service.data.migrations.run import upgrade
from service.settings import PREFIX, Settings
from service.videos.models import FINAL
from tests.dashboards.people import Crowd, settle
from tests.dashboards.stand_ins import answering
from tests.service.servers import ROOT, Process, free_port
from tests.workload.waiting import eventually

PATIENCE = 60  # seconds until something must have happened


class Part(Process):
    """A process of the service."""

    def __init__(self, folder: Path, name: str, environment: Mapping[str, str]) -> None:
        folder.mkdir()
        super().__init__(folder)
        self.name, self.metrics, self.environment = name, free_port(), environment

    def command(self) -> list[str]:
        port = ["--port", str(self.port)] if self.name == "api" else []
        settings = [f"{name}={value}" for name, value in self.environment.items()]
        program = [sys.executable, "-m", "service", self.name, *port, "--metrics-port", str(self.metrics)]
        return ["env", f"--chdir={ROOT}", *settings, *program]

    def answers(self) -> bool:
        return _answers(f"http://127.0.0.1:{self.metrics}/metrics")


class Prometheus(Process):
    """Scrapes `targets` (job -> addresses with labels) every second; follows the generated rules as often."""

    def __init__(self, folder: Path, targets: Mapping[str, list[dict[str, Any]]]) -> None:
        folder.mkdir()
        super().__init__(folder)
        for file in sorted((generated.FOLDER / "rules").glob("*.yaml")):
            rules = yaml.safe_load(file.read_text())
            for group in rules["groups"]:
                group["interval"] = "1s"
            (folder / file.name).write_text(yaml.safe_dump(rules))
        jobs = [
            {"job_name": job, "static_configs": rows, "metrics_path": rows[0].pop("path", "/metrics")}
            for job, rows in targets.items()
        ]
        config: dict[str, Any] = {
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
            "rule_files": [f"{folder}/*.yaml"],
            "scrape_configs": jobs,
        }
        (folder / "config").write_text(yaml.safe_dump(config))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        options = {"config.file": "config", "storage.tsdb.path": "data"}
        paths = [f"--{name}={self.folder / path}" for name, path in options.items()]
        return ["prometheus", *paths, f"--web.listen-address=127.0.0.1:{self.port}", "--log.level=warn"]

    def answers(self) -> bool:
        return _answers(f"{self.url}/-/ready")

    def ask(self, expression: str) -> list[dict[str, Any]]:
        """The series of an expression now; ValueError with Prometheus' own words when it refuses it."""
        answer = httpx.post(f"{self.url}/api/v1/query", data={"query": expression}).json()
        if answer["status"] != "success":
            raise ValueError(f"{answer['error']}: {expression}")
        result = answer["data"]["result"]
        return list(result) if answer["data"]["resultType"] == "vector" else [{"metric": {}, "value": result}]


def _answers(url: str) -> bool:
    with contextlib.suppress(httpx.TransportError):
        return httpx.get(url).status_code == 200
    return False


@dataclass
class Live:
    """The processes, and the people who use the service."""

    api: Part
    worker: Part
    prometheus: Prometheus
    crowd: Crowd

    def ended(self, video: str) -> bool:
        """Has the rendering of a video of the first person come to its end?"""
        answer = self.crowd.client.get(f"/api/v1/videos/{video}", headers=self.crowd.people[0].headers)
        return answer.json()["status"] in FINAL


def settings_in(folder: Path, provider: str) -> dict[str, Any]:
    """Settings of the service: embedded stores, a provider that is a stand-in, quick looks for work."""
    key = "a-key-of-these-tests-0123456789abcdefghij"
    return {
        "database": {"url": f"sqlite+aiosqlite:///{folder}/database.sqlite"},
        "media": {"folder": f"{folder}/media"},
        "worker": {"folder": f"{folder}/work", "sweep_seconds": 0.5},
        "security": {"token_keys": [key], "trusted_proxies": ["127.0.0.1/32"]},
        "logs": {"sink": "file", "file": f"{folder}/service.log"},
        "ai": {"writer": "openai", "narrator": "openai", "openai_key": "stands-in", "openai_url": provider},
        "drain_seconds": 0,
    }


@contextlib.contextmanager
def watched(folder: Path) -> Iterator[Live]:
    """Everything runs, over an empty database with some people in it."""
    with answering() as port, contextlib.ExitStack() as running:
        chosen = settings_in(folder, f"http://127.0.0.1:{port}/v1")
        known = Settings(**chosen)
        upgrade(known)
        admin, people = asyncio.run(settle(known, 24))
        settings = {f"{PREFIX}{name.upper()}": json.dumps(value) for name, value in chosen.items()}
        parts = [Part(folder / name, name, settings) for name in ("api", "worker")]
        targets: dict[str, list[dict[str, Any]]] = {
            job: [{"targets": [f"127.0.0.1:{port}"], "path": f"/{job}"}] for job in ("cadvisor", "kube-state-metrics")
        }
        targets["service"] = [
            {
                "targets": [f"127.0.0.1:{part.metrics}"],
                "labels": {"app": "tecnocursos", "component": part.name, "pod": f"{part.name}-1"},
            }
            for part in parts
        ]
        prometheus = Prometheus(folder / "prometheus", targets)
        processes: list[Process] = [*parts, prometheus]
        for process in processes:
            running.callback(process.stop)
            process.start(wait=False)
        for process in processes:
            eventually(process.answers, PATIENCE, " ".join(process.command()))
        client = running.enter_context(httpx.Client(base_url=f"http://127.0.0.1:{parts[0].port}", timeout=30))
        yield Live(parts[0], parts[1], prometheus, Crowd(client, admin, people))
