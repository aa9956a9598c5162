"""What does a scene look like? Two templates: title and bullets, and image (with bullets beside it, if any)."""

from dataclasses import dataclass
from typing import NamedTuple

from PIL import Image, ImageDraw

from service.render.course import Course, Scene, scene_name
from service.render.images import ImageSource, load
from service.render.text import Block, Weight, drawable, fit, font
from service.render.theme import Canvas, Colour, Theme

# Sizes of type in pixels, largest and smallest; nothing on a slide is smaller than the footer.
_COVER, _TITLE, _TEXT, _CAPTION, _FOOTER = (92, 52), (58, 40), (46, 28), (28, 24), 24


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


def draw(course: Course, number: int, canvas: Canvas, theme: Theme, images: ImageSource) -> Image.Image:
    """The slide of scene `number` (from 0). Raises CourseError when its text or image cannot be shown."""
    scene = course.scenes[number]
    slide = _Slide(Image.new("RGB", canvas.size, theme.background), theme, scene_name(number))
    safe = Box(canvas.margin_x, canvas.margin_y, canvas.width - canvas.margin_x, canvas.height - canvas.margin_y)
    if number == 0 and not scene.bullets and not scene.image:
        slide.cover(scene.title, safe)
        return slide.image
    top = slide.heading(scene.title, safe)
    slide.footer(course.title, safe)
    body = Box(safe.left, top + 36, safe.right, safe.bottom - 2 * _FOOTER)
    if scene.image:
        column = body.left + body.size[0] * 45 // 100
        slide.picture(scene, images, body._replace(left=column + 40) if scene.bullets else body)
        body = body._replace(right=column)
    if scene.bullets:
        slide.bullets(scene.bullets, body)
    return slide.image


@dataclass(frozen=True)
class _Slide:
    image: Image.Image
    theme: Theme
    where: str

    @property
    def pen(self) -> ImageDraw.ImageDraw:
        return ImageDraw.Draw(self.image)

    def cover(self, title: str, safe: Box) -> None:
        width, height = safe.size
        block = fit([title], "Bold", (width - 40, height), _COVER, f"{self.where}, title")
        top = safe.top + (height - block.height) // 2
        self.pen.rectangle((safe.left, top + 8, safe.left + 10, top + block.height), fill=self.theme.accent)
        self.write(block, (safe.left + 40, top), "Bold", self.theme.title)

    def heading(self, title: str, safe: Box) -> int:
        """Where the heading ends."""
        block = fit([title], "Bold", (safe.size[0], 130), _TITLE, f"{self.where}, title")
        self.write(block, (safe.left, safe.top), "Bold", self.theme.title)
        top = safe.top + block.height + 14
        self.pen.rectangle((safe.left, top, safe.left + 96, top + 6), fill=self.theme.accent)
        return top

    def footer(self, title: str, safe: Box) -> None:
        face = font("Regular", _FOOTER)
        text = drawable(title, "title")
        if face.getlength(text) > safe.size[0]:
            while face.getlength(text + "…") > safe.size[0]:
                text = text[:-1]
            text = text.rstrip() + "…"
        self.pen.text((safe.left, safe.bottom - _FOOTER), text, font=face, fill=self.theme.muted)

    def bullets(self, bullets: tuple[str, ...], box: Box) -> None:
        indent = 40
        width, height = box.size
        block = fit(bullets, "Regular", (width - indent, height), _TEXT, f"{self.where}, bullets")
        y = box.top + (height - block.height) // 4  # a short list stands a little below the heading
        for lines in block.paragraphs:
            middle = y + block.leading // 2 + 2
            self.pen.ellipse((box.left + 4, middle - 6, box.left + 16, middle + 6), fill=self.theme.accent)
            point = Block((lines,), block.size, block.leading, 0)
            self.write(point, (box.left + indent, y), "Regular", self.theme.text)
            y += point.height + block.gap

    def picture(self, scene: Scene, images: ImageSource, box: Box) -> None:
        if scene.caption:
            block = fit([scene.caption], "Regular", (box.size[0], 80), _CAPTION, f"{self.where}, caption")
            box = box._replace(bottom=box.bottom - block.height - 16)
            middle = (box.left + box.right) // 2
            self.write(block, (middle, box.bottom + 16), "Regular", self.theme.muted, anchor="mm")
        frame = 12
        width, height = box.size
        name = scene.image or ""
        picture = load(images(name), name, (width - 2 * frame, height - 2 * frame))
        x = box.left + (width - picture.width) // 2
        y = box.top + (height - picture.height) // 2
        around = (x - frame, y - frame, x + picture.width + frame, y + picture.height + frame)
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
