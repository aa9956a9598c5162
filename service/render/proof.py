"""Is the finished video right? Its packets are compared, one by one, with those of pieces that decoded cleanly.

Decoding the whole video would tell less (a frame that decodes may be the wrong one) and cost four times as much.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from service.render import ffmpeg
from service.render.errors import RenderError
from service.render.theme import Canvas


@dataclass(frozen=True)
class Packets:
    """The digests of a file's packets in order, and of what a decoder must know beforehand."""

    setup: str
    video: tuple[str, ...]
    audio: tuple[str, ...]


@dataclass(frozen=True)
class _Stream:
    digests: tuple[str, ...]
    even: bool  # every packet follows the one before without gap or overlap
    seconds: Fraction


def prove_pieces(picture: Path, sound: Path) -> Packets:
    """Decode a scene's picture and sound; RenderError when the decoder complains."""
    inputs = [*ffmpeg.source(picture), *ffmpeg.source(sound), "-map", "0:v:0", "-map", "1:a:0"]
    listing = ffmpeg.run([*inputs, "-f", "null", "-", *inputs[-4:], *_LIST], "decoding a scene").decode()
    return Packets(_setup(listing), _stream(listing, 0).digests, _stream(listing, 1).digests)


def prove(video: Path, scenes: Sequence[tuple[Packets, int]]) -> None:
    """RenderError unless the video is exactly these scenes, each with its number of frames, and can start at once."""
    with video.open("rb") as file:
        head = file.read(4096)
    if b"moov" not in head:
        raise RenderError("the video has its index at the end")
    listing = ffmpeg.run(
        [*ffmpeg.source(video), "-map", "0:v:0", "-map", "0:a:0", *_LIST], "reading the video"
    ).decode()
    pictures, sounds = _stream(listing, 0), _stream(listing, 1)
    if {packets.setup for packets, _ in scenes} != {_setup(listing)}:
        raise RenderError("the scenes were encoded in different ways")
    frames = [packets.video[n % len(packets.video)] for packets, count in scenes for n in range(count)]
    if list(pictures.digests) != frames:
        raise RenderError(f"the video's {len(pictures.digests)} frames are not the {len(frames)} of its scenes")
    if list(sounds.digests) != [digest for packets, _ in scenes for digest in packets.audio]:
        raise RenderError("the video's sound is not that of its scenes")
    if not (pictures.even and sounds.even and pictures.seconds == sounds.seconds == Fraction(len(frames), Canvas.rate)):
        raise RenderError(
            f"the video's pictures last {float(pictures.seconds):.3f} s and its sound {float(sounds.seconds):.3f} s "
            f"instead of {len(frames) / Canvas.rate:.3f} s"
        )


_LIST = ("-c", "copy", "-bsf:a", "aac_adtstoasc", "-f", "framemd5", "pipe:1")


def _setup(listing: str) -> str:
    found = re.search(r"^#extradata 0,.*\s(\w+)$", listing, re.MULTILINE)
    return found[1] if found else ""


def _stream(listing: str, number: int) -> _Stream:
    base = re.search(rf"^#tb {number}: (\d+/\d+)$", listing, re.MULTILINE)
    # stream, decoding time, presentation time, duration, size, digest
    rows = re.findall(rf"^{number}, +(-?\d+), +(-?\d+), +(\d+), +(\d+), (\w+)", listing, re.MULTILINE)
    if not base or not rows:
        raise RenderError("the video lacks its pictures or its sound")
    clock, even = 0, True
    for decoded, shown, lasts, _, _ in rows:
        even &= int(decoded) == int(shown) == clock
        clock += int(lasts)
    return _Stream(tuple(digest for *_, digest in rows), even, clock * Fraction(base[1]))
