"""What does a run look like as a page? One self-contained HTML file, and the same figures as JSON beside it."""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from loadtests import arrivals, chart, histogram, outcome
from loadtests.chart import Series
from loadtests.execution import Judged, Moment, Run
from loadtests.plans import Thresholds


@dataclass(frozen=True)
class Figure:
    """One drawing with what it shows."""

    title: str
    note: str
    svg: Markup
    legend: list[tuple[str, str]]


def write(folder: Path, name: str, judged: Judged) -> Path:
    """Write NAME.html and NAME.json; returns the page's path."""
    folder.mkdir(parents=True, exist_ok=True)
    environment = Environment(loader=PackageLoader("loadtests"), autoescape=True, undefined=StrictUndefined)
    environment.trim_blocks = environment.lstrip_blocks = True
    done = judged.run
    page = environment.get_template("report.html").render(
        name=name,
        run=done,
        judged=judged,
        summary=judged.summary,
        when=datetime.fromtimestamp(done.started, UTC).strftime("%Y-%m-%d %H:%M UTC"),
        figures=figures(done, judged.wanted),
        sides=sides(done),
        split=split(done),
    )
    path = folder / f"{name}.html"
    path.write_text(page)
    path.with_suffix(".json").write_text(json.dumps(as_data(name, judged), indent=1) + "\n")
    return path


def as_data(name: str, judged: Judged) -> dict[str, Any]:
    """What other programs read: the summary, the checks, CPU."""
    done, summary = judged.run, judged.summary
    derived = {"rate": summary.rate, "error_percent": summary.error_percent, "achieved": summary.achieved}
    return {
        "profile": name,
        "started": done.started,
        "target": done.target,
        "summary": asdict(summary) | derived,
        "checks": [asdict(check) for check in judged.checks],
        "cpu_ms_per_request": done.cpu_per_request(),
        "query_ms_per_request": done.query_ms_per_request(),
        "cores": done.shares(),
    }


def sides(done: Run) -> list[tuple[str, str, str]]:
    """What both sides counted: (what, client, server). They differ by probes, scrapes and requests under way."""
    rows = [row.seen for row in done.moments[1:]]
    client: dict[str, int] = {}
    for row in rows:
        for outcomes in row.outcomes.values():
            for status, times in outcomes.items():
                family = f"{status[0]}xx" if status.isdigit() and status != "0" else "no answer"
                client[family] = client.get(family, 0) + times
    server = done.span.requests
    table = [
        (f"answers {family}", f"{client.get(family, 0):,}", f"{server[family]:,.0f}" if family in server else "-")
        for family in sorted({*client, *(f for f, n in server.items() if n)})
    ]
    limited = sum(outcomes.get("429", 0) for row in rows for outcomes in row.outcomes.values())
    latency = histogram.merged(*(counts for row in rows for counts in row.latency.values()))
    service = histogram.merged(*(row.service for row in rows))
    known = bool(done.span.buckets)
    return [
        *table,
        ("answers 429", f"{limited:,}", f"{done.span.limited:,.0f}" if known else "-"),
        ("P95 since the request was due", f"{histogram.percentile(latency, 0.95):.1f} ms", ""),
        (
            "P95 since it was sent / until the answer was sent",
            f"{histogram.percentile(service, 0.95):.1f} ms",
            f"{histogram.quantile(done.span.buckets, 0.95) * 1000:.1f} ms" if known else "-",
        ),
    ]


def split(done: Run) -> list[tuple[str, str, str]]:
    """Whose CPU: (group, cores, milliseconds per request)."""
    per_request = done.cpu_per_request()
    rows = [(group, f"{cores:.2f}", f"{per_request.get(group, 0):.3f}") for group, cores in done.shares().items()]
    return [*rows, ("all", f"{sum(done.shares().values()):.2f}", f"{sum(per_request.values()):.3f}")]


def figures(done: Run, wanted: Thresholds) -> list[Figure]:
    """The drawings."""
    moments = [m for m in done.moments if m.seen.second < done.profile.seconds]
    latency = [histogram.merged(*moment.seen.latency.values()) for moment in moments]
    known = bool(done.span.buckets)
    seen = [outcome.summarise([m.seen], done.profile.model_copy(update={"warm_up": 0})) for m in moments]
    groups = [group for group in done.span.cpu if group != "watching"]
    return [
        _figure(
            "Latency, milliseconds (logarithmic)",
            "From the moment a request was due. The dashed line is the threshold of P95; the service's own P95 is "
            "estimated from its histogram.",
            [
                *(
                    Series(f"P{share:g}", [histogram.percentile(row, share / 100) if row else None for row in latency])
                    for share in (50, 95, 99)
                ),
                *([Series("P95 by the service", [_server_p95(m) for m in moments])] if known else []),
            ],
            wanted.p95_ms,
            logarithmic=True,
        ),
        _figure(
            "Requests per second",
            "Offered is the plan; right answers, answers 429 and errors are what came back in that second.",
            [
                Series("offered", [arrivals.rate(done.profile.stages, m.seen.second + 0.5) for m in moments]),
                Series("right", [row.answered for row in seen]),
                Series("429", [row.limited + row.sent_away for row in seen]),
                Series("errors", [sum(row.errors.values()) for row in seen]),
            ],
            wanted.requests_per_second,
        ),
        _figure(
            "CPU, cores",
            "Of everything that runs on this machine: the generator's own share is part of what limits a shared one.",
            [Series(group, [m.done.cpu[group] if n else None for n, m in enumerate(moments)]) for group in groups],
        ),
        _figure(
            "Lateness of the generator and requests under way",
            "Milliseconds by which 5 % of the requests were sent late, or more, though a connection was free: near 0 "
            "while the generator keeps up. Queued: requests that found all connections busy, the service's doing. "
            "Under way: as the service counts.",
            [
                Series("late P95, ms", [histogram.percentile(m.seen.late, 0.95) for m in moments]),
                Series("queued", [m.seen.queued for m in moments]),
                *([Series("under way", [m.done.in_flight for m in moments])] if known else []),
            ],
        ),
    ]


def _figure(
    title: str, note: str, series: list[Series], limit: float | None = None, *, logarithmic: bool = False
) -> Figure:
    return Figure(
        title,
        note,
        Markup(chart.svg(title, series, limit, logarithmic=logarithmic)),  # noqa: S704 (numbers and our own words)
        chart.legend(series),
    )


def _server_p95(moment: Moment) -> float | None:
    value = histogram.quantile(moment.done.buckets, 0.95) * 1000
    return value or None
