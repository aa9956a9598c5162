"""How do the spoken words become WebVTT captions?"""

from collections.abc import Iterable, Iterator
from textwrap import wrap

from service.render.narration import Mark

_LINE = 42  # characters, two lines per cue: the usual limits of subtitling guides


def webvtt(marks: Iterable[Mark]) -> str:
    """A WebVTT file; a long sentence becomes several cues that share its time by their length."""
    cues = [
        f"{_clock(cue.start)} --> {_clock(cue.end)}\n{_escape(cue.text)}\n" for mark in marks for cue in _cues(mark)
    ]
    return "\n".join(["WEBVTT\n", *cues])


def _cues(mark: Mark) -> Iterator[Mark]:
    lines = wrap(mark.text, _LINE, break_on_hyphens=False)
    texts = ["\n".join(lines[at : at + 2]) for at in range(0, len(lines), 2)]
    total = sum(map(len, texts))
    start = mark.start
    for text in texts:
        end = start + (mark.end - mark.start) * len(text) / total
        yield Mark(start, end, text)
        start = end


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _clock(seconds: float) -> str:
    milliseconds = round(seconds * 1000)
    minutes, milliseconds = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{milliseconds // 1000:02}.{milliseconds % 1000:03}"
