"""Which expressions does anything generated ask Prometheus? Rules and panels, each with where it stands."""

import json
from collections.abc import Iterator
from typing import Any

import yaml

from dashboards import generated


def everything() -> Iterator[tuple[str, str]]:
    """Pairs of where an expression stands and the expression, of every committed rule file and dashboard."""
    for path, text in generated.committed().items():
        if path.startswith("rules/"):
            for group in yaml.safe_load(text)["groups"]:
                for number, rule in enumerate(group["rules"]):
                    name = rule.get("alert") or rule["record"]
                    yield f"{path}:{group['name']}:{number}:{name}", rule["expr"]
        elif path.startswith("grafana/dashboards/"):
            for title, expression in panels(json.loads(text)):
                yield f"{path}:{title}", expression


def panels(node: Any, title: str = "") -> Iterator[tuple[str, str]]:
    """Every `expr`, and every query of a variable that is written in PromQL, with the title that it stands under."""
    if isinstance(node, dict):
        title = node.get("title") or node.get("name") or title
        if isinstance(node.get("expr"), str):
            yield title, node["expr"]
        for child in node.values():
            yield from panels(child, title)
    elif isinstance(node, list):
        for child in node:
            yield from panels(child, title)
