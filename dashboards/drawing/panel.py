"""What does a panel look like? Lines, numbers or bars, in SVG, as plain as they can be read."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from dashboards.drawing.ask import Line
from dashboards.drawing.units import ticks, written

PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7a5195", "#8c6d31", "#555555", "#c0392b")
STEPS = {"green": "#2e7d32", "yellow": "#e0a800", "red": "#c62828"}
LEFT, TOP, BOTTOM = 64, 30, 24  # around the plot, in pixels
LEGEND, LETTER = 16, 6.2  # height of a line of the legend, width of a letter
MOST_LEGEND = 3  # lines


@dataclass(frozen=True)
class Box:
    """Where something is drawn, in pixels."""

    x: float
    y: float
    width: float
    height: float


def words(x: float, y: float, text: str, size: int = 11, **style: str) -> str:
    """A line of text. style: SVG's attributes, with _ for -."""
    attributes = {"fill": "#333", "text_anchor": "start"} | style
    written_out = " ".join(f'{name.replace("_", "-")}="{value}"' for name, value in attributes.items())
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" {written_out}>{escape(text)}</text>'


def drawn(panel: dict[str, Any], lines: list[Line] | None, box: Box, span: tuple[float, float]) -> Iterator[str]:
    """The panel in its box; lines: None where nobody here can be asked. span: seconds since the epoch."""
    yield (
        f'<rect x="{box.x}" y="{box.y}" width="{box.width}" height="{box.height}" fill="#fff" stroke="#d0d7de" rx="3"/>'
    )
    yield words(box.x + 10, box.y + 19, panel["title"], 13, fill="#111", font_weight="600")
    if not lines:
        for number, text in enumerate(_absent(panel, lines)):
            y = box.y + box.height / 2 + 18 * number
            yield words(box.x + box.width / 2, y, text, 12, fill="#666", text_anchor="middle")
        return
    shapes = {"timeseries": graph, "stat": numbers, "bargauge": bars}
    yield from shapes[panel["type"]](panel, lines, box, span)


def _absent(panel: dict[str, Any], lines: list[Line] | None) -> Iterator[str]:
    """What stands where lines would be."""
    if lines is not None:
        yield "no data"
        return
    for target in panel["targets"]:
        yield f"CloudWatch: {target['namespace']} {target['metricName']}, {target['statistic']}"
    defaults = panel["fieldConfig"]["defaults"]
    for row in defaults["thresholds"]["steps"][1:]:
        yield f"{row['color']} from {written(row['value'], defaults['unit'])}"


def _steps(panel: dict[str, Any]) -> list[tuple[float, str]]:
    rows = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
    return [(float("-inf") if row["value"] is None else row["value"], STEPS[row["color"]]) for row in rows]


def color_of(panel: dict[str, Any], value: float) -> str:
    """The colour of the step that the value has reached."""
    return next(color for least, color in reversed(_steps(panel)) if value >= least)


def graph(panel: dict[str, Any], lines: list[Line], box: Box, span: tuple[float, float]) -> Iterator[str]:
    """Lines over time, one on the other where the panel stacks; thresholds as dashes; names below."""
    defaults = panel["fieldConfig"]["defaults"]
    unit, stacked = defaults["unit"], defaults["custom"].get("stacking", {}).get("mode") == "normal"
    legend = list(_legend(lines, box))
    plot = Box(box.x + LEFT, box.y + TOP, box.width - LEFT - 14, box.height - TOP - BOTTOM - LEGEND * len(legend))
    floors: dict[float, float] = {}
    areas = [_stack(line, floors) if stacked else line for line in lines]
    highest = max(value for line in areas for _, value in line.points)
    if highest == 0:  # nothing happened: the thresholds show where something would be
        highest = max(least for least, _ in _steps(panel)) * 1.2
    marks = ticks(highest, unit)
    scale = plot.height / marks[-1]

    def place(moment: float, value: float) -> str:
        share = (moment - span[0]) / (span[1] - span[0])
        return f"{plot.x + plot.width * share:.1f},{plot.y + plot.height - min(max(value, 0), marks[-1]) * scale:.1f}"

    yield from _axes(marks, unit, plot, span)
    for least, color in _steps(panel):
        if 0 < least <= marks[-1]:
            y = plot.y + plot.height - least * scale
            yield (
                f'<line x1="{plot.x}" x2="{plot.x + plot.width:.1f}" y1="{y:.1f}" y2="{y:.1f}" stroke="{color}" '
                'stroke-dasharray="5 4"/>'
            )
    for number, line in reversed(list(enumerate(areas))):
        color, path = PALETTE[number % len(PALETTE)], " ".join(place(*point) for point in line.points)
        if stacked:
            first, last = (place(line.points[end][0], 0) for end in (0, -1))
            yield f'<polygon points="{first} {path} {last}" fill="{_tint(color)}"/>'
        yield f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="1.6"/>'
    for row, items in enumerate(legend):
        x, y = box.x + LEFT, box.y + box.height - 8 - LEGEND * (len(legend) - 1 - row)
        for number, name in items:
            yield f'<rect x="{x:.1f}" y="{y - 8:.1f}" width="9" height="9" fill="{PALETTE[number % len(PALETTE)]}"/>'
            yield words(x + 13, y, name)
            x += _width(name)


