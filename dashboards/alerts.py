"""Which alerts are there? Typed rows of alerts.yaml."""

import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import AfterValidator, Field, TypeAdapter

from dashboards.metrics import ROOT, Model

FILE = Path(__file__).with_name("alerts.yaml")
STACKS = ROOT / "stacks"
SUPPORT_ENDS = "SUPPORT_ENDS"
TEMPLATE = re.compile(r"\{\{")

Area = Literal[
    "objective", "api", "pods", "resources", "database", "cache", "providers", "videos", "platform", "watching"
]


def _plain(text: str) -> str:
    if TEMPLATE.search(text):
        raise ValueError("templates belong into the summary: the description is the same for every alert of its kind")
    return text


class Alert(Model):
    """One alert. wait: how long it must be wrong, in Prometheus' notation. summary: may hold templates.

    panel: the panel of a dashboard that shows more, by its name; None means that of the area.
    """

    name: str = Field(pattern=r"^([A-Z][a-z]+)+$")
    area: Area
    severity: Literal["page", "ticket", "none"]
    wait: str = Field(pattern=r"^\d+[mh]$")
    expression: str
    summary: str
    description: Annotated[str, AfterValidator(_plain)]
    labels: dict[str, str] = Field(default_factory=dict)
    panel: str | None = None


def support_ends(stacks: Path = STACKS) -> int:
    """Seconds since the epoch at which the first environment's Kubernetes version leaves standard support."""
    days = [
        date.fromisoformat(yaml.safe_load(path.read_text())["config"]["tecnocursos:cluster"]["standard_support_ends"])
        for path in sorted(stacks.glob("Pulumi.*.yaml"))
    ]
    first = min(days)
    return int(datetime(first.year, first.month, first.day, tzinfo=UTC).timestamp())


def alerts(path: Path = FILE, ends: int | None = None) -> tuple[Alert, ...]:
    """The rows, with the day on which support ends put in; pydantic's ValidationError says which field is wrong."""
    text = path.read_text().replace(f"({SUPPORT_ENDS})", f"({support_ends() if ends is None else ends})")
    return TypeAdapter(tuple[Alert, ...]).validate_python(tuple(yaml.safe_load(text)))
