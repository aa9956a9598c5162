"""Is a scene said by the recording and the presenter that it asks for, and as before when they cannot be had?"""

import io
import subprocess
import wave
from dataclasses import dataclass, field

import pytest
from PIL import Image

from service.limits import LIMITS
from service.render import ffmpeg, recording
from service.render.cache import SegmentCache
from service.render.check import check
from service.render.course import Course, Scene
from service.render.errors import CourseError, ProviderError
from service.render.frame import beside, draw
from service.render.pipeline import render
from service.render.theme import Canvas, Theme
from tests.render.conftest import decode_audio, decode_frame, png

FACE = png((300, 400), "blue")
BOX = beside(Canvas())


def encoded(*arguments: str) -> bytes:
    command = [ffmpeg.program(), "-v", "error", *arguments, "pipe:1"]
    return subprocess.run(command, capture_output=True, check=True).stdout


def tone(kind: str, seconds: float, frequency: int = 330) -> bytes:
    return encoded("-f", "lavfi", "-i", f"sine=frequency={frequency}:duration={seconds}", "-f", kind)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Half a second of lime in another size, rate and shape than the slide's, with a sound that is not used."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    sources = (
        "-f",
        "lavfi",
        "-i",
        "color=lime:size=256x320:rate=30:duration=0.5",
        *("-f", "lavfi", "-i", "sine=duration=0.5"),
    )
    subprocess.run([ffmpeg.program(), "-v", "error", *sources, "-pix_fmt", "yuv420p", str(path)], check=True)
    return path.read_bytes()


@dataclass
class Face:
    """A presenter that shows a film, or fails."""

    film: bytes = b""
    identity: str = "test/face"
    asked: list[tuple[bytes, bytes]] = field(default_factory=list)

    def present(self, sound: bytes, portrait: bytes) -> bytes:
        self.asked.append((sound, portrait))
        if not self.film:
            raise ProviderError("no film")
        return self.film


def course(*scenes: Scene) -> Course:
    return Course(title="Curso", scenes=(Scene(title="Curso"), *scenes))


PRESENTED = Scene(title="Rosto", bullets=("um",), image="face.png", presenter=True)


