"""What does a Prometheus answer to a panel's queries, with the variables as they are when the board is opened?"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

POINTS = 120  # of a line: a panel is not wider


@dataclass(frozen=True)
class Line:
    """One series. points: seconds since the epoch and value; a gap where a value is not a number."""

    name: str
    points: tuple[tuple[float, float], ...]

    @property
    def last(self) -> float:
        """The newest value."""
        return self.points[-1][1]


@dataclass(frozen=True)
class Source:
    """A Prometheus, and a span in seconds since the epoch. rate: what `$__rate_interval` stands for."""

    url: str
    start: float
    end: float
    rate: str = "1m"

    def lines(self, target: dict[str, Any], chosen: Mapping[str, str]) -> list[Line]:
        """The series of one target of a panel; ValueError with Prometheus' own words when it refuses."""
        query = expanded(target["expr"], {**chosen, "__rate_interval": self.rate})
        if target.get("instant"):
            found = self._call("query", {"query": query, "time": self.end})
            rows = [(row["metric"], [row["value"]]) for row in found]
        else:
            step = max((self.end - self.start) / POINTS, 1)
            found = self._call("query_range", {"query": query, "start": self.start, "end": self.end, "step": step})
            rows = [(row["metric"], row["values"]) for row in found]
        made = [Line(named(target["legendFormat"], labels), _numbers(values)) for labels, values in rows]
        return [line for line in made if line.points]

    def _call(self, what: str, data: dict[str, Any]) -> list[dict[str, Any]]:
        answer = httpx.post(f"{self.url}/api/v1/{what}", data=data, timeout=30).json()
        if answer["status"] != "success":
            raise ValueError(f"Prometheus refuses: {answer['error']}: {data['query']}")
        found: list[dict[str, Any]] = answer["data"]["result"]
        return found


def chosen(board: dict[str, Any]) -> dict[str, str]:
    """What the board's variables stand for when it is opened."""
    rows = [row for row in board["templating"]["list"] if row["type"] == "query" and "current" in row]
    return {
        row["name"]: row["allValue"] if row["current"]["text"] == "All" else row["current"]["value"] for row in rows
    }


def expanded(expression: str, values: Mapping[str, str]) -> str:
    """The expression as Grafana would send it; KeyError for a variable that has no value."""
    return re.sub(r"\$\{?(\w+)\}?", lambda found: values[found[1]], expression)


def named(legend: str, labels: dict[str, str]) -> str:
    """The legend of a series."""
    return re.sub(r"\{\{(\w+)\}\}", lambda found: labels.get(found[1], ""), legend)


def _numbers(values: list[tuple[float, str]]) -> tuple[tuple[float, float], ...]:
    pairs = [(float(moment), float(value)) for moment, value in values]
    return tuple((moment, value) for moment, value in pairs if math.isfinite(value))
