"""What the tests of the renderer share: small courses, a voice whose times are known, and looks into finished files."""

import array
import io
import math
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from PIL import Image

from service.render.course import Course, Language, Scene
from service.render.ffmpeg import program
from service.render.narration import Mark, Narration

RATE = 16_000


@dataclass
class Beeps:
    """A voice that says a beep of half a second for every text, and remembers what it was asked."""

    identity: str = "test/beeps"
    asked: list[str] = field(default_factory=list)

    def read(self, text: str, language: Language) -> Narration:
        self.asked.append(text)
        wave = (round(20_000 * math.sin(2 * math.pi * 440 * n / RATE)) for n in range(RATE // 2))
        return Narration(array.array("h", wave).tobytes(), RATE, (Mark(0.0, 0.5, text),))


@pytest.fixture
def beeps() -> Beeps:
    return Beeps()


@pytest.fixture
def course() -> Course:
    return Course(title="Curso", scenes=(Scene(title="Curso"), Scene(title="Ação", bullets=("um", "dois"))))


def png(size: tuple[int, int], colour: str = "red") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "PNG")
    return file.getvalue()


def decode_audio(video: Path, rate: int = 8_000) -> "array.array[int]":
    command = [
        program(),
        "-v",
        "error",
        "-i",
        str(video),
        "-map",
        "0:a",
        "-f",
        "s16le",
        "-ac",
        "1",
        "-ar",
        str(rate),
        "-",
    ]
    return array.array("h", subprocess.run(command, capture_output=True, check=True).stdout)


def decode_frame(video: Path, seconds: float) -> Image.Image:
    command = [program(), "-v", "error", "-ss", str(seconds), "-i", str(video)]
    command += ["-frames:v", "1", "-f", "image2pipe", "-c:v", "png", "-"]
    return Image.open(io.BytesIO(subprocess.run(command, capture_output=True, check=True).stdout)).convert("RGB")
