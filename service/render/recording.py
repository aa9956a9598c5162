"""How does a recording from outside become the narration of a scene?"""

from service.limits import LIMITS
from service.render import ffmpeg
from service.render.errors import CourseError, RenderError
from service.render.narration import Narration, spread

_RATE = 24_000  # samples per second, as the providers' voices have


def load(data: bytes, name: str, text: str = "") -> Narration:
    """The recording, with the text spread over it as captions. Raises CourseError unless it is MP3 or WAV."""
    kind = "wav" if data[:4] == b"RIFF" else "mp3"
    most = ("-t", str(LIMITS.recording + 1))
    # Some recorders leave a WAV's length open: its end is then none to stop at. Damage is complained of all the same.
    read = ("-noxerror", "-f", kind, "-protocol_whitelist", "pipe", "-i", "pipe:0", "-map", "0:a:0", *most)
    try:
        samples = ffmpeg.run([*read, "-f", "s16le", "-ac", "1", "-ar", str(_RATE), "pipe:1"], "reading a sound", data)
    except RenderError:
        samples = b""
    seconds = len(samples) / 2 / _RATE
    if not samples:
        raise CourseError.of("sound_damaged", sound=name)
    if seconds > LIMITS.recording:
        raise CourseError.of("sound_seconds", sound=name, most=LIMITS.recording)
    return Narration(samples, _RATE, spread(text, seconds))
