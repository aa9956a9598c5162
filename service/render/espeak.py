"""How is a text read without any network? By eSpeak NG, from its package, in a process of its own."""

import json
import subprocess
import sys
from dataclasses import dataclass
from importlib.resources import files
from itertools import accumulate
from pathlib import Path

import espeakng_loader

from service.render.course import Language
from service.render.errors import CourseError, ProviderError
from service.render.narration import Mark, Narration, sentences, speakable

_TIMEOUT = 60.0  # seconds; five thousand characters take about one
_PAUSE = 0.25  # seconds between sentences


@dataclass(frozen=True)
class Espeak:
    """The embedded narrator. `speed` is in words per minute, from 80 to 450."""

    speed: int = 155

    @property
    def identity(self) -> str:
        """As Narrator asks."""
        return f"embedded/espeak-ng/{self.speed}"

    def read(self, text: str, language: Language) -> Narration:
        """As Narrator asks; sentence times are exact."""
        parts = sentences(speakable(text))
        if not parts:
            raise CourseError.of("nothing_to_say")
        library = Path(espeakng_loader.get_library_path())
        request = {"library": str(library), "voice": language, "speed": self.speed, "sentences": parts}
        child = str(files("service.render") / "espeak_child.py")
        try:
            done = subprocess.run(
                [sys.executable, "-I", "-S", child],
                input=json.dumps(request).encode(),
                cwd=library.parent,
                capture_output=True,
                timeout=_TIMEOUT,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise ProviderError(f"the embedded voice took more than {_TIMEOUT:.0f} seconds") from None
        if done.returncode:
            last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
            raise ProviderError(f"the embedded voice failed: {''.join(last) or f'exit code {done.returncode}'}")
        head, _, sound = done.stdout.partition(b"\n")
        answer = json.loads(head)
        return _assemble(parts, sound, answer["lengths"], answer["rate"])


def _assemble(parts: list[str], sound: bytes, lengths: list[int], rate: int) -> Narration:
    pause = bytes(2 * round(_PAUSE * rate))
    samples = bytearray()
    marks = []
    for part, end, length in zip(parts, accumulate(lengths), lengths, strict=True):
        start = len(samples)
        samples += sound[end - length : end]
        marks.append(Mark(start / 2 / rate, len(samples) / 2 / rate, part))
        samples += pause
    if not any(lengths):
        raise CourseError.of("nothing_to_say")
    return Narration(bytes(samples), rate, tuple(marks))
