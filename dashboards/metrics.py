"""Which metrics exist, and which labels may each carry? Read from the service's catalogue and from `sources.yaml`."""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

ROOT = Path(__file__).resolve().parents[1]
SERVICE = ROOT / "service/metrics.yaml"
SOURCES = ROOT / "dashboards/sources.yaml"
OPEN = ("any", "route")  # kinds of label whose values are not listed: anything, or the template of a route

Kind = Literal["counter", "gauge", "histogram"]


class Model(BaseModel):
    """Frozen, and strict about names."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Metric(Model):
    """One metric as its exporter declares it. labels: name -> allowed values, or one word of `OPEN`."""

    name: str = Field(pattern=r"^[a-zA-Z_:][a-zA-Z0-9_:]*$")
    type: Kind
    unit: str
    labels: dict[str, tuple[str, ...] | Literal["any", "route"]]
    meaning: str
    exporter: str = "service"
    buckets: tuple[float, ...] = ()
    by: Literal["worker"] | None = None
    source: Literal["process"] | None = None


class Source(Model):
    """What exports metrics, and the labels that scraping adds to every one of its series."""

    scraped: str
    labels: dict[str, tuple[str, ...] | Literal["any", "route"]]


class Sources(Model):
    """`sources.yaml`: the exporters, and the metrics that are not the service's own."""

    exporters: dict[str, Source]
    metrics: tuple[Metric, ...]


class Series(Model):
    """What a selector can name. labels: name -> allowed values; None where any value may stand."""

    name: str
    counts: bool
    exporter: str
    labels: dict[str, tuple[str, ...] | None]


def _bound(value: float) -> str:
    """A bucket's bound as the Python client writes it."""
    return str(float(value))


def _series(metric: Metric, scraped: Source) -> Iterator[Series]:
    declared = {**scraped.labels, **metric.labels}
    labels = {name: None if isinstance(values, str) else values for name, values in declared.items()}
    if metric.type != "histogram":
        yield Series(name=metric.name, counts=metric.type == "counter", exporter=metric.exporter, labels=labels)
        return
    bounds = (*map(_bound, metric.buckets), "+Inf")
    for suffix, more in (("bucket", {"le": bounds}), ("sum", {}), ("count", {})):
        yield Series(name=f"{metric.name}_{suffix}", counts=True, exporter=metric.exporter, labels={**labels, **more})


def load(service: Path = SERVICE, sources: Path = SOURCES) -> dict[str, Series]:
    """Every series by its name; ValueError where a metric is declared twice or its exporter is not listed."""
    listed = Sources.model_validate(yaml.safe_load(sources.read_text()))
    own = [Metric.model_validate(row) for row in yaml.safe_load(service.read_text())]
    found: dict[str, Series] = {}
    for metric in (*own, *listed.metrics):
        if metric.exporter not in listed.exporters:
            raise ValueError(f"{metric.name}: exporter {metric.exporter!r} is not one of {sources.name}'s exporters")
        for series in _series(metric, listed.exporters[metric.exporter]):
            if series.name in found:
                raise ValueError(f"{series.name}: declared twice, in {service.name} or {sources.name}")
            found[series.name] = series
    return found


@cache
def known() -> Mapping[str, Series]:
    """The repository's own series, read once."""
    return load()
