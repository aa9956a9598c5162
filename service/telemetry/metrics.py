"""What is measured? The collectors are built from the catalogue `metrics.yaml`, so nothing else can be emitted."""

import shutil
from collections.abc import Mapping
from importlib.resources import files
from itertools import product
from pathlib import Path
from typing import Any

import yaml
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.process_collector import ProcessCollector

UNMATCHED = "unmatched"
METHODS = {name: name for name in ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")}


def definitions() -> list[dict[str, Any]]:
    """The rows of `metrics.yaml`."""
    rows: list[dict[str, Any]] = yaml.load(
        files("service").joinpath("metrics.yaml").read_text(), Loader=yaml.CSafeLoader
    )
    return rows


class Metrics:
    """All collectors of one process, by the name in the catalogue; KeyError for a name that is not in it."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each, which nobody reads
        self.registry = CollectorRegistry()
        self.counters: dict[str, Counter] = {}
        self.gauges: dict[str, Gauge] = {}
        self.histograms: dict[str, Histogram] = {}
        self._http: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self._rows = [row for row in definitions() if row.get("source") != "process"]
        for row in self._rows:
            self._add(row)
        self.begin()
        ProcessCollector(registry=self.registry)

    def _add(self, row: Mapping[str, Any]) -> None:
        name, meaning, labels = row["name"], row["meaning"], list(row["labels"])
        match row["type"]:
            case "counter":
                self.counters[name] = Counter(name, meaning, labels, registry=self.registry)
            case "histogram":
                self.histograms[name] = Histogram(name, meaning, labels, buckets=row["buckets"], registry=self.registry)
            case _:
                self.gauges[name] = Gauge(name, meaning, labels, registry=self.registry)

    def begin(self, by: str | None = None, provider: str | None = None) -> None:
        """Begin the counters that only `by` emits (None: everybody) at 0, for every value that their labels may have.

        A counter that appears with its first event hides it: `rate()` and `increase()` see no change. Counters by route
        are too many; those by provider begin when the provider is used.
        """
        for row in self._rows:
            labels = row["labels"]
            if row["type"] != "counter" or row.get("by") != by or "route" in labels.values():
                continue
            if labels and ("provider" in labels) == (provider is not None):
                listed = {
                    name: [v for v in allowed if name != "provider" or v == provider]
                    for name, allowed in labels.items()
                }
                for values in product(*listed.values()):
                    self.counters[row["name"]].labels(*values)

    def count(self, name: str, amount: float = 1, **labels: str) -> None:
        """Add to a counter."""
        counter = self.counters[name]
        (counter.labels(**labels) if labels else counter).inc(amount)

    def gauge(self, name: str, value: float, **labels: str) -> None:
        """Set a gauge."""
        gauge = self.gauges[name]
        (gauge.labels(**labels) if labels else gauge).set(value)

    def disk(self, folder: Path) -> None:
        """Measure the disk that a folder is on, or will be on once it is made."""
        existing = next(path for path in (folder, *folder.resolve().parents) if path.exists())
        usage = shutil.disk_usage(existing)
        self.gauge("disk_size_bytes", usage.total)
        self.gauge("disk_free_bytes", usage.free)

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one HTTP request; label children are looked up once per series, not once per request."""
        key = (method, route, status)
        children = self._http.get(key)
        if children is None:
            known = METHODS.get(method, "other")
            self.counters["http_requests_total"].labels(known, route, "5xx")  # see `begin`: the first one must be seen
            children = self._http[(known, route, status)] = (
                self.counters["http_requests_total"].labels(known, route, f"{status // 100}xx"),
                self.histograms["http_request_duration_seconds"].labels(known, route),
            )
        children[0].inc()
        children[1].observe(seconds)
