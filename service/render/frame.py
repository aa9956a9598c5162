"""What does a scene look like? Two templates: title and bullets, and image (with bullets beside it, if any)."""

from dataclasses import dataclass
from typing import NamedTuple

from PIL import Image, ImageDraw

from service.render.course import Course, Scene
from service.render.errors import CourseError
from service.render.images import ImageSource, load
from service.render.text import Block, Weight, drawable, fit, font
from service.render.theme import Canvas, Colour, Theme

# Sizes of type in pixels, largest and smallest; nothing on a slide is smaller than the footer.
_COVER, _TITLE, _TEXT, _CAPTION, _FOOTER = (92, 52), (58, 30), (46, 28), (28, 24), 24
_BAR, _INDENT, _FRAME, _PRESENTER = 40, 40, 12, 240


class Box(NamedTuple):
    """A rectangle in pixels from the top left corner of the slide."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.right - self.left, self.bottom - self.top


@dataclass(frozen=True)
class Layout:
    """Where everything is: texts as they are set, and the boxes of what a scene has."""

    safe: Box
    cover: bool
    heading: Block
    text: Box
    bullets: Block | None = None
    picture: Box | None = None
    caption: Block | None = None


def beside(canvas: Canvas) -> Box:
    """Where a presenter is seen: at the bottom right, beside everything else of the scene."""
    right, bottom = canvas.width - canvas.margin_x, canvas.height - canvas.margin_y - 2 * _FOOTER
    return Box(right - _PRESENTER, bottom - _PRESENTER, right, bottom)


def layout(scene: Scene, canvas: Canvas, *, cover: bool, smallest: bool = False) -> Layout:
    """Set the texts of a scene as large as they fit, or `smallest`, which tells sooner whether they do.

    Raises CourseError when they do not.
    """
    safe = Box(canvas.margin_x, canvas.margin_y, canvas.width - canvas.margin_x, canvas.height - canvas.margin_y)
    width, height = safe.size
    if cover and not (scene.bullets or scene.image or scene.presenter):
        return Layout(safe, True, fit([scene.title], "Bold", (width - _BAR, height), _COVER, "title"), safe)
    heading = fit([scene.title], "Bold", (width, 130), _TITLE, "title")
    body = Box(safe.left, safe.top + heading.height + 50, safe.right, safe.bottom - 2 * _FOOTER)
    picture, caption, bullets = None, None, None
    if scene.presenter:
        body = body._replace(right=beside(canvas).left - 40)
    if scene.image:
        column = body.left + body.size[0] * 45 // 100
        picture = body._replace(left=column + 40) if scene.bullets else body
        body = body._replace(right=column)
        if scene.caption:
            caption = fit([scene.caption], "Regular", (picture.size[0], 80), _CAPTION, "caption")
            picture = picture._replace(bottom=picture.bottom - caption.height - 16)
    if scene.bullets:
        sizes = (_TEXT[1], _TEXT[1]) if smallest else _TEXT
        bullets = fit(scene.bullets, "Regular", (body.size[0] - _INDENT, body.size[1]), sizes, "bullets")
    return Layout(safe, False, heading, body, bullets, picture, caption)


def draw(course: Course, number: int, canvas: Canvas, theme: Theme, images: ImageSource) -> Image.Image:
    """The slide of scene `number` (from 0). Raises CourseError when its text or image cannot be shown."""
    scene = course.scenes[number]
    try:
        places = layout(scene, canvas, cover=number == 0)
    except CourseError as error:
        raise error.inside("scenes", number) from None
    slide = _Slide(Image.new("RGB", canvas.size, theme.background), theme, places)
    if places.cover:
        slide.cover()
        return slide.image
    slide.heading()
    slide.footer(course.title)
    if scene.image and places.picture:
        slide.picture(images(scene.image), scene.image, places.picture)
    if places.bullets:
        slide.bullets(places.bullets)
    return slide.image


@dataclass(frozen=True)
class _Slide:
    image: Image.Image
    theme: Theme
    places: Layout

    @property
    def pen(self) -> ImageDraw.ImageDraw:
        return ImageDraw.Draw(self.image)

    def cover(self) -> None:
        block, safe = self.places.heading, self.places.safe
        top = safe.top + (safe.size[1] - block.height) // 2
        self.pen.rectangle((safe.left, top + 8, safe.left + 10, top + block.height), fill=self.theme.accent)
        self.write(block, (safe.left + _BAR, top), "Bold", self.theme.title)

    def heading(self) -> None:
        block, safe = self.places.heading, self.places.safe
        self.write(block, (safe.left, safe.top), "Bold", self.theme.title)
        top = safe.top + block.height + 14
        self.pen.rectangle((safe.left, top, safe.left + 96, top + 6), fill=self.theme.accent)

    def footer(self, title: str) -> None:
        face, safe = font("Regular", _FOOTER), self.places.safe
        text = drawable(title, "title")
        if face.getlength(text) > safe.size[0]:
            while face.getlength(text + "…") > safe.size[0]:
                text = text[:-1]
            text = text.rstrip() + "…"
        self.pen.text((safe.left, safe.bottom - _FOOTER), text, font=face, fill=self.theme.muted)

    def bullets(self, block: Block) -> None:
        box = self.places.text
        y = box.top + (box.size[1] - block.height) // 4  # a short list stands a little below the heading
        for lines in block.paragraphs:
            middle = y + block.leading // 2 + 2
            self.pen.ellipse((box.left + 4, middle - 6, box.left + 16, middle + 6), fill=self.theme.accent)
            point = Block((lines,), block.size, block.leading, 0)
            self.write(point, (box.left + _INDENT, y), "Regular", self.theme.text)
            y += point.height + block.gap

    def picture(self, data: bytes, name: str, box: Box) -> None:
        if self.places.caption:
            middle = (box.left + box.right) // 2
            self.write(self.places.caption, (middle, box.bottom + 16), "Regular", self.theme.muted, anchor="mm")
        width, height = box.size
        picture = load(data, name, (width - 2 * _FRAME, height - 2 * _FRAME))
        x = box.left + (width - picture.width) // 2
        y = box.top + (height - picture.height) // 2
        around = (x - _FRAME, y - _FRAME, x + picture.width + _FRAME, y + picture.height + _FRAME)
        self.pen.rounded_rectangle(around, 10, fill=self.theme.panel)
        self.image.paste(picture, (x, y))

    def write(
        self, block: Block, start: tuple[int, int], weight: Weight, colour: Colour, *, anchor: str = "lm"
    ) -> None:
        face = font(weight, block.size)
        x, y = start
        for lines in block.paragraphs:
            for line in lines:
                self.pen.text((x, y + block.leading // 2), line, font=face, fill=colour, anchor=anchor)
                y += block.leading
