"""How much of each thing is accepted? One set of figures for the API and the renderer, kept as data in limits.yaml."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import yaml


@dataclass(frozen=True)
class Limits:
    """As limits.yaml says, with the units of each."""

    title: int
    description: int
    scenes: int
    bullets: int
    bullet: int
    caption: int
    narration: int
    course: int
    outline: int
    upload: int
    recording: int
    recordings: int
    pixels: int
    voices: Mapping[str, Any]
    suggested: tuple[str, ...]


LIMITS = Limits(**yaml.safe_load((files("service") / "limits.yaml").read_text(encoding="utf-8")))
