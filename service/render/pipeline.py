"""How does a course become a video? Scene by scene, then joined, proved and only then put where it was asked for."""

import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path

from service.render import ffmpeg
from service.render.cache import PICTURE, SOUND, SegmentCache
from service.render.captions import webvtt
from service.render.course import Course
from service.render.errors import ProviderError, RenderError
from service.render.espeak import Espeak
from service.render.frame import draw
from service.render.images import ImageSource, no_images
from service.render.narration import Mark, Narrator, Presenter
from service.render.proof import prove
from service.render.segment import Look, Maker, Segment

Progress = Callable[[float, str], None]
"""Told percent (0 to 100, never falling) and words; it may raise, and the rendering ends with what it raised."""


@dataclass(frozen=True)
class Settings:
    """How to render: `jobs` scenes at a time, `niceness` of the work (Linux, 0 to 19), folder for temporary files.

    `work` must be on the file system of the cache and of the target; without one it is the target.
    """

    look: Look = field(default_factory=Look)
    jobs: int = 2
    niceness: int = 0
    work: Path | None = None


@dataclass(frozen=True)
class Rendered:
    """What came out: three files, seconds of video, scenes rendered and taken from the cache, who read it all."""

    video: Path
    captions: Path
    thumbnail: Path
    seconds: float
    scenes_rendered: int
    scenes_cached: int
    narrator: str


def silent(_percent: float, _message: str) -> None:
    """No progress told."""


def render(
    course: Course,
    target: Path,
    *,
    narrators: Sequence[Narrator] = (Espeak(),),
    images: ImageSource = no_images,
    presenter: Presenter | None = None,
    cache: SegmentCache | None = None,
    progress: Progress = silent,
    settings: Settings | None = None,
) -> Rendered:
    """Render the course into the folder `target` as video.mp4, captions.vtt and thumbnail.jpg.

    `images` gives recordings, too. A presenter that fails is left out, and not asked again.
    One narrator reads the whole course: when it fails in any scene, the next one begins anew. The files appear only
    after the video was proved right; temporary files are removed whatever happens.
    Raises CourseError (the author can mend it), RenderError (the machine failed) or what `progress` raises.
    """
    settings = settings or Settings()
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".render-", dir=settings.work or target) as name:
        work = Path(name)
        kept = cache or SegmentCache(work / "cache")
        makers = [Maker(course, narrator, images, kept, work, settings.look, presenter) for narrator in narrators]
        maker, segments = _read_by_one(makers, settings, progress)
        try:
            progress(90, "Joining the scenes")
            made = _join(maker, segments)
            progress(95, "Checking the video")
            prove(made / "video.mp4", [(segment.record.packets, segment.record.frames) for segment in segments])
        except RenderError:
            for segment in segments:  # one of them was damaged on the disk: none is trusted again
                kept.drop(segment.folder.name)
            raise
        for file in ("thumbnail.jpg", "captions.vtt", "video.mp4"):
            (made / file).replace(target / file)
    if cache:
        cache.prune()
    progress(100, "Done")
    return Rendered(
        video=target / "video.mp4",
        captions=target / "captions.vtt",
        thumbnail=target / "thumbnail.jpg",
        seconds=sum(segment.record.seconds for segment in segments),
        scenes_rendered=sum(not segment.cached for segment in segments),
        scenes_cached=sum(segment.cached for segment in segments),
        narrator=maker.narrator.identity,
    )


def _read_by_one(makers: list[Maker], settings: Settings, progress: Progress) -> tuple[Maker, list[Segment]]:
    reached = 0.0

    def tell(percent: float, message: str) -> None:
        nonlocal reached
        reached = max(reached, percent)
        progress(reached, message)

    for maker in makers[:-1]:
        try:
            return maker, _segments(maker, settings, tell)
        except ProviderError as error:
            tell(0, f"{error}; the next voice begins anew")
    return makers[-1], _segments(makers[-1], settings, tell)


def _segments(maker: Maker, settings: Settings, progress: Progress) -> list[Segment]:
    total = len(maker.course.scenes)
    progress(0, f"Rendering {total} scenes")
    with ThreadPoolExecutor(settings.jobs, "scene", _be_nice, (settings.niceness,)) as pool:
        futures = [pool.submit(maker.segment, number) for number in range(total)]
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
        thread = threading.get_native_id()
        # Never less nice than the caller: who is not root may not be.
        os.setpriority(os.PRIO_PROCESS, thread, max(niceness, os.getpriority(os.PRIO_PROCESS, thread)))


def _join(maker: Maker, segments: list[Segment]) -> Path:
    made = maker.work / "made"
    made.mkdir()
    with (maker.work / "sound.aac").open("wb") as whole:
        for segment in segments:
            with (segment.folder / SOUND).open("rb") as piece:
                shutil.copyfileobj(piece, whole)
    pictures = [(s.folder / PICTURE, s.record.frames, len(s.record.packets.video)) for s in segments]
    ffmpeg.join(pictures, maker.work / "sound.aac", maker.course.title, maker.work, made / "video.mp4")
    marks, start = [], ffmpeg.SPEECH_STARTS
    for segment in segments:
        marks += [Mark(start + mark.start, start + mark.end, mark.text) for mark in segment.record.marks]
        start += segment.record.seconds
    (made / "captions.vtt").write_text(webvtt(marks), encoding="utf-8")
    slide = draw(maker.course, 0, maker.look.canvas, maker.look.theme, maker.images)
    slide.resize((640, 360)).save(made / "thumbnail.jpg", quality=85)
    return made
