"""What is watched, as committed under dashboards/generated: rules, the routing of alerts, and what Grafana shows."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pulumi


@dataclass(frozen=True)
class Watching:
    """rules: rule files by name. alerting: the alert manager's definition. sources, provider: Grafana's provisioning.
    boards: dashboards by file name.
    """

    rules: Mapping[str, str]
    alerting: str
    sources: str
    provider: str
    boards: Mapping[str, str]


def load(folder: Path) -> Watching:
    """The generated files; OSError or ValueError when one is missing or not sound."""
    boards = {path.name: path.read_text() for path in sorted((folder / "grafana/dashboards").glob("*.json"))}
    return Watching(
        rules={path.stem: path.read_text() for path in sorted((folder / "rules").glob("*.yaml"))},
        alerting=(folder / "managed/alertmanager.yaml").read_text(),
        sources=(folder / "grafana/datasources.yaml").read_text(),
        provider=(folder / "grafana/dashboards.yaml").read_text(),
        # As short as JSON can be: a ConfigMap holds 1 MiB at most.
        boards={name: json.dumps(json.loads(text), separators=(",", ":")) for name, text in boards.items()},
    )


def filled(text: str, **values: pulumi.Input[str]) -> pulumi.Output[str]:
    """A generated file with its `@NAME@` placeholders replaced."""

    def fill(known: Mapping[str, str]) -> str:
        done = text
        for name, value in known.items():
            done = done.replace(f"@{name}@", str(value))
        return done

    return pulumi.Output.all(**values).apply(fill)
