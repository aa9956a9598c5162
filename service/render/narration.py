"""Who reads the text, and what does a reading consist of?"""

import io
import re
import unicodedata
import wave
from dataclasses import dataclass
from typing import Protocol

from service.render.course import Language

_FIRST_SYMBOL = 0x2190  # arrows, dingbats and emoji lie above; signs such as the degree below are spoken
_LONGEST_SENTENCE = 300


@dataclass(frozen=True)
class Mark:
    """A piece of text and when it is said, in seconds from the start of the reading."""

    start: float
    end: float
    text: str


@dataclass(frozen=True)
class Narration:
    """A reading: samples (signed 16-bit little-endian, one channel), samples per second, what is said when."""

    samples: bytes
    rate: int
    marks: tuple[Mark, ...]

    @property
    def seconds(self) -> float:
        """Length of the reading."""
        return len(self.samples) / 2 / self.rate

    @property
    def wav(self) -> bytes:
        """The same as a file."""
        file = io.BytesIO()
        with wave.open(file, "wb") as writer:
            writer.setparams((1, 2, self.rate, 0, "NONE", ""))
            writer.writeframes(self.samples)
        return file.getvalue()


class Narrator(Protocol):
    """A voice. `identity` names all that changes the sound (provider, voice, speed): segments are cached by it."""

    @property
    def identity(self) -> str:
        """Provider, voice and speed, in one stable string."""

    def read(self, text: str, language: Language) -> Narration:
        """Read the text; raises ProviderError when the voice fails, CourseError when there is nothing to say."""


class Presenter(Protocol):
    """Makes a face speak. `identity` is part of the names of cached segments, as a narrator's."""

    @property
    def identity(self) -> str:
        """Provider and model, in one stable string."""

    def present(self, sound: bytes, portrait: bytes) -> bytes:
        """An MP4 of the portrait (JPEG) saying the sound (WAV); raises ProviderError."""


def speakable(text: str) -> str:
    """The text without emoji and other pictures."""
    kept = "".join(c for c in text if ord(c) < _FIRST_SYMBOL or unicodedata.category(c) not in ("So", "Sk", "Mn"))
    return " ".join(kept.split())


def sentences(text: str) -> list[str]:
    """The text cut after full stops, question and exclamation marks; longer stretches after a comma or a space."""
    found: list[str] = []
    for sentence in re.split(r"(?<=[.!?…])\s+", text):
        rest = sentence
        while len(rest) > _LONGEST_SENTENCE:
            cut = max(rest.rfind(mark, 0, _LONGEST_SENTENCE) for mark in (", ", "; ", ": "))
            cut = cut + 1 if cut > 0 else rest.rfind(" ", 0, _LONGEST_SENTENCE)
            cut = cut if cut > 0 else _LONGEST_SENTENCE
            found.append(rest[:cut])
            rest = rest[cut:].lstrip()
        found.append(rest)
    return [sentence for sentence in found if sentence]


def spread(text: str, seconds: float) -> tuple[Mark, ...]:
    """Marks for a reading whose voice tells no times: each sentence gets time by its number of characters."""
    parts = sentences(text)
    total = sum(map(len, parts)) or 1
    marks, start = [], 0.0
    for part in parts:
        end = start + seconds * len(part) / total
        marks.append(Mark(start, end, part))
        start = end
    return tuple(marks)
