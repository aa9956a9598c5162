"""How is docs/capacity.md made? From measured.yaml, sizing.yaml, the list prices and production's committed graph."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined

from loadtests import capacity, estate, plans
from loadtests.capacity import Bill, Cost, Needs

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/capacity.md"


def production() -> estate.Shape:
    """Production as it is committed."""
    return estate.shape(json.loads((ROOT / "tests/golden/production.json").read_text()))


def cost() -> Cost:
    """What a request costs, as measured."""
    measured = plans.read("measured.yaml")
    cpu = measured["cpu_ms_per_request"]
    return Cost(cpu["api"], cpu["database"], cpu["cache"], measured["query_ms_per_request"])


def page() -> str:
    """The document."""
    sizing, now = plans.read("sizing.yaml"), production()
    prices: dict[str, Any] = yaml.safe_load((ROOT / "delivery/data/prices.yaml").read_text())
    each = cost()
    needed = [capacity.needs(rate, each, now.pod, sizing) for rate in sizing["rates"]]
    bills = [capacity.bill(need, prices, sizing, now.cache_node) for need in needed]
    environment = Environment(  # noqa: S701 (Markdown, from our own data)
        loader=PackageLoader("loadtests"), undefined=StrictUndefined, trim_blocks=True, keep_trailing_newline=True
    )
    return environment.get_template("capacity.md").render(
        measured=plans.read("measured.yaml"),
        sizing=sizing,
        needed=needed,
        table=_table(needed, bills, list(sizing["database_classes"])[-1]),
        changes=[(need, estate.changes(need, now, sizing)) for need in needed],
    )


def _table(needed: Sequence[Needs], bills: Sequence[Bill], largest: str) -> list[tuple[str, list[str]]]:
    return [
        ("API, cores in use", [f"{n.cores:.1f}" for n in needed]),
        ("API pods", [f"{n.pods} of {n.pod.cpu:g} core{'' if n.pod.cpu == 1 else 's'}" for n in needed]),
        ("database connections in use", [f"{n.connections_used:,}" for n in needed]),
        ("connections of the pods to the proxy, at most", [f"{n.connections_most:,}" for n in needed]),
        ("database, cores in use", [f"{n.database_cores:.1f}" for n in needed]),
        ("database class", [n.database_class or f"more than {largest}" for n in needed]),
        ("cache, cores in use", [f"{n.cache_cores:.2f}" for n in needed]),
        ("cache primaries (with replicas in every zone)", [f"{n.cache_shards}" for n in needed]),
        ("nodes, USD a month", [f"{b.nodes:,.0f}" for b in bills]),
        ("database and proxy, USD a month", [f"{b.database:,.0f}" if b.database else "-" for b in bills]),
        ("cache, USD a month", [f"{b.cache:,.0f}" for b in bills]),
        ("CDN and firewall per request, USD a month", [f"{b.edge:,.0f}" for b in bills]),
    ]
