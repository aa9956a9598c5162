"""How is a text set so that it fits its box, in a font that has all its letters?"""

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from importlib.resources import as_file, files
from typing import Literal

from PIL import ImageFont

from service.render.errors import CourseError

Weight = Literal["Regular", "Semibold", "Bold"]


@dataclass(frozen=True)
class Block:
    """Lines that fit: per paragraph its lines; sizes in pixels."""

    paragraphs: tuple[tuple[str, ...], ...]
    size: int
    leading: int
    gap: int

    @property
    def height(self) -> int:
        """From the top of the first line to the bottom of the last."""
        return sum(len(lines) for lines in self.paragraphs) * self.leading + (len(self.paragraphs) - 1) * self.gap


@cache
def font_bytes(weight: Weight) -> bytes:
    """The font file, Source Sans Pro (SIL Open Font License), out of its package."""
    with as_file(files("font_source_sans_pro") / f"files/SourceSansPro-{weight}.ttf") as path:
        return path.read_bytes()


@lru_cache(maxsize=64)
def font(weight: Weight, size: int) -> ImageFont.FreeTypeFont:
    """The font at a size in pixels."""
    with as_file(files("font_source_sans_pro") / f"files/SourceSansPro-{weight}.ttf") as path:
        return ImageFont.truetype(str(path), size, layout_engine=ImageFont.Layout.BASIC)


@lru_cache(maxsize=4096)
def _has(character: str) -> bool:
    if character.isspace():
        return True
    probe = font("Regular", 24)
    return bytes(probe.getmask(character)) != bytes(probe.getmask("\U0010ffff"))


def drawable(text: str, where: str) -> str:
    """The text without the symbols that the font lacks (emoji, mostly); raises CourseError for a letter it lacks."""
    kept = []
    for character in text:
        if _has(character):
            kept.append(character)
        elif unicodedata.category(character)[0] in "LMN":
            name = unicodedata.name(character, "a letter without a name").lower()
            raise CourseError.of("no_glyph", where, letter=name)
    return " ".join("".join(kept).split())


def wrap(text: str, face: ImageFont.FreeTypeFont, width: int) -> tuple[str, ...]:
    """Lines no wider than `width` pixels; words are broken only when one alone is wider."""
    lines: list[str] = []
    line = ""
    for piece in _pieces(text, face, width):
        longer = f"{line} {piece}" if line else piece
        if line and face.getlength(longer) > width:
            lines.append(line)
            line = piece
        else:
            line = longer
    return (*lines, line)


def _pieces(text: str, face: ImageFont.FreeTypeFont, width: int) -> Iterator[str]:
    for word in text.split():
        piece = ""
        for character in word if face.getlength(word) > width else ():
            if piece and face.getlength(piece + character) > width:
                yield piece
                piece = ""
            piece += character
        yield piece or word


def _balanced(text: str, face: ImageFont.FreeTypeFont, width: int) -> tuple[str, ...]:
    """As many lines as `wrap` makes, but of like lengths: no lone word at the end of a title."""
    lines = wrap(text, face, width)
    for narrower in range(width - 40, width // 2, -40):
        candidate = wrap(text, face, narrower)
        if len(candidate) > len(lines):
            break
        lines = candidate
    return lines


def fit(paragraphs: Iterable[str], weight: Weight, box: tuple[int, int], sizes: tuple[int, int], where: str) -> Block:
    """The largest setting, from sizes[0] down to sizes[1] pixels, that fits the box (width and height in pixels).

    Raises CourseError when even the smallest size, the last one readable at 720 lines, does not fit.
    """
    texts = [text for paragraph in paragraphs if (text := drawable(paragraph, where))]
    if not texts:
        raise CourseError.of("nothing_to_show", where)
    width, height = box
    for size in range(sizes[0], sizes[1] - 1, -2):
        face = font(weight, size)
        block = Block(tuple(wrap(text, face, width) for text in texts), size, round(size * 1.3), round(size * 0.4))
        if block.height <= height:
            return replace(block, paragraphs=(_balanced(texts[0], face, width),)) if len(texts) == 1 else block
    raise CourseError.of("too_much_text", where)
