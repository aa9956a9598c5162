"""How is one scene made, or found among those made before?"""

import io
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image
from pydantic import TypeAdapter, ValidationError

from service.render import ffmpeg, images, recording
from service.render.cache import PICTURE, RECORD, SOUND, SegmentCache, digest
from service.render.course import Course
from service.render.errors import CourseError, RenderError
from service.render.frame import beside, draw
from service.render.images import ImageSource
from service.render.narration import Mark, Narration, Narrator, Presenter
from service.render.proof import Packets, prove_pieces
from service.render.text import font_bytes
from service.render.theme import Canvas, Theme

VERSION = 1  # raise it when the same scene would come out differently: cached segments are made anew


@dataclass(frozen=True)
class Look:
    """What all slides of a video have in common."""

    canvas: Canvas = field(default_factory=Canvas)
    theme: Theme = field(default_factory=Theme)


@dataclass(frozen=True)
class Record:
    """What is known of a segment: its length in blocks of 0.32 s, what is said when, its packets."""

    blocks: int
    marks: tuple[Mark, ...]
    packets: Packets

    @property
    def frames(self) -> int:
        """Number of video frames."""
        return _frames(self.blocks)

    @property
    def seconds(self) -> float:
        """Length on screen."""
        return self.frames / Canvas.rate


def _frames(blocks: int) -> int:
    return blocks * round(ffmpeg.BLOCK_SECONDS * Canvas.rate)


@dataclass(frozen=True)
class Segment:
    """A scene that is ready to be joined, and whether it came out of the cache."""

    folder: Path
    record: Record
    cached: bool


_RECORD = TypeAdapter(Record)


@dataclass(frozen=True)
class Maker:
    """Makes the segments of one course."""

    course: Course
    narrator: Narrator
    images: ImageSource
    cache: SegmentCache
    work: Path
    look: Look
    presenter: Presenter | None = None
    missed: threading.Event = field(default_factory=threading.Event)  # the presenter failed: it is not asked again

    def segment(self, number: int) -> Segment:
        """The segment of scene `number` (from 0), out of the cache or made and decoded once."""
        scene = self.course.scenes[number]
        given = {name: self.images(name) for name in (scene.image, scene.audio) if name}
        presenter = self.presenter if scene.presenter and scene.image and not self.missed.is_set() else None
        if found := self._find(self._key(number, given, presenter)):
            return found
        slide = self._slide(number, given, presented=presenter is not None)  # before anything that costs money
        try:
            if scene.audio:
                narration = recording.load(given[scene.audio], scene.audio, scene.narration)
            else:
                narration = self.narrator.read(scene.speech, self.course.language)
        except CourseError as error:
            raise error.inside("scenes", number) from None
        folder = Path(tempfile.mkdtemp(prefix=f"scene-{number + 1}-", dir=self.work))
        blocks = ffmpeg.blocks_for(narration.seconds)
        if presenter and not self._film(presenter, slide, given[scene.image or ""], narration, folder / PICTURE):
            presenter, slide = None, self._slide(number, given, presented=False)
        if presenter is None:
            ffmpeg.picture(slide, folder / PICTURE)
        key = self._key(number, given, presenter)
        ffmpeg.sound(narration.samples, narration.rate, blocks, folder / SOUND)
        packets = prove_pieces(folder / PICTURE, folder / SOUND)
        record = Record(blocks, narration.marks, packets)
        (folder / RECORD).write_bytes(_RECORD.dump_json(record))
        return Segment(self.cache.put(key, folder), record, cached=False)

    def _slide(self, number: int, given: Mapping[str, bytes], *, presented: bool) -> Image.Image:
        scene = self.course.scenes[number].model_copy(update={"presenter": presented})
        scenes = (*self.course.scenes[:number], scene, *self.course.scenes[number + 1 :])
        course = self.course.model_copy(update={"scenes": scenes})
        return draw(course, number, self.look.canvas, self.look.theme, given.__getitem__)

    def _film(self, presenter: Presenter, slide: Image.Image, image: bytes, said: Narration, target: Path) -> bool:
        """Show the scene's picture speaking beside the slide; False when that cannot be had."""
        film, portrait = target.with_name("film.mp4"), io.BytesIO()
        images.load(image, "", (1024, 1024)).save(portrait, "JPEG", quality=90)
        frames = _frames(ffmpeg.blocks_for(said.seconds))
        try:
            film.write_bytes(presenter.present(said.wav, portrait.getvalue()))
            ffmpeg.film(slide, film, beside(self.look.canvas), frames, target)
        except RenderError:
            self.missed.set()
            return False
        finally:
            film.unlink(missing_ok=True)
        return True

    def _find(self, key: str) -> Segment | None:
        folder = self.cache.get(key)
        if folder is None:
            return None
        try:
            return Segment(folder, _RECORD.validate_json((folder / RECORD).read_bytes()), cached=True)
        except (FileNotFoundError, ValidationError):  # pruned this moment, or damaged on the disk
            self.cache.drop(key)
            return None

    def _key(self, number: int, given: Mapping[str, bytes], presenter: Presenter | None) -> str:
        canvas = self.look.canvas
        return digest(
            VERSION,
            [*canvas.size, canvas.rate, canvas.margin_x, canvas.margin_y],
            repr(self.look.theme),
            font_bytes("Regular") + font_bytes("Bold"),
            number == 0,
            self.course.title,
            self.course.language,
            self.course.scenes[number].model_dump_json(),
            *given.values(),
            self.narrator.identity,
            *([presenter.identity] if presenter else []),
        )
