"""Where does each part of a diagram stand, and along which corners does a flow run? Figures only, no SVG."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from delivery.architecture import INTERNET, POD, TIERS, USERS, Card, Diagram, Flow

WIDTH = 1600
MARGIN = 24
CARD = 58  # height of a card
GAP = 26  # between cards that an arrow may join
EDGE = 200  # width of the column in front of the region
GUTTER = 44  # free strip on both sides of the zones, for flows that pass other cards
SERVICE = 222  # width of a regional service's card
Points = list[tuple[float, float]]


@dataclass(frozen=True)
class Box:
    """A rectangle in user units."""

    x: float
    y: float
    w: float
    h: float

    @property
    def right(self) -> float:
        """x of the right edge."""
        return self.x + self.w

    @property
    def bottom(self) -> float:
        """y of the lower edge."""
        return self.y + self.h

    @property
    def cx(self) -> float:
        """x of the middle."""
        return self.x + self.w / 2

    @property
    def cy(self) -> float:
        """y of the middle."""
        return self.y + self.h / 2


@dataclass
class Sheet:
    """Where everything stands; filled from the top down by `layout`."""

    region: Box
    network: Box
    recovery: Box | None
    zones: dict[str, Box] = field(default_factory=dict)
    tiers: dict[str, Box] = field(default_factory=dict)
    cards: dict[str, Box] = field(default_factory=dict)
    service_columns: tuple[float, float] = (0, 0)


def layout(diagram: Diagram) -> Sheet:
    """Every frame and card in its place, from the top down."""
    left = MARGIN + EDGE + 30
    region = Box(left, 70, WIDTH - MARGIN - left, 0)
    services_x = region.right - 2 * SERVICE - 58
    network = Box(left + 22, region.y + 74, services_x - left - 22 - 64, 0)
    sheet = Sheet(region, network, None, service_columns=(services_x, services_x + SERVICE + 30))
    inner = Box(network.x + GUTTER, network.y, network.w - 2 * GUTTER, 0)
    width = inner.w / max(len(diagram.zones), 1)
    columns = {zone: Box(inner.x + index * width, network.y, width, 0) for index, zone in enumerate(diagram.zones)}
    y = network.y + 56
    for tier in TIERS:
        rows = _rows([card for card in diagram.cards if card.place == "vpc" and card.tier == tier])
        if not rows and not any(name == tier for name, _ in diagram.subnets):
            continue
        top = y + 32
        for index, row in enumerate(rows):
            for card in row:
                spanned = [columns[zone] for zone in card.zones if zone in columns] or list(columns.values()) or [inner]
                x = spanned[0].x + 10
                sheet.cards[card.key] = Box(x, top + index * (CARD + GAP), spanned[-1].right - 10 - x, CARD)
        height = 32 + max(len(rows) * (CARD + GAP) - GAP, 0) + 14
        sheet.tiers[tier] = Box(network.x + GUTTER / 2, y, network.w - GUTTER, height)
        y += height + 12
    services_bottom = _stack(_service_columns(diagram), sheet, region.y + 84, y - CARD)
    bottom = max(y + 4, services_bottom, network.y + 200)
    sheet.network = Box(network.x, network.y, network.w, bottom - network.y)
    sheet.zones = {zone: Box(box.x, network.y + 30, box.w, bottom - network.y - 42) for zone, box in columns.items()}
    sheet.region = Box(region.x, region.y, region.w, bottom + 18 - region.y)
    _place_edge(diagram, sheet)
    elsewhere = [card for card in diagram.cards if card.place == "recovery"]
    if elsewhere:
        sheet.recovery = Box(region.x, sheet.region.bottom + 34, region.w, CARD + 58)
        _place_recovery(elsewhere, diagram, sheet)
    return sheet


def _rows(cards: Sequence[Card]) -> list[list[Card]]:
    """Cards of one tier, a row each; those bound to one zone each share a row. A flow's order is top down."""
    order = [
        "VPC endpoints",
        "EKS control plane",
        "Application load balancer",
        "Pods on EKS Auto Mode",
        "RDS Proxy",
        "RDS for MySQL",
    ]
    single = [card for card in cards if len(card.zones) == 1 and card.title == "NAT gateway"]
    wide = [card for card in cards if card not in single]
    wide.sort(key=lambda card: (order.index(card.title) if card.title in order else len(order), card.title))
    return ([single] if single else []) + [[card] for card in wide]


