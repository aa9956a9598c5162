"""How does a course become a video? Scene by scene, then joined, checked and only then put where it was asked for."""

import json
import os
import shutil
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field
from pathlib import Path

from service.render import ffmpeg
from service.render.cache import MARKS, PICTURE, SOUND, SegmentCache, digest
from service.render.captions import webvtt
from service.render.course import Course
from service.render.errors import CourseError
from service.render.espeak import Espeak
from service.render.frame import draw
from service.render.images import ImageSource, no_images
from service.render.narration import Mark, Narrator
from service.render.text import font_bytes
from service.render.theme import Canvas, Theme

VERSION = 1  # raise it when the same course would come out differently: cached segments are made anew

Progress = Callable[[float, str], None]
"""Told percent (0 to 100, never falling) and words; it may raise, and the rendering ends with what it raised."""


@dataclass(frozen=True)
class Settings:
    """How to render: `jobs` scenes at a time, `niceness` of the work (Linux, 0 to 19), folder for temporary files.

    `work` must be on the file system of the cache and of the target.
    """

    canvas: Canvas = field(default_factory=Canvas)
    theme: Theme = field(default_factory=Theme)
    jobs: int = 2
    niceness: int = 0
    work: Path | None = None


@dataclass(frozen=True)
class Rendered:
    """What came out: three files, seconds of video, and how many scenes were rendered or taken from the cache."""

    video: Path
    captions: Path
    thumbnail: Path
    seconds: float
    scenes_rendered: int
    scenes_cached: int
    narrators: tuple[str, ...]


@dataclass(frozen=True)
class _Segment:
    folder: Path
    blocks: int
    marks: tuple[Mark, ...]
    narrator: str
    cached: bool

    @property
    def seconds(self) -> float:
        return self.blocks * ffmpeg.BLOCK_SECONDS


def silent(percent: float, message: str) -> None:
    """No progress told."""


def render(
    course: Course,
    target: Path,
    *,
    narrator: Narrator | None = None,
    images: ImageSource = no_images,
    cache: SegmentCache | None = None,
    progress: Progress = silent,
    settings: Settings | None = None,
) -> Rendered:
    """Render the course into the folder `target` as video.mp4, captions.vtt and thumbnail.jpg.

    The files appear only after the video was decoded and found right; temporary files are removed whatever happens.
    Raises CourseError (the author can mend it), RenderError (the machine failed) or what `progress` raises.
    """
    settings = settings or Settings()
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".render-", dir=settings.work or target) as name:
        work = Path(name)
        job = _Job(course, narrator or Espeak(), images, cache or SegmentCache(work / "cache"), work, settings)
        segments = _segments(job, progress)
        progress(90, "Joining the scenes")
        made = _join(job, segments)
        progress(95, "Checking the video")
        ffmpeg.verify(made / "video.mp4", _frames(segments))
        for file in ("thumbnail.jpg", "captions.vtt", "video.mp4"):
            (made / file).replace(target / file)
    if cache:
        cache.prune()
    progress(100, "Done")
    return Rendered(
        video=target / "video.mp4",
        captions=target / "captions.vtt",
        thumbnail=target / "thumbnail.jpg",
        seconds=sum(segment.seconds for segment in segments),
        scenes_rendered=sum(not segment.cached for segment in segments),
        scenes_cached=sum(segment.cached for segment in segments),
        narrators=tuple(sorted({segment.narrator for segment in segments})),
    )


@dataclass(frozen=True)
class _Job:
    course: Course
    narrator: Narrator
    images: ImageSource
    cache: SegmentCache
    work: Path
    settings: Settings

    def key(self, number: int, image: bytes, narrator: str) -> str:
        scene, look = self.course.scenes[number], self.settings
        return digest(
            VERSION,
            [*look.canvas.size, look.canvas.rate, look.canvas.margin_x, look.canvas.margin_y],
            repr(look.theme),
            font_bytes("Regular") + font_bytes("Bold"),
            number == 0,
            self.course.title,
            self.course.language,
            scene.model_dump_json(),
            image,
            narrator,
        )

    def segment(self, number: int) -> _Segment:
        """One scene, out of the cache or made: slide, group of pictures, speech, sound."""
        scene = self.course.scenes[number]
        image = self.images(scene.image) if scene.image else b""
        if found := self.cache.get(self.key(number, image, self.narrator.identity)):
            return _load(found, cached=True)
        slide = draw(self.course, number, self.settings.canvas, self.settings.theme, lambda _name: image)
        try:
            narration = self.narrator.read(scene.speech, self.course.language)
        except CourseError as error:
            raise CourseError(f"scene {number + 1}: {error}") from None
        folder = Path(tempfile.mkdtemp(prefix=f"scene-{number + 1}-", dir=self.work))
        blocks = ffmpeg.blocks_for(narration.seconds)
        ffmpeg.picture(slide, self.settings.canvas, folder / PICTURE)
        ffmpeg.sound(narration.samples, narration.rate, blocks, folder / SOUND)
        record = {"blocks": blocks, "narrator": narration.narrator, "marks": [asdict(mark) for mark in narration.marks]}
        (folder / MARKS).write_text(json.dumps(record, ensure_ascii=False))
        # A fallback's reading is kept under the fallback's name: next time the voice that was asked for is tried again.
        return _load(self.cache.put(self.key(number, image, narration.narrator), folder), cached=False)


def _load(folder: Path, *, cached: bool) -> _Segment:
    record = json.loads((folder / MARKS).read_text())
    marks = tuple(Mark(**mark) for mark in record["marks"])
    return _Segment(folder, record["blocks"], marks, record["narrator"], cached)


def _segments(job: _Job, progress: Progress) -> list[_Segment]:
    total = len(job.course.scenes)
    progress(0, f"Rendering {total} scenes")
    with ThreadPoolExecutor(job.settings.jobs, "scene", _be_nice, (job.settings.niceness,)) as pool:
        futures = [pool.submit(job.segment, number) for number in range(total)]
        try:
            for done, future in enumerate(as_completed(futures), 1):
                future.result()
                progress(90 * done / total, f"Rendered {done} of {total} scenes")
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    return [future.result() for future in futures]


def _be_nice(niceness: int) -> None:
    if niceness:  # Linux keeps niceness per thread, and the encoder inherits it
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), niceness)


def _frames(segments: list[_Segment]) -> int:
    return sum(segment.blocks for segment in segments) * round(ffmpeg.BLOCK_SECONDS * Canvas.rate)


def _join(job: _Job, segments: list[_Segment]) -> Path:
    made = job.work / "made"
    made.mkdir()
    with (job.work / "sound.aac").open("wb") as whole:
        for segment in segments:
            with (segment.folder / SOUND).open("rb") as piece:
                shutil.copyfileobj(piece, whole)
    pictures = [(segment.folder / PICTURE, _frames([segment])) for segment in segments]
    ffmpeg.join(pictures, job.work / "sound.aac", job.course.title, job.work, made / "video.mp4")
    marks, start = [], ffmpeg.speech_starts()
    for segment in segments:
        marks += [Mark(start + mark.start, start + mark.end, mark.text) for mark in segment.marks]
        start += segment.seconds
    (made / "captions.vtt").write_text(webvtt(marks), encoding="utf-8")
    first = job.course.scenes[0].image
    image = job.images(first) if first else b""
    slide = draw(job.course, 0, job.settings.canvas, job.settings.theme, lambda _name: image)
    slide.resize((640, 360)).save(made / "thumbnail.jpg", quality=85)
    return made
