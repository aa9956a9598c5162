"""How is a picture from outside made safe to put on a slide?"""

import io
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image, ImageOps, UnidentifiedImageError

from service.limits import LIMITS
from service.render.errors import CourseError

# What Pillow's decoders raise on damaged files has no common class.
_DAMAGE = (OSError, ValueError, SyntaxError, EOFError, LookupError, ArithmeticError, struct.error, zlib.error)
_FORMATS = ("PNG", "JPEG", "WEBP")

ImageSource = Callable[[str], bytes]
"""Gives the bytes of a named image, or raises CourseError. Nothing is ever fetched from an address."""


def no_images(name: str) -> bytes:
    """For courses without images."""
    raise CourseError.of("image_no_folder", image=name)


def folder(root: Path) -> ImageSource:
    """Images from a folder and its subfolders; a name that leads out of it, by a link too, is refused."""

    def read(name: str) -> bytes:
        home = root.resolve()
        path = (home / name).resolve()
        if not path.is_relative_to(home):
            raise CourseError.of("image_outside", image=name)
        if not path.is_file():
            raise CourseError.of("image_absent", image=name)
        if path.stat().st_size > LIMITS.upload:
            raise _too_large(name)
        return path.read_bytes()

    return read


def _too_large(name: str) -> CourseError:
    return CourseError.of("image_bytes", image=name, most=LIMITS.upload // 2**20)


def load(data: bytes, name: str, box: tuple[int, int]) -> Image.Image:
    """The image in RGB, upright, scaled to fit `box` (pixels).

    Only PNG, JPEG and WebP, and no more than LIMITS allow: size and format are looked at before anything is decoded.
    Raises CourseError.
    """
    with _opened(data, name) as image:
        image.draft("RGB", box)  # JPEG decodes at a fraction of its size where that is enough
        image.thumbnail(box, Image.Resampling.LANCZOS, reducing_gap=2.0)
        upright = ImageOps.exif_transpose(image)
        ground = Image.new("RGBA", upright.size, "white")
        ground.alpha_composite(upright.convert("RGBA"))
        return ImageOps.contain(ground.convert("RGB"), box, Image.Resampling.LANCZOS)


@contextmanager
def _opened(data: bytes, name: str) -> Iterator[Image.Image]:
    if len(data) > LIMITS.upload:
        raise _too_large(name)
    try:
        image = Image.open(io.BytesIO(data), formats=_FORMATS)
        if image.width * image.height > LIMITS.pixels:
            raise Image.DecompressionBombError
        yield image
    except Image.DecompressionBombError:
        raise CourseError.of("image_pixels", image=name, most=LIMITS.pixels // 10**6) from None
    except UnidentifiedImageError:
        raise CourseError.of("image_kind", image=name, formats=_FORMATS) from None
    except _DAMAGE as error:
        raise CourseError.of("image_damaged", image=name, reason=type(error).__name__) from None
