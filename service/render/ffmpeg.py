"""How is the encoder asked for a picture, a sound, a joined file and a proof that it plays?

Pictures and sounds come in as raw samples from this process and files are named by it: the encoder never sees a name,
an address or a file from outside.
"""

import re
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

_LEAD = 300  # milliseconds of silence before the speech
_TIMEOUT = 120.0  # seconds for any one step
_COLOUR = (
    "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p,"
    "setparams=color_primaries=bt709:color_trc=bt709:colorspace=bt709"
)


@cache
def program() -> str:
    """Path of the encoder that the imageio-ffmpeg package brings."""
    return str(imageio_ffmpeg.get_ffmpeg_exe())


def _run(arguments: Sequence[str], step: str, data: bytes = b"") -> str:
    command = [program(), "-hide_banner", "-nostats", "-v", "error", "-xerror", "-y", *arguments]
    try:
        done = subprocess.run(command, input=data, capture_output=True, timeout=_TIMEOUT, check=False)
    except subprocess.TimeoutExpired:
        raise RenderError(f"{step} took more than {_TIMEOUT:.0f} seconds") from None
    complaints = done.stderr.decode(errors="replace").strip()
    if done.returncode or complaints:
        raise RenderError(f"{step} failed: {complaints.splitlines()[-1] if complaints else done.returncode}")
    return done.stdout.decode()


def picture(slide: Image.Image, canvas: Canvas, target: Path) -> None:
    """Encode one group of pictures that shows the slide, to be copied for as long as the scene lasts."""
    group = str(GOP_SECONDS * canvas.rate)
    _run(
        [
            *("-f", "rawvideo", "-pixel_format", "rgb24", "-video_size", f"{slide.width}x{slide.height}"),
            *("-framerate", str(canvas.rate), "-i", "pipe:0"),
            *("-vf", f"{_COLOUR},loop=loop=-1:size=1:start=0,setpts=N/{canvas.rate}/TB", "-frames:v", group),
            *("-c:v", "libx264", "-preset", "veryfast", "-tune", "stillimage", "-crf", "20", "-threads", "1"),
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
    _run(
        [
            *("-f", "s16le", "-ar", str(rate), "-ac", "1", "-i", "pipe:0"),
            *("-af", f"adelay={_LEAD},aresample={AUDIO_RATE},apad=whole_len={length},atrim=end_sample={length}"),
            *("-c:a", "aac", "-b:a", "80k", "-threads", "1", "-bsf:a", "noise=drop='eq(n,0)'"),
            *("-fflags", "+bitexact", "-f", "adts", str(target)),
        ],
        "encoding the speech",
        samples,
    )


def blocks_for(seconds: float) -> int:
    """How many blocks of 0.32 s a scene lasts whose speech takes so many seconds, with its silences."""
    return -(-round((_LEAD / 1000 + seconds + 0.5) * 1000) // round(BLOCK_SECONDS * 1000))


def speech_starts() -> float:
    """Seconds from the start of a scene to the start of its speech."""
    return _LEAD / 1000


def join(pictures: Sequence[tuple[Path, int]], audio: Path, title: str, folder: Path, target: Path) -> None:
    """Copy each group of pictures for its number of frames, the audio beside them, into one MP4 that starts at once.

    Nothing is encoded. `folder` takes the list of pieces.
    """
    lines = ["ffconcat version 1.0"]
    for path, frames in pictures:
        whole, rest = divmod(frames, GOP_SECONDS * Canvas.rate)
        lines += [f"file '{path.absolute()}'"] * whole
        if rest:
            lines += [f"file '{path.absolute()}'", f"outpoint {rest / Canvas.rate:.6f}"]
    pieces = folder / "pieces.ffconcat"
    pieces.write_text("\n".join(lines) + "\n")
    _run(
        [
            *("-f", "concat", "-safe", "0", "-protocol_whitelist", "file", "-i", str(pieces)),
            *("-protocol_whitelist", "file", "-f", "aac", "-i", str(audio)),
            *("-map", "0:v:0", "-map", "1:a:0", "-c", "copy", "-map_metadata", "-1", "-metadata", f"title={title}"),
            *("-movflags", "+faststart", "-fflags", "+bitexact", "-f", "mp4", str(target)),
        ],
        "joining the scenes",
    )


def verify(video: Path, frames: int) -> None:
    """Decode the whole file; RenderError unless it has one picture and one sound of the length that was asked for,
    every frame decodes without complaint, and the index stands before the data."""
    seconds = frames / Canvas.rate
    with video.open("rb") as file:
        head = file.read(4096)
    if b"moov" not in head:
        raise RenderError("the video has its index at the end")
    source = ("-protocol_whitelist", "file", "-i", str(video))
    sink = ("-f", "null", "-progress", "pipe:1", "-")
    told = _run([*source, "-map", "0:v:0", "-map", "0:a:0", *sink], "checking the video")
    if (found := _last(told, "frame")) != frames:
        raise RenderError(f"the video has {found} frames instead of {frames}")
    told = _run(
        [*source, "-map", "0:a:0", "-c", "copy", "-f", "null", "-progress", "pipe:1", "-"], "checking the sound"
    )
    if abs((heard := _last(told, "out_time_us") / 1e6) - seconds) > 2 * AAC_FRAME / AUDIO_RATE:
        raise RenderError(f"the video's sound lasts {heard:.2f} s instead of {seconds:.2f} s")


def _last(progress: str, name: str) -> int:
    return int(re.findall(rf"^{name}=\s*(\d+)$", progress, re.MULTILINE)[-1])
