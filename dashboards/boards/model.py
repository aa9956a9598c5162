"""What does a dashboard consist of? Boards of rows of panels; each panel says what it shows, in which unit, and why."""

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["graph", "number", "bars"]
Color = Literal["green", "yellow", "red"]
Steps = tuple[tuple[float | None, Color], ...]  # value from which a colour holds; None: from the beginning

PLAIN: Steps = ((None, "green"),)
WIDTH = 24  # columns of Grafana's grid


def above(warning: float, bad: float) -> Steps:
    """Colours of a figure that is worse the higher it is."""
    return (None, "green"), (warning, "yellow"), (bad, "red")


def below(bad: float, warning: float) -> Steps:
    """Colours of a figure that is worse the lower it is."""
    return (None, "red"), (bad, "yellow"), (warning, "green")


def identifier(name: str) -> int:
    """A panel's number, from its name alone: it stays when panels are added, moved or retitled."""
    return zlib.crc32(name.encode()) % 1_000_000 + 1


@dataclass(frozen=True)
class Query:
    """A query to Prometheus. legend: a template over the result's labels, `{{route}}`."""

    expression: str
    legend: str


@dataclass(frozen=True)
class CloudWatch:
    """A query to CloudWatch. statistic: as CloudWatch calls it. period: seconds."""

    namespace: str
    metric: str
    dimensions: Mapping[str, str]
    statistic: str
    legend: str
    period: int = 60


@dataclass(frozen=True)
class Panel:
    """One picture. name: what alerts refer to. unit: Grafana's name of it. most: top of the axis. width: columns."""

    name: str
    title: str
    description: str
    unit: str
    queries: tuple[Query | CloudWatch, ...]
    kind: Kind = "graph"
    steps: Steps = PLAIN
    stacked: bool = False
    most: float | None = None
    width: int = 8

    @property
    def number(self) -> int:
        """The panel's id in Grafana."""
        return identifier(self.name)

    @property
    def height(self) -> int:
        """Rows of Grafana's grid."""
        return 4 if self.kind == "number" else 8


@dataclass(frozen=True)
class Row:
    """Panels under one heading."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True)
class Variable:
    """A choice at the top of a board.

    query: to the data source `source`. pattern: keeps what matches, and shows its group. all: several, or all of them.
    first: what is chosen at first; nothing means all, or the first found.
    """

    name: str
    label: str
    query: str
    source: Literal["prometheus", "cloudwatch"] = "prometheus"
    pattern: str = ""
    all: bool = True
    first: str = ""


@dataclass(frozen=True)
class Board:
    """One dashboard. uid: part of its address, so it never changes. span: how far back it looks at first."""

    uid: str
    title: str
    description: str
    rows: tuple[Row, ...]
    variables: tuple[Variable, ...] = ()
    span: str = "now-3h"

    @property
    def panels(self) -> Iterator[Panel]:
        """All panels, as they follow each other."""
        for row in self.rows:
            yield from row.panels
