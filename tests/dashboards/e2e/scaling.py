"""How do rules and routes that think in minutes run in seconds? Every duration is divided, nothing else is changed."""

import re
from typing import Any

UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
DURATION = re.compile(r"(\d+)(ms|s|m|h|d)")
RANGE = re.compile(r"\[[^\]]*\]")  # of a selector or a subquery
FIELDS = {"interval", "for", "group_wait", "group_interval", "repeat_interval"}


def shorter(duration: str, factor: int) -> str:
    """A factor-th of the duration, in milliseconds: 1m is 1000ms with a factor of 60."""
    milliseconds = sum(int(number) * UNITS[unit] for number, unit in DURATION.findall(duration)) * 1000 / factor
    return f"{round(milliseconds)}ms"


def scaled(document: Any, factor: int) -> Any:
    """The document of a rule file or an alert manager with a factor-th of every duration."""
    if isinstance(document, dict):
        return {key: _field(key, value, factor) for key, value in document.items()}
    return [scaled(child, factor) for child in document] if isinstance(document, list) else document


def _field(key: str, value: Any, factor: int) -> Any:
    if key in FIELDS:
        return shorter(value, factor)
    if key == "expr":
        return RANGE.sub(lambda found: DURATION.sub(lambda one: shorter(one[0], factor), found[0]), value)
    return scaled(value, factor)
