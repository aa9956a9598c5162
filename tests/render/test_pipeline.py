"""Does a course come out whole, in step, once per change, and without leavings?"""

import os
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageStat

from service.render import ffmpeg
from service.render.cache import SegmentCache, digest
from service.render.course import Course, Language, Scene
from service.render.errors import CourseError, ProviderError, RenderError
from service.render.frame import draw
from service.render.images import no_images
from service.render.narration import Narration
from service.render.pipeline import Settings, render
from service.render.proof import prove
from service.render.segment import Look, Maker
from service.render.theme import Canvas, Theme
from tests.render.conftest import Beeps, decode_audio, decode_frame, png


def scenes(count: int, changed: str = "") -> Course:
    made = [Scene(title="Curso"), *(Scene(title=f"Cena {n}", bullets=("um",)) for n in range(1, count))]
    if changed:
        made[count // 2] = Scene(title=changed, bullets=("um",))
    return Course(title="Curso", scenes=tuple(made))


def test_three_files_come_out_and_nothing_else(tmp_path, course, beeps):
    done = render(course, tmp_path, narrators=[beeps])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["captions.vtt", "thumbnail.jpg", "video.mp4"]
    assert done.seconds == pytest.approx(2 * 1.6)  # 0.3 + 0.5 + 0.5 s, in whole blocks of 0.32 s
    with Image.open(done.thumbnail) as thumbnail:
        assert thumbnail.size == (640, 360)
    assert done.captions.read_text().startswith("WEBVTT\n\n00:00:00.300 --> 00:00:00.800\nCurso.\n")
    assert (done.scenes_rendered, done.scenes_cached, done.narrator) == (2, 0, "test/beeps")


def test_what_is_seen_is_what_was_drawn(tmp_path, course, beeps):
    done = render(course, tmp_path, narrators=[beeps])
    for number, seconds in ((0, 0.0), (0, 1.5), (1, 1.62), (1, 3.1)):
        drawn = draw(course, number, Canvas(), Theme(), no_images)
        difference = ImageChops.difference(drawn, decode_frame(done.video, seconds))
        assert max(ImageStat.Stat(difference).mean) < 2


def test_every_scene_s_speech_starts_on_time_to_the_end_of_a_long_course(tmp_path, beeps):
    """Joined sounds must not drift: every beep starts 0.3 s into its scene, to within 5 ms."""
    done = render(scenes(12), tmp_path, narrators=[beeps])
    rate = 8_000
    sound = decode_audio(done.video, rate)
    assert len(sound) / rate == pytest.approx(done.seconds, abs=0.025)
    loud = [n for n, sample in enumerate(sound) if abs(sample) > 2_000]
    starts = [n / rate for before, n in pairwise([-rate, *loud]) if n - before > 400]
    assert starts == pytest.approx([scene * 1.6 + 0.3 for scene in range(12)], abs=0.005)


def test_the_same_course_is_the_same_file(tmp_path, course, beeps):
    one = render(course, tmp_path / "a", narrators=[beeps]).video.read_bytes()
    other = render(course, tmp_path / "b", narrators=[beeps]).video.read_bytes()
    assert one == other


def test_one_changed_scene_of_twelve_is_rendered_alone(tmp_path, beeps):
    cache = SegmentCache(tmp_path / "cache")
    first = render(scenes(12), tmp_path / "v", narrators=[beeps], cache=cache)
    film = first.video.read_bytes()
    assert (first.scenes_rendered, first.scenes_cached) == (12, 0)
    beeps.asked.clear()
    second = render(scenes(12, "Outra"), tmp_path / "v", narrators=[beeps], cache=cache)
    assert (second.scenes_rendered, second.scenes_cached) == (1, 11)
    assert beeps.asked == ["Outra. um."]
    again = render(scenes(12), tmp_path / "v", narrators=[beeps], cache=cache)
    assert (again.scenes_rendered, again.scenes_cached) == (0, 12)
    assert again.video.read_bytes() == film


@pytest.mark.parametrize("change", ["voice", "language", "theme", "image", "title"])
def test_whatever_changes_the_outcome_makes_another_segment(tmp_path, change):
    cache = SegmentCache(tmp_path / "cache")
    scene = Scene(title="a", image="g.png")

    def run(**changed: object) -> int:
        title, language, voice = changed.get("title", "a"), changed.get("language", "pt-br"), changed.get("voice", "v")
        course = Course.model_validate({"title": title, "language": language, "scenes": [scene]})
        image = png((10, 10), str(changed.get("image", "red")))
        theme = Theme(accent=(255, 255, 0)) if "theme" in changed else Theme()
        settings = Settings(look=Look(theme=theme))
        voiced = Beeps(identity=str(voice))
        return render(
            course, tmp_path / "v", narrators=[voiced], images=lambda _: image, cache=cache, settings=settings
        ).scenes_rendered

    values = {"voice": "w", "language": "es", "theme": 1, "image": "blue", "title": "b"}
    assert run() == 1
    assert run() == 0
    assert run(**{change: values[change]}) == 1


def test_no_two_lists_of_parts_have_one_digest():
    assert digest("ab", "c") != digest("a", "bc")
    assert digest(["a"], "b") != digest(["a", "b"])
    assert digest(1) != digest("1")
    assert digest(b"a") != digest("a")


@dataclass
class Hoarse(Beeps):
    """A voice that fails at the second scene."""

    def read(self, text: str, language: Language) -> Narration:
        if text.startswith("Ação"):
            raise ProviderError("the good voice is hoarse")
        return super().read(text, language)


def test_one_voice_reads_the_whole_course_and_a_fallback_does_not_stick(tmp_path, course, beeps):
    cache, told = SegmentCache(tmp_path / "cache"), []
    voices = [Hoarse(identity="test/good"), beeps]
    done = render(course, tmp_path / "v", narrators=voices, cache=cache, progress=lambda *step: told.append(step))
    assert done.narrator == "test/beeps"
    assert sorted(beeps.asked) == ["Ação. um. dois.", "Curso."]
    assert any("the good voice is hoarse; the next voice begins anew" in words for _, words in told)
    assert [percent for percent, _ in told] == sorted(percent for percent, _ in told)
    well = render(course, tmp_path / "v", narrators=[Beeps(identity="test/good"), beeps], cache=cache)
    assert well.narrator == "test/good"


def test_progress_never_falls_and_ends_at_100(tmp_path, beeps):
    told: list[tuple[float, str]] = []
    render(scenes(4), tmp_path, narrators=[beeps], progress=lambda percent, words: told.append((percent, words)))
    percents = [percent for percent, _ in told]
    assert percents == sorted(percents)
    assert (percents[0], told[-1]) == (0, (100, "Done"))
    assert "Rendered 4 of 4 scenes" in [words for _, words in told]


class CancelledError(Exception):
    """What a caller raises to stop."""


@pytest.mark.parametrize("at", ["Rendered 1 of", "Joining", "Checking"])
def test_a_cancelled_rendering_leaves_nothing_and_keeps_the_last_video(tmp_path, course, beeps, at):
    before = render(course, tmp_path, narrators=[beeps]).video.read_bytes()

    def cancel(_percent: float, words: str) -> None:
        if words.startswith(at):
            raise CancelledError

    with pytest.raises(CancelledError):
        render(scenes(3), tmp_path, narrators=[beeps], progress=cancel)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["captions.vtt", "thumbnail.jpg", "video.mp4"]
    assert (tmp_path / "video.mp4").read_bytes() == before
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("scene")]