def _tint(color: str) -> str:
    """The colour mixed with white: what lies below in a stack must not shine through."""
    parts = (int(color[n : n + 2], 16) for n in (1, 3, 5))
    return "#" + "".join(f"{round(255 - 0.4 * (255 - part)):02x}" for part in parts)


def _stack(line: Line, floors: dict[float, float]) -> Line:
    points = []
    for moment, value in line.points:
        floors[moment] = floors.get(moment, 0.0) + value
        points.append((moment, floors[moment]))
    return Line(line.name, tuple(points))


def _width(name: str) -> float:
    return 13 + 14 + LETTER * len(name)


def _legend(lines: list[Line], box: Box) -> Iterator[list[tuple[int, str]]]:
    """Lines of the legend as (number, name); what does not fit is counted."""
    row: list[tuple[int, str]] = []
    used, full = 0.0, 0
    for number, line in enumerate(lines):
        if used + _width(line.name) > box.width - LEFT and row:
            full += 1
            if full == MOST_LEGEND:
                yield [*row[:-1], (row[-1][0], f"and {len(lines) - number + 1} more")]
                return
            yield row
            row, used = [], 0.0
        row.append((number, line.name))
        used += _width(line.name)
    yield row


def _axes(marks: list[float], unit: str, plot: Box, span: tuple[float, float]) -> Iterator[str]:
    for mark in marks:
        y = plot.y + plot.height - plot.height * mark / marks[-1]
        yield f'<line x1="{plot.x}" x2="{plot.x + plot.width:.1f}" y1="{y:.1f}" y2="{y:.1f}" stroke="#e6e9ec"/>'
        yield words(plot.x - 6, y + 4, written(mark, unit), fill="#666", text_anchor="end")
    for number in range(5):
        moment = span[0] + (span[1] - span[0]) * number / 4
        text = time.strftime("%H:%M:%S" if span[1] - span[0] < 1200 else "%H:%M", time.gmtime(moment))
        anchor = ("start", "middle", "middle", "middle", "end")[number]
        yield words(
            plot.x + plot.width * number / 4, plot.y + plot.height + 15, text, 10, fill="#666", text_anchor=anchor
        )


def numbers(panel: dict[str, Any], lines: list[Line], box: Box, _: tuple[float, float]) -> Iterator[str]:
    """The newest value of each series, in the colour of its threshold."""
    unit, width = panel["fieldConfig"]["defaults"]["unit"], box.width / len(lines)
    for number, line in enumerate(lines):
        middle = box.x + width * (number + 0.5)
        style = {"text_anchor": "middle", "font_weight": "600", "fill": color_of(panel, line.last)}
        yield words(middle, box.y + 72, written(line.last, unit), 30, **style)
        if len(lines) > 1:
            yield words(middle, box.y + 102, line.name, 12, fill="#555", text_anchor="middle")


def bars(panel: dict[str, Any], lines: list[Line], box: Box, _: tuple[float, float]) -> Iterator[str]:
    """A bar for each series, the longest first."""
    unit = panel["fieldConfig"]["defaults"]["unit"]
    rows = sorted(lines, key=lambda line: -line.last)[:10]
    longest, height = rows[0].last or 1.0, (box.height - TOP - 10) / max(len(rows), 6)
    name_width = min(max(len(line.name) for line in rows) * LETTER + 16, box.width * 0.6)
    for number, line in enumerate(rows):
        y = box.y + TOP + height * number
        room = box.width - name_width - 80
        yield words(box.x + name_width, y + height / 2 + 3, line.name, text_anchor="end")
        yield (
            f'<rect x="{box.x + name_width + 8:.1f}" y="{y + 3:.1f}" width="{max(room * line.last / longest, 1):.1f}" '
            f'height="{height - 6:.1f}" fill="{color_of(panel, line.last)}" fill-opacity="0.75"/>'
        )
        end = box.x + name_width + 14 + room * line.last / longest
        yield words(end, y + height / 2 + 3, written(line.last, unit), fill="#111")
