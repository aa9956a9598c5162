"""How is a figure written, and where do the lines of its axis lie? Grafana's units in short words."""

import math

METRIC = ((1e9, " G"), (1e6, " M"), (1e3, " k"))
BINARY = ((2**30, " GiB"), (2**20, " MiB"), (2**10, " KiB"))
TIMES = ((86400, " d"), (3600, " h"), (60, " min"), (1, " s"), (1e-3, " ms"))
CLOCK = (15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)  # steps of longer times, in seconds
SUFFIXES = {"reqps": "/s", "ops": "/s", "percent": " %", "currencyUSD": " $", "µs": " µs"}


def written(value: float, unit: str) -> str:
    """The value in Grafana's unit, with three digits at most before it is scaled."""
    if unit == "percentunit":
        return f"{value * 100:.3g} %"
    if unit == "s":
        return _scaled(value, TIMES, "") if value else "0 s"
    if unit in ("bytes", "Bps"):
        return _scaled(value, BINARY, " B") + ("/s" if unit == "Bps" else "")
    return _scaled(value, METRIC, "") + SUFFIXES.get(unit, "")


def _scaled(value: float, scales: tuple[tuple[float, str], ...], plain: str) -> str:
    for size, name in scales:
        if abs(value) >= size:
            return f"{_plain(value / size)}{name}"
    smallest, name = scales[-1] if scales is TIMES else (1, plain)
    return f"{_plain(value / smallest)}{name}"


def _plain(value: float) -> str:
    text = f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
    return f"{float(text):.0f}" if "e+" in text else text


def ticks(top: float, unit: str) -> list[float]:
    """From 0 to at least `top`, three to six round steps; times and bytes step by their own round numbers."""
    if top <= 0 or not math.isfinite(top):
        top = 1.0
    if unit == "s" and top > CLOCK[0] * 2:
        step = float(next((size for size in CLOCK if size * 5 >= top), 86400 * math.ceil(top / 5 / 86400)))
        return [step * n for n in range(math.ceil(top / step * 0.999) + 1)]
    base = 2.0 if unit in ("bytes", "Bps") else 10.0
    rough = top / 4
    power = base ** math.floor(math.log(rough, base))
    choices = (1, 2) if base == 2 else (1, 2, 2.5, 5, 10)
    step = next(power * factor for factor in choices if power * factor >= rough * 0.999)
    return [step * n for n in range(math.ceil(top / step * 0.999) + 1)]