def _service_columns(diagram: Diagram) -> tuple[list[Card], list[Card]]:
    """Services that something in the network uses stand next to it, what the edge uses on top; the rest evens out."""
    cards = [card for card in diagram.cards if card.place == "service"]
    used = {flow.target for flow in diagram.flows if flow.source == POD}
    by_edge = {flow.target for flow in diagram.flows if flow.source not in (POD, USERS)}
    near = sorted((card for card in cards if card.key in used), key=lambda card: card.key not in by_edge)
    far = [card for card in cards if card.key not in used]
    moved = max((len(far) - len(near)) // 2, 0)
    return near + far[:moved], far[moved:]


def _stack(columns: tuple[list[Card], list[Card]], sheet: Sheet, top: float, lowest: float) -> float:
    """Two columns of services from `top` on, spread down to `lowest` as far as that looks like one group."""
    most = max(len(column) for column in columns)
    step = min(max((lowest - top) / max(most - 1, 1), CARD + 20), CARD + 48)
    for x, column in zip(sheet.service_columns, columns, strict=True):
        for index, card in enumerate(column):
            sheet.cards[card.key] = Box(x, top + index * step, SERVICE, CARD)
    return top + (most - 1) * step + CARD + 20


def _place_edge(diagram: Diagram, sheet: Sheet) -> None:
    """CloudFront beside the load balancer, what comes before it below, the internet beside the NAT gateways."""
    order = ("CloudFront", "WAF", "Visitors", "Route 53")
    cards = [card for card in diagram.cards if card.place == "edge" and card.key != INTERNET]
    cards.sort(key=lambda card: order.index(card.title) if card.title in order else len(order))
    gates = [sheet.cards[card.key].y for card in diagram.cards if card.title == "NAT gateway"]
    entries = [sheet.cards[flow.target].y for flow in diagram.flows if "VPC origin" in flow.text]
    outside = gates[0] if gates else sheet.network.y + 40
    first = max(entries[0] if entries else 0, outside + CARD + GAP)
    sheet.cards[INTERNET] = Box(MARGIN, outside, EDGE, CARD)
    for index, card in enumerate(cards):
        sheet.cards[card.key] = Box(MARGIN, first + index * (CARD + GAP), EDGE, CARD)


def _place_recovery(cards: Sequence[Card], diagram: Diagram, sheet: Sheet) -> None:
    """A copy stands below what it is a copy of, as far as there is room."""
    assert sheet.recovery is not None  # noqa: S101 (the caller has just made it)
    sources = {flow.target: sheet.cards[flow.source] for flow in diagram.flows if flow.source in sheet.cards}
    y = sheet.recovery.y + 28
    inner = [card for card in cards if card.key not in sources or sources[card.key].x < sheet.network.right]
    inner.sort(key=lambda card: card.key not in sources)
    outer = sorted((card for card in cards if card not in inner), key=lambda card: sources[card.key].x)
    for index, card in enumerate(inner):
        sheet.cards[card.key] = Box(sheet.network.x + index * (SERVICE + 14), y, SERVICE, CARD)
    for x, card in zip(sheet.service_columns, outer, strict=False):
        sheet.cards[card.key] = Box(x, y, SERVICE, CARD)
    for index, card in enumerate(outer[2:]):
        sheet.cards[card.key] = Box(sheet.network.x + (len(inner) + index) * (SERVICE + 14), y, SERVICE, CARD)


def route(flow: Flow, sheet: Sheet, diagram: Diagram) -> Points:
    """The corners of a flow's line: straight where nothing is between, otherwise through a gutter."""
    source, target = sheet.cards[flow.source], sheet.cards[flow.target]
    places = {card.key: card.place for card in diagram.cards}
    match places[flow.source], places[flow.target]:
        case start, "recovery":
            between = sheet.region.bottom + 17
            edge, lane = (source.x, source.x - GUTTER / 2) if start == "vpc" else (source.right, source.right + 14)
            corners = [(edge, source.cy), (lane, source.cy), (lane, between), (target.cx, between)]
            points = [*corners, (target.cx, target.y)]
        case "edge", "edge":
            points = [(source.cx, source.y), (target.cx, target.bottom)]
        case _, "edge":
            points = [(source.x, source.cy), (target.right, source.cy)]
        case "edge", "service":
            y, lane, above = source.y + 14, source.right + 16, sheet.network.y - 22
            points = [(source.right, y), (lane, y), (lane, above), (target.cx, above), (target.cx, target.y)]
        case "edge", _:
            points = [(source.right, target.cy), (target.x, target.cy)]
        case _, "service":
            y, lane = source.y + 16, sheet.network.right + 16
            points = [(source.right, y), (lane, y), (lane, target.cy), (target.x, target.cy)]
        case _:
            points = _inside(source, target)
    return points


def _inside(source: Box, target: Box) -> Points:
    """Between two cards of the network: straight down to the next one, or through the gutter on the right."""
    if 0 < target.y - source.bottom < CARD + GAP:
        x = source.x + 0.3 * min(source.w, target.w)
        return [(x, source.bottom), (x, target.y)]
    y, lane = source.bottom - 14, max(source.right, target.right) + GUTTER / 2
    return [(source.right, y), (lane, y), (lane, target.cy), (target.right, target.cy)]


def number_place(points: Points) -> tuple[float, float]:
    """Where a flow's number stands: beside a short arrow, on a long one, away from shared stretches and tips."""
    if len(points) == 5 and points[-1][1] > points[0][1]:  # into the recovery region: on the way down
        (x, y), (_, end) = points[1], points[2]
        return x, (y + end) / 2
    (x, y), (tip_x, tip_y) = points[-2], points[-1]
    length = abs(tip_x - x) + abs(tip_y - y)
    if tip_y < y and len(points) == 2:  # upwards behind another card
        return tip_x + 18, tip_y + GAP / 2
    if length < 34:
        return (tip_x + 18, (y + tip_y) / 2) if tip_x == x else (tip_x + (14 if x > tip_x else -14), tip_y - 16)
    part = max(0.5, 1 - 44 / length) if length > 100 else 0.36
    return x + (tip_x - x) * part, y + (tip_y - y) * part
