"""Which colours and sizes does a slide have, and can everybody read it?"""

from dataclasses import dataclass
from itertools import product

Colour = tuple[int, int, int]  # sRGB, 0 to 255

AA = 4.5  # WCAG 2.2, success criterion 1.4.3, text of any size


def luminance(colour: Colour) -> float:
    """Relative luminance from 0 (black) to 1 (white), as WCAG 2.2 defines it."""
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (channel / 255 for channel in colour)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: Colour, other: Colour) -> float:
    """Contrast ratio from 1 (same) to 21 (black on white), as WCAG 2.2 defines it."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@dataclass(frozen=True)
class Theme:
    """Colours of a slide. Every text colour reaches WCAG AA on every background it can stand on, or ValueError."""

    background: Colour = (15, 27, 45)
    panel: Colour = (22, 38, 62)
    title: Colour = (255, 255, 255)
    text: Colour = (226, 233, 243)
    muted: Colour = (159, 179, 204)
    accent: Colour = (64, 196, 170)

    def __post_init__(self) -> None:
        for ground, ink in product(("background", "panel"), ("title", "text", "muted", "accent")):
            ratio = contrast(getattr(self, ground), getattr(self, ink))
            if ratio < AA:
                raise ValueError(f"theme: {ink} on {ground} has a contrast of {ratio:.2f}, WCAG AA asks for {AA}")


@dataclass(frozen=True)
class Canvas:
    """Size of a video in pixels, its frame rate, and the margins inside which everything is drawn."""

    width: int = 1280
    height: int = 720
    rate: int = 25  # frames per second
    margin_x: int = 80  # a little more than the 5 % of the title-safe area of EBU R 95
    margin_y: int = 48

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.width, self.height
