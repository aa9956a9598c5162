"""Can a slide be read: every Portuguese letter, inside the margins, in sufficient contrast?"""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops

from service.render.course import Course, Scene
from service.render.errors import CourseError
from service.render.frame import draw
from service.render.images import no_images
from service.render.text import drawable, fit, font, wrap
from service.render.theme import AA, Canvas, Theme, contrast
from tests.render.conftest import png

PORTUGUESE = "áâãàéêíóôõúüçÁÂÃÀÉÊÍÓÔÕÚÜÇºª€§«»°÷±≥≤…" + "\N{LEFT DOUBLE QUOTATION MARK}\N{EN DASH}\N{EM DASH}"
CANVAS, THEME = Canvas(), Theme()
WORDS = st.text("abcdefghijklmnopqrstuvwxyzáãçéíõúWM ", min_size=1, max_size=120).filter(str.strip)


def slide(scene: Scene, image: bytes = b"") -> Image.Image:
    course = Course(title="Curso de programação", scenes=(Scene(title="Início"), scene))
    return draw(course, 1, CANVAS, THEME, lambda _name: image)


def inked(picture: Image.Image) -> tuple[int, int, int, int]:
    ground = Image.new("RGB", picture.size, THEME.background)
    return ImageChops.difference(picture, ground).getbbox() or (0, 0, 0, 0)


@pytest.mark.parametrize("weight", ["Regular", "Bold"])
def test_every_portuguese_character_has_a_glyph_of_its_own(weight):
    face = font(weight, 40)
    shapes = [bytes(face.getmask(character)) for character in PORTUGUESE]
    missing = bytes(face.getmask("\U0010ffff"))
    assert missing not in shapes
    assert drawable(PORTUGUESE, "") == PORTUGUESE
    assert len(set(shapes)) == len(shapes)
    # An accent is more than its letter: the row above the letter has ink.
    assert all(
        face.getbbox(accented)[1] < face.getbbox(plain)[1] for accented, plain in ("áa", "ãa", "õo", "ÇÇ"[:0] or "íi")
    )


def test_contrast_is_the_ratio_that_wcag_defines():
    assert contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21)
    assert contrast((119, 119, 119), (255, 255, 255)) == pytest.approx(4.48, abs=0.005)
    assert contrast((1, 2, 3), (1, 2, 3)) == 1


def test_a_theme_that_cannot_be_read_is_refused():
    with pytest.raises(ValueError, match=r"muted on background has a contrast of 1\.\d\d, WCAG AA asks for 4.5"):
        Theme(muted=(30, 40, 60))


def test_the_pixels_of_drawn_text_reach_wcag_aa():
    picture = slide(Scene(title="Título", bullets=("Um ponto",)))
    colours = picture.getcolors(1 << 20) or []
    frequent = sorted(((count, colour) for count, colour in colours if isinstance(colour, tuple)), reverse=True)[:5]
    ground = frequent[0][1]
    inks = {colour for _, colour in frequent[1:]}
    assert {THEME.title, THEME.text, THEME.muted} <= inks
    assert all(contrast(ground, ink) >= AA for ink in inks)


@settings(max_examples=40, deadline=None)
@given(title=WORDS, bullets=st.lists(WORDS, max_size=8))
def test_whatever_the_text_it_stays_inside_the_margins_or_is_refused(title, bullets):
    try:
        picture = slide(Scene(title=title, bullets=tuple(bullets)))
    except CourseError as error:
        assert "shorten it" in str(error)
        return
    left, top, right, bottom = inked(picture)
    safe_x, safe_y = CANVAS.width * 5 // 100, CANVAS.height * 5 // 100  # the title-safe area
    assert safe_x <= left <= right <= CANVAS.width - safe_x
    assert safe_y <= top <= bottom <= CANVAS.height - safe_y


@given(text=WORDS, width=st.integers(60, 900))
def test_wrapping_loses_no_letter_and_keeps_to_the_width(text, width):
    face = font("Regular", 30)
    lines = wrap(text, face, width)
    assert "".join(lines).replace(" ", "") == "".join(text.split())
    assert all(face.getlength(line) <= width for line in lines)


def test_text_is_set_as_large_as_the_box_allows():
    sizes = [fit(["palavra " * count], "Regular", (900, 300), (60, 20), "x").size for count in (1, 10, 40, 80)]
    assert sizes[0] == 60
    assert all(one >= other for one, other in pairwise(sizes))
    assert sizes[-1] < sizes[0]


def test_no_lone_word_ends_a_title():
    (lines,) = fit(["Um título que por pouco não cabe em uma linha só"], "Bold", (900, 300), (58, 40), "x").paragraphs
    face = font("Bold", 58)
    assert min(map(face.getlength, lines)) > 0.5 * max(map(face.getlength, lines))


def test_emoji_are_left_out_and_unknown_letters_are_refused_by_name():
    assert drawable("Foguete 🚀👩🏽‍💻 já", "x") == "Foguete já"
    with pytest.raises(CourseError, match="scene 1, title: the font has no cjk unified ideograph-4e2d"):
        slide(Scene(title="中文"))
    with pytest.raises(CourseError, match="nothing is left to show"):
        slide(Scene(title="🚀🚀"))


def test_an_image_fills_its_place_and_keeps_its_shape():
    picture = slide(Scene(title="Gráfico", image="g.png", caption="Legenda"), png((400, 100)))
    redness = ImageChops.subtract(picture.getchannel("R"), picture.getchannel("G"))
    inside = redness.point(lambda value: 255 * (value > 128)).getbbox()
    assert inside is not None
    width, height = inside[2] - inside[0], inside[3] - inside[1]
    assert width / height == pytest.approx(4, rel=0.02)
    assert width > 0.8 * (CANVAS.width - 2 * CANVAS.margin_x)


def test_image_and_bullets_stand_side_by_side():
    picture = slide(Scene(title="Gráfico", image="g.png", bullets=("um ponto",)), png((300, 300)))
    half = picture.crop((0, 200, CANVAS.width // 2, 600))
    assert inked(half) != (0, 0, 0, 0)
    assert picture.getpixel((CANVAS.width * 3 // 4, 400)) == (255, 0, 0)


def test_a_course_without_a_folder_of_images_says_so():
    course = Course(title="a", scenes=(Scene(title="a", image="g.png"),))
    with pytest.raises(CourseError, match=r"image 'g.png': this course has no folder of images"):
        draw(course, 0, CANVAS, THEME, no_images)
