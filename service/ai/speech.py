"""How is a long text read by a provider that takes short ones?"""

from collections.abc import Callable, Iterator

from service.render.errors import CourseError
from service.render.narration import Mark, Narration, sentences, speakable, spread

_PAUSE = 0.25  # seconds between parts


def pcm(body: bytes) -> bytes:
    """Signed 16-bit samples, as they came; ValueError for what is none."""
    if not body or len(body) % 2 or body.startswith((b"RIFF", b"{", b"<")):
        raise ValueError("not raw 16-bit samples")
    return body


def read_in_parts(text: str, longest: int, rate: int, speak: Callable[[str], bytes]) -> Narration:
    """Read whole sentences in parts of at most `longest` characters; `speak` gives a part's samples."""
    samples = bytearray()
    marks: list[Mark] = []
    for part in _parts(sentences(speakable(text)), longest):
        start = len(samples) / 2 / rate
        said = speak(part)
        samples += said
        samples += bytes(2 * round(_PAUSE * rate))
        times = spread(part, len(said) / 2 / rate)
        marks += [Mark(start + mark.start, start + mark.end, mark.text) for mark in times]
    if not marks:
        raise CourseError.of("nothing_to_say")
    return Narration(bytes(samples), rate, tuple(marks))


def _parts(texts: list[str], longest: int) -> Iterator[str]:
    part = ""
    for text in texts:
        if part and len(part) + 1 + len(text) > longest:
            yield part
            part = ""
        part = f"{part} {text}" if part else text
    if part:
        yield part
