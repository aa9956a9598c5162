"""Do hostile images end in a clear error, without much memory?"""

import io
import resource
import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from service.limits import LIMITS
from service.render.errors import CourseError
from service.render.images import folder, load
from tests.render.conftest import png

BOX = (1000, 400)


def bomb(width: int, height: int) -> bytes:
    """A PNG of some hundred bytes whose header promises any number of pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("size", [(6_000, 5_000), (50_000, 50_000), (2**31 - 1, 2**31 - 1), (2**30, 1)])
def test_a_bomb_is_refused_before_it_is_decoded(size):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(CourseError, match=r"image 'b\.png' has more than 25 megapixels: make it smaller"):
        load(bomb(*size), "b.png", BOX)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000  # kilobytes


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "is no PNG, JPEG, WEBP: convert it"),
        (b"GIF89a" + bytes(100), "is no PNG, JPEG, WEBP: convert it"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"><image href="http://169.254.169.254/"/></svg>', "is no PNG"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "is no PNG"),
        (png((50, 50))[:60], "is damaged"),
        (bomb(100, 100), "is damaged"),
        (bytes(LIMITS.upload + 1), "is larger than 20 MB: make it smaller"),
    ],
)
def test_what_is_no_sound_image_is_told(data, told):
    with pytest.raises(CourseError, match=told):
        load(data, "x.png", BOX)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_damage_gets_past_as_anything_but_a_told_mistake(data):
    kind = data.draw(st.sampled_from(["PNG", "JPEG", "WEBP"]))
    file = io.BytesIO()
    Image.linear_gradient("L").resize((60, 40)).convert("RGB").save(file, kind)
    broken = bytearray(file.getvalue())
    for _ in range(data.draw(st.integers(1, 6))):
        broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))
    try:
        image = load(bytes(broken[: data.draw(st.integers(0, len(broken)))]), "x", BOX)
    except CourseError:
        return
    assert image.mode == "RGB"
    assert image.width <= BOX[0]
    assert image.height <= BOX[1]


def test_a_photograph_is_turned_upright_and_transparency_becomes_white():
    file = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned
    Image.new("RGB", (400, 200), "blue").save(file, "JPEG", exif=exif)
    upright = load(file.getvalue(), "f.jpg", (300, 300))
    assert upright.size == (150, 300)
    clear = io.BytesIO()
    Image.new("RGBA", (10, 10), (0, 0, 0, 0)).save(clear, "PNG")
    assert load(clear.getvalue(), "t.png", (20, 20)).getpixel((5, 5)) == (255, 255, 255)


def test_a_folder_gives_its_own_files_only(tmp_path):
    home = tmp_path / "course"
    home.mkdir()
    (home / "a.png").write_bytes(b"ok")
    (tmp_path / "secret.png").write_bytes(b"secret")
    (home / "link.png").symlink_to(tmp_path / "secret.png")
    read = folder(home)
    assert read("a.png") == b"ok"
    for name in ("../secret.png", "link.png", str(tmp_path / "secret.png")):
        with pytest.raises(CourseError, match="lies outside the course's folder"):
            read(name)
    for name in ("missing.png", "."):
        with pytest.raises(CourseError, match="is not in the course's folder"):
            read(name)
