"""What did the servers and the generator do meanwhile? CPU by process, and the service's own metrics by the second."""

import math
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import psutil
from prometheus_client.parser import text_string_to_metric_families

REQUESTS, SECONDS, LIMITED = "http_requests_total", "http_request_duration_seconds", "rate_limited_total"
QUERIES = "database_query_duration_seconds_sum"
GAUGES = ("http_requests_in_flight", "rate_limit_factor")
OUTSIDE = 15  # seconds a scrape may take


@dataclass
class Sample:
    """One look. cpu: seconds used so far by group of processes; the rest as the service's catalogue defines it."""

    cpu: dict[str, float] = field(default_factory=dict)
    requests: dict[str, float] = field(default_factory=dict)  # by class of status
    limited: float = 0
    buckets: dict[float, float] = field(default_factory=dict)  # cumulative counts by upper bound in seconds
    in_flight: float = 0
    factor: float = 1
    process_seconds: float = 0
    query_seconds: float = 0


def look(processes: Mapping[str, Sequence[int]], metrics: Sequence[str]) -> Sample:
    """CPU of the processes and the metrics of all pages together. Raises OSError when a page does not answer."""
    sample = Sample(cpu={group: sum(map(_cpu, pids)) for group, pids in processes.items()})
    for url in metrics:
        with urllib.request.urlopen(url, timeout=OUTSIDE) as page:  # noqa: S310 (checked against the allow-list)
            add(sample, page.read().decode())
    return sample


def add(sample: Sample, page: str) -> None:
    """Add one process's metrics."""
    for family in text_string_to_metric_families(page):
        for row in family.samples:
            if row.name == REQUESTS:
                status = row.labels["status"]
                sample.requests[status] = sample.requests.get(status, 0) + row.value
            elif row.name == f"{SECONDS}_bucket":
                bound = math.inf if row.labels["le"] == "+Inf" else float(row.labels["le"])
                sample.buckets[bound] = sample.buckets.get(bound, 0) + row.value
            elif row.name == LIMITED:
                sample.limited += row.value
            elif row.name == GAUGES[0]:
                sample.in_flight += row.value
            elif row.name == GAUGES[1]:
                sample.factor = min(sample.factor, row.value)
            elif row.name == QUERIES:
                sample.query_seconds += row.value
            elif row.name == "process_cpu_seconds_total":
                sample.process_seconds += row.value


def difference(before: Sample, after: Sample) -> Sample:
    """What happened between two looks; gauges as the later one saw them."""
    less: Any = lambda a, b: {key: value - b.get(key, 0) for key, value in a.items()}  # noqa: E731
    return Sample(
        cpu=less(after.cpu, before.cpu),
        requests=less(after.requests, before.requests),
        limited=after.limited - before.limited,
        buckets=less(after.buckets, before.buckets),
        in_flight=after.in_flight,
        factor=after.factor,
        process_seconds=after.process_seconds - before.process_seconds,
        query_seconds=after.query_seconds - before.query_seconds,
    )


def _cpu(pid: int) -> float:
    """Seconds of CPU of a process and its threads; what has ended counts no further."""
    try:
        times = psutil.Process(pid).cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)