@dataclass
class Mute(Beeps):
    """A voice that says nothing it can."""

    error: Exception = field(default_factory=lambda: CourseError.of("nothing_to_say"))

    def read(self, text: str, language: Language) -> Narration:
        raise self.error


def test_errors_say_which_scene_and_leave_nothing(tmp_path, course):
    with pytest.raises(CourseError, match=r"(the cover|scene 1): nothing to say"):
        render(course, tmp_path, narrators=[Mute()])
    with pytest.raises(RenderError, match="voice down"):
        render(course, tmp_path, narrators=[Mute(error=RenderError("voice down")), Beeps()])
    with pytest.raises(ProviderError, match="second voice down"):
        voices = [Mute(error=ProviderError(f"{which} voice down")) for which in ("first", "second")]
        render(course, tmp_path, narrators=voices)
    assert list(tmp_path.iterdir()) == []


def test_a_tool_that_fails_is_told_and_nothing_is_published(tmp_path, course, beeps, monkeypatch):
    monkeypatch.setattr(ffmpeg, "program", lambda: "false")
    with pytest.raises(RenderError, match=r"encoding a slide failed: 1"):
        render(course, tmp_path, narrators=[beeps])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["picture.mp4", "sound.aac", "record.json"])
def test_a_damaged_segment_is_never_published_nor_used_again(tmp_path, course, beeps, name):
    cache = SegmentCache(tmp_path / "cache")
    good = render(course, tmp_path / "v", narrators=[beeps], cache=cache).video.read_bytes()
    (piece, _) = sorted(cache.root.glob(f"*/{name}"))
    data = bytearray(piece.read_bytes())
    data[len(data) * 2 // 3 :: 7] = bytes(len(data[len(data) * 2 // 3 :: 7]))
    piece.write_bytes(data)
    if name != "record.json":
        with pytest.raises(RenderError):
            render(course, tmp_path / "w", narrators=[beeps], cache=cache)
        assert list((tmp_path / "w").iterdir()) == []
    again = render(course, tmp_path / "w", narrators=[beeps], cache=cache)
    assert again.scenes_rendered >= 1
    assert again.video.read_bytes() == good


def remux(video: Path, *arguments: str) -> Path:
    other = video.with_name("other.mp4")
    command = [ffmpeg.program(), "-v", "error", "-y", "-i", str(video), *arguments, "-c", "copy"]
    subprocess.run([*command, "-movflags", "+faststart", str(other)], check=True)
    return other


def test_only_exactly_these_scenes_are_right(tmp_path, course, beeps):
    cache = SegmentCache(tmp_path / "cache")
    maker = Maker(course, beeps, no_images, cache, tmp_path, Look())
    first, second = [(made.record.packets, made.record.frames) for made in map(maker.segment, (0, 1))]
    video = render(course, tmp_path / "v", narrators=[beeps], cache=cache).video
    prove(video, [first, second])
    with pytest.raises(RenderError, match="80 frames are not the 40"):
        prove(video, [first])
    with pytest.raises(RenderError, match="80 frames are not the 80"):
        prove(video, [second, first])
    with pytest.raises(RenderError, match="sound is not that of its scenes"):
        prove(remux(video, "-bsf:a", "noise=drop='eq(n,3)'"), [first, second])
    with pytest.raises(RenderError, match="reading the video failed"):
        prove(remux(video, "-an"), [first, second])
    late = remux(video, "-itsoffset", "0.5", "-i", str(video), "-map", "0:v", "-map", "1:a")
    with pytest.raises(RenderError, match="its sound"):
        prove(late, [first, second])
    plain = tmp_path / "late.mp4"
    command = [ffmpeg.program(), "-v", "error", "-i", str(video), "-c", "copy", str(plain)]
    subprocess.run(command, check=True)
    plain.write_bytes(plain.read_bytes().replace(b"moov", b"m00v", 1))
    with pytest.raises(RenderError, match="index"):
        prove(plain, [first, second])


def test_the_video_decodes_without_complaint(tmp_path, course, beeps):
    video = render(course, tmp_path, narrators=[beeps]).video
    command = [ffmpeg.program(), "-v", "warning", "-xerror", "-i", str(video), "-f", "null", "-"]
    assert subprocess.run(command, capture_output=True, check=True).stderr == b""


def test_the_cache_forgets_what_was_used_least_recently(tmp_path):
    cache = SegmentCache(tmp_path / "cache", max_bytes=250)
    for age, key in ((30, "old"), (20, "middle"), (10, "new")):
        made = tmp_path / key
        made.mkdir()
        (made / "data").write_bytes(bytes(100))
        os.utime(cache.put(key, made), (1_000_000 - age, 1_000_000 - age))
    assert cache.get("old") is not None  # a hit counts as use
    cache.prune()
    assert cache.get("middle") is None
    assert cache.get("old") is not None
    assert cache.get("new") is not None


def test_two_processes_making_one_segment_agree(tmp_path):
    cache = SegmentCache(tmp_path / "cache")
    for content in (b"first", b"second"):
        made = tmp_path / content.decode()
        made.mkdir()
        (made / "data").write_bytes(content)
        assert (cache.put("key", made) / "data").read_bytes() == b"first"
        assert not made.exists()


def test_work_can_be_niced_without_nicing_the_caller(tmp_path, course, beeps):
    seen: list[int] = []
    before = os.getpriority(os.PRIO_PROCESS, 0)

    def image(_name: str) -> bytes:
        seen.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
        return png((10, 10))

    pictured = Course(title="a", scenes=(Scene(title="a"), Scene(title="b", image="g.png")))
    render(pictured, tmp_path, narrators=[beeps], images=image, settings=Settings(niceness=7))
    assert max(before, 7) in seen
    assert os.getpriority(os.PRIO_PROCESS, 0) == before


def test_the_command_renders_a_file_and_tells_seconds_and_path(tmp_path):
    outline = tmp_path / "curso.md"
    outline.write_text("# Olá\n\nOi.\n")
    command = [sys.executable, "-m", "service", "course", "render", str(outline)]
    done = subprocess.run([*command, "--output", str(tmp_path / "v")], capture_output=True, text=True, check=True)
    path, summary = done.stdout.splitlines()
    assert Path(path).read_bytes()[4:8] == b"ftyp"
    assert "s of video in" in summary
    assert "100 % Done" in done.stderr


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"# a\n![x](../x.png)", "relative file name"), (b"\xff\xfe#", "not UTF-8 text"), (None, "No such file")],
)
def test_the_command_tells_a_mistake_and_leaves_nothing(tmp_path, content, told):
    outline = tmp_path / "curso.md"
    if content is not None:
        outline.write_bytes(content)
    command = [sys.executable, "-m", "service", "course", "render", str(outline), "--output", str(tmp_path / "v")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "v").exists()
