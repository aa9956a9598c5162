"""How is the encoder asked for a picture, a sound and a joined file?

Pictures and sounds come in as raw samples from this process and files are named by it: the encoder never sees a name,
an address or a file from outside, except a presenter's film, which leads to no other.
"""

import math
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import imageio_ffmpeg
from PIL import Image

from service.render.errors import RenderError
from service.render.theme import Canvas

GOP_SECONDS = 2  # a key frame every two seconds: quick seeking, little data
AUDIO_RATE = 48_000  # samples per second
AAC_FRAME = 1024  # samples
# At 48 kHz and 25 frames per second, 0.32 s hold 8 whole video frames and 15 whole AAC frames.
BLOCK_SECONDS = 0.32

SPEECH_STARTS = 0.3  # seconds of silence before the speech
_SPEECH_ENDS = 0.5  # seconds of silence after it, at least
_TIMEOUT = 120.0  # seconds for any one step
_GROUP = GOP_SECONDS * Canvas.rate  # pictures
_STILL = f"loop=loop=-1:size=1:start=0,setpts=N/{Canvas.rate}/TB"
_COLOUR = (
    "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p,"
    "setparams=color_primaries=bt709:color_trc=bt709:colorspace=bt709"
)


@cache
def program() -> str:
    """Path of the encoder that the imageio-ffmpeg package brings."""
    return str(imageio_ffmpeg.get_ffmpeg_exe())


def run(arguments: Sequence[str], step: str, data: bytes = b"") -> bytes:
    """What the encoder wrote to its standard output; RenderError, naming the step, when it complained in any way."""
    command = [program(), "-hide_banner", "-nostats", "-v", "error", "-xerror", "-y", *arguments]
    try:
        done = subprocess.run(command, input=data, capture_output=True, timeout=_TIMEOUT, check=False)
    except subprocess.TimeoutExpired:
        raise RenderError(f"{step} took more than {_TIMEOUT:.0f} seconds") from None
    complaints = done.stderr.decode(errors="replace").strip()
    if done.returncode or complaints:
        raise RenderError(f"{step} failed: {complaints.splitlines()[-1] if complaints else done.returncode}")
    return done.stdout


def source(path: Path) -> tuple[str, ...]:
    """A file as input, which cannot lead to any other."""
    return "-protocol_whitelist", "file", "-i", str(path)


def picture(slide: Image.Image, target: Path) -> None:
    """Encode one group of pictures that shows the slide, to be copied for as long as the scene lasts."""
    _encode(slide, (), f"[0:v]{_COLOUR},{_STILL}", _GROUP, target)


def film(slide: Image.Image, film: Path, box: tuple[int, int, int, int], frames: int, target: Path) -> None:
    """Encode so many frames of the slide with a film in a box (pixels) of it; its last picture stays to the end."""
    left, top, right, bottom = box
    size = f"{right - left}:{bottom - top}"
    shown = (
        f"[1:v]fps={Canvas.rate},scale={size}:force_original_aspect_ratio=increase,crop={size},setsar=1,"
        f"tpad=start_duration={SPEECH_STARTS}:start_mode=clone:stop=-1:stop_mode=clone[film];"
        f"[0:v]{_STILL}[slide];[slide][film]overlay={left}:{top}:format=rgb,{_COLOUR}"
    )
    _encode(slide, ("-f", "mov", *source(film)), shown, frames, target)


def _encode(slide: Image.Image, more: Sequence[str], shown: str, frames: int, target: Path) -> None:
    group = str(_GROUP)
    run(
        [
            *("-f", "rawvideo", "-pixel_format", "rgb24", "-video_size", f"{slide.width}x{slide.height}"),
            *("-framerate", str(Canvas.rate), "-i", "pipe:0", *more),
            *("-filter_complex", shown, "-frames:v", str(frames), "-an"),
            *("-c:v", "libx264", "-preset", "veryfast", "-tune", "stillimage", "-crf", "20", "-threads", "1"),
            # A still needs no search for motion and no look ahead: a quarter less time for a seventh more data.
            *("-x264-params", "ref=1:me=dia:subme=1:trellis=0:rc-lookahead=0:mbtree=0:weightp=0"),
            *("-g", group, "-keyint_min", group, "-sc_threshold", "0", "-bf", "0", "-fflags", "+bitexact"),
            *("-f", "mp4", str(target)),
        ],
        "encoding a slide",
        slide.tobytes(),
    )


def sound(samples: bytes, rate: int, blocks: int, target: Path) -> None:
    """Encode samples (signed 16-bit, one channel) as exactly `blocks` x 15 AAC frames: silence before and after.

    The encoder's priming frame is dropped; what it would overlap is the silence at the start. So sounds can be
    joined byte by byte and stay in step with the pictures.
    """
    length = round(blocks * BLOCK_SECONDS * AUDIO_RATE)
    silence = f"adelay={SPEECH_STARTS * 1000:.0f},aresample={AUDIO_RATE},apad=whole_len={length}"
    run(
        [
            *("-f", "s16le", "-ar", str(rate), "-ac", "1", "-i", "pipe:0"),
            *(
                "-af",
                f"{silence},atrim=end_sample={length}",
                "-c:a",
                "aac",
                "-aac_coder",
                "fast",
                "-b:a",
                "96k",
                "-threads",
                "1",
                "-bsf:a",
                "noise=drop='eq(n,0)'",
            ),
            *("-fflags", "+bitexact", "-f", "adts", str(target)),
        ],
        "encoding the speech",
        samples,
    )


def blocks_for(seconds: float) -> int:
    """How many blocks of 0.32 s a scene lasts whose speech takes so many seconds, with its silences."""
    return math.ceil((SPEECH_STARTS + seconds + _SPEECH_ENDS) / BLOCK_SECONDS)


def join(pictures: Sequence[tuple[Path, int, int]], audio: Path, title: str, folder: Path, target: Path) -> None:
    """Copy each group of pictures for its number of frames, the audio beside them, into one MP4 that starts at once.

    A picture is its path, its frames in the video, and those of its group. Nothing is encoded. `folder` takes the list
    of pieces.
    """
    lines = ["ffconcat version 1.0"]
    for path, frames, group in pictures:
        whole, rest = divmod(frames, group)
        lines += [f"file '{path.absolute()}'"] * whole
        if rest:
            lines += [f"file '{path.absolute()}'", f"outpoint {rest / Canvas.rate:.6f}"]
    pieces = folder / "pieces.ffconcat"
    pieces.write_text("\n".join(lines) + "\n")
    run(
        [
            *("-f", "concat", "-safe", "0", "-auto_convert", "0", *source(pieces)),
            *("-f", "aac", *source(audio)),
            *("-map", "0:v:0", "-map", "1:a:0", "-c", "copy", "-map_metadata", "-1", "-metadata", f"title={title}"),
            *("-movflags", "+faststart", "-fflags", "+bitexact", "-f", "mp4", str(target)),
        ],
        "joining the scenes",
    )
