"""What does a whole board look like? Its rows and panels where Grafana would place them, as one SVG."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dashboards.drawing.ask import Line, Source, chosen
from dashboards.drawing.panel import Box, drawn, words
from dashboards.generated import committed

COLUMN, ROW, GAP, HEAD = 66, 30, 8, 52  # pixels of Grafana's grid, between panels, above them


def write(folder: Path, source: Source) -> Iterator[Path]:
    """Draw every committed board into the folder; the paths, as they are written."""
    folder.mkdir(parents=True, exist_ok=True)
    for path, text in committed().items():
        if path.startswith("grafana/dashboards/"):
            target = folder / f"{Path(path).stem}.svg"
            target.write_text(picture(json.loads(text), source))
            yield target


def picture(board: dict[str, Any], source: Source) -> str:
    """The board's committed JSON as SVG, with what the source answers now."""
    panels = board["panels"]
    bottom = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in panels)
    width, height = 24 * COLUMN + GAP, HEAD + bottom * ROW + GAP
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
            ' font-family="Helvetica, Arial, sans-serif">',
            f'<rect width="{width}" height="{height}" fill="#f4f5f7"/>',
            words(12, 26, board["title"], 18, fill="#111", font_weight="600"),
            words(12, 44, board["description"], 12, fill="#555"),
            *_body(panels, source, chosen(board)),
            "</svg>\n",
        ]
    )


def _body(panels: list[dict[str, Any]], source: Source, values: Mapping[str, str]) -> Iterator[str]:
    for panel in panels:
        place = panel["gridPos"]
        x, y = GAP + place["x"] * COLUMN, HEAD + place["y"] * ROW
        if panel["type"] == "row":
            yield words(x + 4, y + 21, panel["title"], 15, fill="#111", font_weight="600")
            continue
        box = Box(x, y, place["w"] * COLUMN - GAP, place["h"] * ROW - GAP)
        yield from drawn(panel, _lines(panel, source, values), box, (source.start, source.end))


def _lines(panel: dict[str, Any], source: Source, values: Mapping[str, str]) -> list[Line] | None:
    """The series of all targets; None for a panel that only AWS can answer."""
    if panel["datasource"]["type"] != "prometheus":
        return None
    return [line for target in panel["targets"] for line in source.lines(target, values)]
