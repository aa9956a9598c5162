"""How is one scene made, or found among those made before?"""

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from service.render import ffmpeg
from service.render.cache import PICTURE, RECORD, SOUND, SegmentCache, digest
from service.render.course import Course
from service.render.errors import CourseError
from service.render.frame import draw
from service.render.images import ImageSource
from service.render.narration import Mark, Narrator
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
        return self.blocks * round(ffmpeg.BLOCK_SECONDS * Canvas.rate)

    @property
    def seconds(self) -> float:
        """Length on screen."""
        return self.frames / Canvas.rate


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

    def segment(self, number: int) -> Segment:
        """The segment of scene `number` (from 0), out of the cache or made and decoded once."""
        scene = self.course.scenes[number]
        image = self.images(scene.image) if scene.image else b""
        key = self._key(number, image)
        if found := self._find(key):
            return found
        slide = draw(self.course, number, self.look.canvas, self.look.theme, lambda _name: image)
        try:
            narration = self.narrator.read(scene.speech, self.course.language)
        except CourseError as error:
            raise error.inside("scenes", number) from None
        folder = Path(tempfile.mkdtemp(prefix=f"scene-{number + 1}-", dir=self.work))
        blocks = ffmpeg.blocks_for(narration.seconds)
        ffmpeg.picture(slide, self.look.canvas, folder / PICTURE)
        ffmpeg.sound(narration.samples, narration.rate, blocks, folder / SOUND)
        packets = prove_pieces(folder / PICTURE, folder / SOUND)
        record = Record(blocks, narration.marks, packets)
        (folder / RECORD).write_bytes(_RECORD.dump_json(record))
        return Segment(self.cache.put(key, folder), record, cached=False)

    def _find(self, key: str) -> Segment | None:
        folder = self.cache.get(key)
        if folder is None:
            return None
        try:
            return Segment(folder, _RECORD.validate_json((folder / RECORD).read_bytes()), cached=True)
        except (FileNotFoundError, ValidationError):  # pruned this moment, or damaged on the disk
            self.cache.drop(key)
            return None

    def _key(self, number: int, image: bytes) -> str:
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
            image,
            self.narrator.identity,
        )
