"""How does a diagram look? Cards in zones and tiers, numbered flows: one SVG that follows the reader's colours."""

from collections.abc import Iterable, Iterator, Sequence
from importlib import resources
from xml.sax.saxutils import escape

from delivery import layout
from delivery.architecture import Card, Diagram, Flow
from delivery.layout import Box, Sheet

LEGEND_COLUMNS = 3

ICONS = {
    "arrows": "M4 9h14m-4-4 4 4-4 4M20 16H6m4-4-4 4 4 4",
    "bolt": "M13 3 6 13h5l-1 8 7-11h-5z",
    "bucket": "M4 7c0-4 16-4 16 0s-16 4-16 0l2 11c1 3 11 3 12 0l2-11",
    "chart": "M4 4v16h16M7 15l4-5 3 3 5-7",
    "cube": "M12 3l8 4.5v9L12 21l-8-4.500v-9zM4 7.500l8 4.500 8-4.500M12 12v9",
    "cylinder": "M5 6c0-4 14-4 14 0v12c0 4-14 4-14 0V6c0 4 14 4 14 0M5 12c0 4 14 4 14 0",
    "globe": "M12 3a9 9 0 1 0 0 18 9 9 0 1 0 0-18M3 12h18M12 3c-5 5-5 13 0 18 5-5 5-13 0-18",
    "key": "M8 8a4 4 0 1 0 0 8 4 4 0 1 0 0-8M12 12h9m-3 0v4m-3-4v3",
    "people": "M12 4a4 4 0 1 0 0 8 4 4 0 1 0 0-8M4 21c0-9 16-9 16 0",
    "queue": "M4 5h16v4H4zM4 11h16v4H4zM4 17h16v3H4z",
    "shield": "M12 3l8 3v6c0 5-4 8-8 9-4-1-8-4-8-9V6z",
}


def svg(diagram: Diagram) -> str:
    """The drawing; empty when there is nothing to draw."""
    if not diagram.cards:
        return ""
    sheet = layout.layout(diagram)
    flows = _numbered(diagram.flows)
    bottom = (sheet.recovery or sheet.region).bottom + 22
    height = bottom + 24 * -(-len(flows) // LEGEND_COLUMNS) + 20
    style = resources.files("delivery").joinpath("templates", "architecture.css").read_text()
    parts = [
        f'<svg class="arch" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {layout.WIDTH} {height:.0f}" role="img">',
        f"<title>Architecture of {escape(diagram.title)}</title><style>{style}</style>",
        f'<rect class="ground" width="{layout.WIDTH}" height="{height:.0f}"/>',
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
        'orient="auto-start-reverse"><path class="tip" d="M0 0 8 4 0 8z"/></marker></defs>',
        _text(layout.MARGIN, 46, diagram.title, "title"),
        _text(layout.WIDTH - layout.MARGIN, 46, f"drawn from {diagram.resources} resources", "origin"),
        *_frames(diagram, sheet),
        *(_line(layout.route(flow, sheet, diagram)) for _, group in flows for flow in group),
        *(_draw(card, sheet.cards[card.key]) for card in diagram.cards),
        *(
            _badge(number, layout.route(flow, sheet, diagram))
            for number, (_, group) in enumerate(flows, 1)
            for flow in group[:1]
        ),
        *_legend(flows, diagram.cards, bottom),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _numbered(flows: Iterable[Flow]) -> list[tuple[str, list[Flow]]]:
    """Flows with one number each; the same thing to the same place shares it."""
    groups: dict[tuple[str, str], list[Flow]] = {}
    for flow in flows:
        groups.setdefault((flow.text, flow.target), []).append(flow)
    return [(text, group) for (text, _), group in groups.items()]


def _frames(diagram: Diagram, sheet: Sheet) -> Iterator[str]:
    yield _frame(sheet.region, "region", f"AWS {diagram.region}")
    yield _frame(sheet.network, "network", f"VPC {diagram.network}")
    for tier, box in sheet.tiers.items():
        yield _rect(box, f"tier {tier}", 6)
        yield _text(box.x + 32, box.y + 21, tier.replace("-", " ").capitalize(), "tiername")
    for zone, box in sheet.zones.items():
        yield _rect(Box(box.x + 3, box.y, box.w - 6, box.h), "zone", 6)
        yield _text(box.cx, box.y + 17, zone, "zonename")
        for (tier, of), block in diagram.subnets.items():
            if of == zone and tier in sheet.tiers:
                yield _text(box.right - 14, sheet.tiers[tier].y + 21, block, "block")
    if sheet.recovery:
        yield _frame(sheet.recovery, "region", f"AWS {diagram.recovery}, for recovery", layout.CARD + 24)


def _frame(box: Box, kind: str, name: str, below: int = 0) -> str:
    return _rect(box, kind, 10) + _text(box.x + 16, box.y + 22 + below, name, "framename")


def _rect(box: Box, kind: str, radius: int) -> str:
    at = f'x="{box.x:.0f}" y="{box.y:.0f}" width="{box.w:.0f}" height="{box.h:.0f}"'
    return f'<rect class="{kind}" {at} rx="{radius}"/>'


def _draw(card: Card, box: Box) -> str:
    room = int((box.w - 62) / 6.6)
    second = " · ".join(card.lines)
    return "".join(
        [
            f'<g class="card {card.icon}"><title>{escape(card.title)}: {escape(second)}</title>',
            _rect(box, "paper", 8),
            _rect(Box(box.x + 10, box.y + 12, 34, 34), "badge", 7),
            f'<path transform="translate({box.x + 15:.0f} {box.y + 17:.0f})" d="{ICONS[card.icon]}"/>',
            _text(box.x + 54, box.y + (25 if second else 34), _cut(card.title, room), "name"),
            _text(box.x + 54, box.y + 43, _cut(second, room), "line") if second else "",
            "</g>",
        ]
    )


def _line(points: Sequence[tuple[float, float]]) -> str:
    path = " ".join(f"{x:.0f},{y:.0f}" for x, y in points)
    return f'<polyline class="flow" points="{path}" marker-end="url(#tip)"/>'


def _badge(number: int, points: layout.Points) -> str:
    x, y = layout.number_place(points)
    return f'<circle class="number" cx="{x:.0f}" cy="{y:.0f}" r="9.5"/>' + _text(x, y + 4, str(number), "digit")


def _legend(flows: Sequence[tuple[str, list[Flow]]], cards: Sequence[Card], top: float) -> Iterator[str]:
    names = {card.key: card.title if card.title != "S3" else f"S3 {card.lines[0]}" for card in cards}
    column = (layout.WIDTH - 2 * layout.MARGIN) / LEGEND_COLUMNS
    rows = -(-len(flows) // LEGEND_COLUMNS)
    for index, (text, group) in enumerate(flows):
        x, y = layout.MARGIN + 10 + (index // rows) * column, top + 14 + (index % rows) * 24
        yield f'<circle class="number" cx="{x:.0f}" cy="{y:.0f}" r="9.5"/>' + _text(x, y + 4, str(index + 1), "digit")
        said = f"{names[group[0].source]} to {names[group[0].target]}: {text}"
        yield _text(x + 18, y + 4, _cut(said, 74), "legend")


def _text(x: float, y: float, text: str, kind: str) -> str:
    return f'<text class="{kind}" x="{x:.0f}" y="{y:.0f}">{escape(text)}</text>'


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else text[: max(room - 1, 1)].rstrip(" ,·") + "…"