def test_a_presenter_speaks_beside_the_slide_for_as_long_as_the_scene_lasts(tmp_path, beeps, film):
    face = Face(film)
    done = render(
        course(PRESENTED, Scene(title="Fim")), tmp_path, narrators=[beeps], images=lambda _: FACE, presenter=face
    )
    ((sound, portrait),) = face.asked
    with wave.open(io.BytesIO(sound)) as said, Image.open(io.BytesIO(portrait)) as picture:
        assert said.getnframes() / said.getframerate() == pytest.approx(0.5)
        assert (picture.format, picture.size) == ("JPEG", (768, 1024))
    middle = ((BOX.left + BOX.right) // 2, (BOX.top + BOX.bottom) // 2)
    for seconds, shown in ((1.0, False), (1.62, True), (2.4, True), (3.1, True), (3.3, False)):
        colour = decode_frame(done.video, seconds).getpixel(middle)
        assert (colour[1] > 200 and colour[0] < 60) is shown, (seconds, colour)
    drawn = draw(course(PRESENTED), 1, Canvas(), Theme(), lambda _: FACE)  # the rest is the slide, in its own colours
    frame = decode_frame(done.video, 2.4)
    for place in ((10, 10), (BOX.left - 200, 400), (100, 140)):
        assert all(abs(a - b) < 8 for a, b in zip(frame.getpixel(place), drawn.getpixel(place), strict=True))
    loud = [n for n, sample in enumerate(decode_audio(done.video)) if abs(sample) > 2_000]
    assert 1.85 < min(n for n in loud if n > 8_000 * 1.6) / 8_000 < 1.95


@pytest.mark.parametrize("film", [b"", b"\0\0\0\x18ftypmp42no film at all"])
def test_a_presenter_that_fails_is_left_out_and_not_asked_again(tmp_path, beeps, film):
    two, face = course(PRESENTED, PRESENTED.model_copy(update={"title": "Outro"})), Face(film)
    plain = course(*(scene.model_copy(update={"presenter": False}) for scene in two.scenes[1:]))
    cache = SegmentCache(tmp_path / "cache")
    given = {"narrators": [beeps], "images": lambda _: FACE}
    done = render(two, tmp_path / "v", presenter=face, cache=cache, settings=None, **given)
    assert 1 <= len(face.asked) <= 2  # two scenes are made at a time
    assert done.video.read_bytes() == render(plain, tmp_path / "w", **given).video.read_bytes()
    render(two, tmp_path / "v", presenter=face, cache=cache, **given)
    assert len(face.asked) >= 2  # another rendering tries again


def test_a_film_is_bought_once_and_nobody_to_present_is_no_failure(tmp_path, beeps, film):
    face, cache = Face(film), SegmentCache(tmp_path / "cache")
    given = {"narrators": [beeps], "images": lambda _: FACE, "cache": cache}
    one = render(course(PRESENTED), tmp_path / "v", presenter=face, **given).video.read_bytes()
    again = render(course(PRESENTED), tmp_path / "v", presenter=face, **given)
    assert (len(face.asked), again.scenes_cached, again.video.read_bytes()) == (1, 2, one)
    still = render(course(PRESENTED), tmp_path / "v", **given)
    assert still.video.read_bytes() != one
    faceless = render(course(PRESENTED.model_copy(update={"image": None})), tmp_path / "v", presenter=face, **given)
    assert len(face.asked) == 1 and faceless.seconds == still.seconds


def test_text_beside_a_presenter_has_less_room():
    wide = {"title": "Título", "bullets": ["palavra " * 8] * 4, "image": "face.png"}
    check(wide)
    with pytest.raises(CourseError, match="bullets: too much text"):
        check(wide | {"presenter": True})


@pytest.mark.parametrize("kind", ["mp3", "wav"])
def test_a_recording_is_the_scene_s_sound_and_length_and_its_narration_the_captions(tmp_path, beeps, kind):
    heard = tone(kind, 2.0)
    scene = Scene(title="Gravada", narration="Primeira frase. Segunda frase.", audio="voz")
    done = render(course(scene), tmp_path, narrators=[beeps], images={"voz": heard}.__getitem__)
    assert beeps.asked == ["Curso."]
    assert done.seconds == pytest.approx(1.6 + 2.88)  # 0.3 + 2 + 0.5 s, in whole blocks of 0.32 s
    captions = done.captions.read_text()
    assert "00:00:01.900 -->" in captions and "Primeira frase." in captions and "Segunda frase." in captions
    loud = [n / 8_000 for n, sample in enumerate(decode_audio(done.video)) if abs(sample) > 1_000 and n > 8_000 * 1.7]
    assert min(loud) == pytest.approx(1.9, abs=0.06) and max(loud) == pytest.approx(3.9, abs=0.08)


def test_a_recording_without_narration_has_no_captions_and_nobody_writes_any(tmp_path, beeps):
    scene = Scene(title="Gravada", audio="voz")
    assert not scene.unwritten
    done = render(course(scene), tmp_path, narrators=[beeps], images=lambda _: tone("wav", 0.5))
    assert "Gravada" not in done.captions.read_text()


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "is no MP3 or WAV"),
        (b"no sound" * 100, "is no MP3 or WAV"),
        (b"RIFF" + bytes(60), "is no MP3 or WAV"),
        (b"#EXTM3U\nhttp://169.254.169.254/x.mp3\n", "is no MP3 or WAV"),
        (png((10, 10)), "is no MP3 or WAV"),
    ],
)
def test_what_is_no_recording_is_told(data: bytes, told: str) -> None:
    with pytest.raises(CourseError, match=f"sound 'voz.mp3' {told}"):
        recording.load(data, "voz.mp3")


def test_a_recording_has_a_longest_time(monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    monkeypatch.setattr(recording, "LIMITS", replace(LIMITS, recording=1))
    assert recording.load(tone("wav", 0.9), "x").seconds == pytest.approx(0.9, abs=0.01)
    with pytest.raises(CourseError, match="sound 'x' lasts more than 1 seconds"):
        recording.load(tone("mp3", 1.6), "x")
