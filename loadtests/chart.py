"""How is a line drawn over time? A small SVG: axes with round numbers, one line per series, a limit."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 560, 240
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 12, 26
COLOURS = ("#2563eb", "#d97706", "#059669", "#dc2626", "#7c3aed", "#64748b")


@dataclass(frozen=True)
class Series:
    """A name and one value per second; None where there is none."""

    name: str
    values: Sequence[float | None]


def ticks(most: float, *, logarithmic: bool) -> list[float]:
    """Round values from 0 (or the decade below 1) to the first one that is not below `most`."""
    if logarithmic:
        return [10.0**power for power in range(max(1, math.ceil(math.log10(max(most, 1)))) + 1)]
    step = 10.0 ** math.floor(math.log10(max(most, 1e-9) / 4))
    step *= next(factor for factor in (1, 2, 5, 10) if factor * step * 4 >= most)
    return [step * number for number in range(math.ceil(most / step - 1e-9) + 1)] if most else [0.0, 1.0]


def svg(title: str, series: Sequence[Series], limit: float | None = None, *, logarithmic: bool = False) -> str:
    """The picture. limit: a dashed line at a threshold."""
    values = [v for row in series for v in row.values if v is not None] + ([limit] if limit is not None else [])
    marks = ticks(max(values, default=0), logarithmic=logarithmic)
    seconds = max((len(row.values) for row in series), default=1)

    def x(second: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * second / max(seconds - 1, 1)

    def y(value: float) -> float:
        share = math.log10(max(value, 1)) / math.log10(marks[-1]) if logarithmic else value / marks[-1]
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * min(share, 1)

    parts = [f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}">']
    for mark in marks:
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(mark):.1f}" y2="{y(mark):.1f}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y(mark) + 4:.1f}" text-anchor="end">{mark:,g}</text>')
    every = next(step for step in (1, 2, 5, 10, 20, 30, 60, 120, 300) if seconds / step <= 9 or step == 300)
    for second in range(0, seconds, every):
        parts.append(f'<text x="{x(second):.1f}" y="{HEIGHT - 6}" text-anchor="middle">{second} s</text>')
    if limit is not None:
        parts.append(f'<line class="limit" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(limit):.1f}" y2="{y(limit):.1f}"/>')
    for row, colour in zip(series, COLOURS, strict=False):
        for run in _runs(row.values):
            points = " ".join(f"{x(second):.1f},{y(value):.1f}" for second, value in run)
            parts.append(f'<polyline points="{points}" stroke="{colour}"/>')
    return "".join([*parts, "</svg>"])


def legend(series: Sequence[Series]) -> list[tuple[str, str]]:
    """Colour and name of each line."""
    return [(colour, row.name) for row, colour in zip(series, COLOURS, strict=False)]


def _runs(values: Sequence[float | None]) -> list[list[tuple[int, float]]]:
    """Pieces without a hole."""
    runs: list[list[tuple[int, float]]] = [[]]
    for second, value in enumerate(values):
        if value is not None:
            runs[-1].append((second, value))
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]
