"""How is a picture from outside made safe to put on a slide?"""

import io
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image, ImageOps, UnidentifiedImageError

from service.render.errors import CourseError

MAX_IMAGE_BYTES = 20 * 2**20
MAX_IMAGE_PIXELS = 25_000_000  # 100 MB decoded; a photograph of 24 megapixels fits
# What Pillow's decoders raise on damaged files has no common class.
_DAMAGE = (OSError, ValueError, SyntaxError, EOFError, LookupError, ArithmeticError, struct.error, zlib.error)
_FORMATS = ("PNG", "JPEG", "WEBP")

ImageSource = Callable[[str], bytes]
"""Gives the bytes of a named image, or raises CourseError. Nothing is ever fetched from an address."""


def no_images(name: str) -> bytes:
    """For courses without images."""
    raise CourseError(f"image '{name}': this course has no folder of images")


def folder(root: Path) -> ImageSource:
    """Images from a folder and its subfolders; a name that leads out of it, by a link too, is refused."""

    def read(name: str) -> bytes:
        home = root.resolve()
        path = (home / name).resolve()
        if not path.is_relative_to(home):
            raise CourseError(f"image '{name}' lies outside the course's folder: move it there")
        if not path.is_file():
            raise CourseError(f"image '{name}' is not in the course's folder")
        if path.stat().st_size > MAX_IMAGE_BYTES:
            raise CourseError(f"image '{name}' is larger than {MAX_IMAGE_BYTES // 2**20} MB: make it smaller")
        return path.read_bytes()

    return read


def load(data: bytes, name: str, box: tuple[int, int]) -> Image.Image:
    """The image in RGB, upright, scaled to fit `box` (pixels).

    Only PNG, JPEG and WebP, at most 20 MB and 25 megapixels: size and format are looked at before anything is decoded.
    Raises CourseError.
    """
    with _opened(data, name) as image:
        image.draft("RGB", box)  # JPEG decodes at a fraction of its size where that is enough
        image.thumbnail(box, Image.Resampling.LANCZOS, reducing_gap=2.0)
        upright = ImageOps.exif_transpose(image)
        ground = Image.new("RGBA", upright.size, "white")
        ground.alpha_composite(upright.convert("RGBA"))
        return ImageOps.contain(ground.convert("RGB"), box, Image.Resampling.LANCZOS)


def check(data: bytes, name: str) -> None:
    """Look at what `load` would refuse, without decoding it. Raises CourseError."""
    with _opened(data, name) as image:
        image.verify()


@contextmanager
def _opened(data: bytes, name: str) -> Iterator[Image.Image]:
    if len(data) > MAX_IMAGE_BYTES:
        raise CourseError(f"image '{name}' is larger than {MAX_IMAGE_BYTES // 2**20} MB: make it smaller")
    most = f"more than {MAX_IMAGE_PIXELS // 10**6} megapixels: make it smaller"
    try:
        image = Image.open(io.BytesIO(data), formats=_FORMATS)
        if image.width * image.height > MAX_IMAGE_PIXELS:
            raise Image.DecompressionBombError
        yield image
    except Image.DecompressionBombError:
        raise CourseError(f"image '{name}' has {most}") from None
    except UnidentifiedImageError:
        raise CourseError(f"image '{name}' is no {', '.join(_FORMATS)}: convert it") from None
    except _DAMAGE as error:
        raise CourseError(f"image '{name}' is damaged ({type(error).__name__}): export it again") from None
