"""Does the renderer take whatever the check lets through, and is everything else told in the author's words?"""

import string
from importlib.resources import files

import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from service.limits import LIMITS
from service.projects.models import Project
from service.projects.schemas import ProjectCreate
from service.render import check as checks
from service.render.check import LAST_COMMON, check, check_course
from service.render.course import Course
from service.render.course import Scene as Slide
from service.render.errors import CourseError, Problem, language_of
from service.render.espeak import Espeak
from service.render.frame import draw, layout
from service.render.text import drawable, font
from service.render.theme import Canvas, Theme
from service.scenes.models import Scene
from service.scenes.schemas import SceneCreate
from tests.render.conftest import png

COMMON = "".join(chr(code) for code in range(32, ord(LAST_COMMON) + 1) if chr(code).isprintable())
ANY = st.text(st.characters(codec="utf-8", exclude_categories=("Cc",)), max_size=60)
WIDE = st.integers(1, LIMITS.title).map(lambda length: "W" * length)
WORDS = st.lists(st.text(COMMON, min_size=1, max_size=12), min_size=1, max_size=30).map(" ".join)
LINES = st.lists(ANY | WIDE | WORDS, max_size=LIMITS.bullets + 1)


def accepted(body: SceneCreate) -> Slide | None:
    """As the service takes it."""
    scene = Scene(project_id="0" * 32, position=1, **body.model_dump())
    try:
        check(scene.slide)
    except CourseError as error:
        assert error.told("pt") and "__" not in error.told("en")
        return None
    return Slide.model_validate(scene.slide)


@settings(max_examples=150, deadline=None)
@example(title="🎉", lines=[], narration="", image=False)
@example(title="\u200b", lines=[], narration="", image=False)
@example(title="日本語", lines=[], narration="", image=False)
@example(title="W" * 200, lines=[], narration="", image=False)
@example(title="x", lines=["y"] * 9, narration="", image=False)
@example(title="x", lines=["W" * 200] * 8, narration="", image=False)
@example(title="Ação", lines=["Observe o exemplo"] * 6, narration="…", image=True)
@given(title=ANY | WIDE | WORDS, lines=LINES, narration=ANY | WORDS, image=st.booleans())
def test_a_slide_that_is_accepted_is_drawn(title: str, lines: list[str], narration: str, image: bool) -> None:
    try:
        body = SceneCreate(
            title=title, text="\n".join(lines), narration=narration, image_id="0" * 32 if image else None
        )
    except ValueError:
        return
    slide = accepted(body)
    if slide is not None:
        course = Course(title="Curso", scenes=(Slide(title="Curso"), slide))
        check_course(course)
        draw(course, 1, Canvas(), Theme(), lambda _name: png((40, 30)))


@settings(max_examples=25, deadline=None)
@given(narration=ANY)
def test_a_narration_that_is_accepted_is_read(narration: str) -> None:
    slide = accepted(SceneCreate(title="Curso", narration=narration))
    if slide is not None:
        assert Espeak().read(slide.speech, "pt-br").seconds > 0


@settings(max_examples=100, deadline=None)
@given(title=ANY | WIDE | WORDS, description=ANY)
def test_a_course_that_is_accepted_has_a_cover(title: str, description: str) -> None:
    try:
        body = ProjectCreate(title=title, description=description)
        check(Project(owner_id="0" * 32, **body.model_dump()).cover, cover=True)
    except ValueError:
        return
    course = Course(title=body.title, scenes=(Slide(title=body.title), Slide(title="x")))
    draw(course, 0, Canvas(), Theme(), lambda _name: b"")
    draw(course, 1, Canvas(), Theme(), lambda _name: b"")


@settings(max_examples=60, deadline=None)
@given(title=WORDS, bullets=st.lists(WORDS, max_size=8), image=st.booleans(), cover=st.booleans())
def test_what_arithmetic_lets_through_fits(title: str, bullets: list[str], image: bool, cover: bool) -> None:
    slide = Slide(title=title[:200], bullets=tuple(b[:200] for b in bullets), image="x.png" if image else None)
    if checks._surely_fits(slide, cover=cover):
        layout(slide, Canvas(), cover=cover)


def test_common_characters_are_drawn_and_none_is_wider_than_high() -> None:
    kept = "".join(COMMON.split())
    assert drawable(kept, "") == kept
    for weight, size in (("Bold", 30), ("Bold", 52), ("Regular", 28)):
        assert max(font(weight, size).getlength(character) for character in COMMON) <= size  # type: ignore[arg-type]


def test_everything_is_said_in_both_languages_with_the_same_values() -> None:
    words = yaml.safe_load((files("service.render") / "wording.yaml").read_text())
    for table in words.values():
        for kind, (english, portuguese) in table.items():
            named = [
                sorted(name for _, name, _, _ in string.Formatter().parse(text) if name is not None)
                for text in (english, portuguese)
            ]
            assert named[0] == named[1], kind


def test_a_problem_is_told_in_the_language_that_is_asked_for() -> None:
    problem = Problem("string_too_long", ("scenes", 2, "bullets", 0), {"max_length": 5000})
    assert problem.told("en") == "scene 2, bullet 1: at most 5,000 characters: shorten it"
    assert problem.told("pt") == "cena 2, tópico 1: no máximo 5.000 caracteres: encurte"
    assert Problem("nothing_to_show", ("scenes", 0, "title")).told("pt").startswith("a capa, título: não sobra")
    assert [language_of(tag) for tag in ("pt-BR", "pt", "en-US", "es", "", "*")] == ["pt", "pt", "en", "en", "en", "en"]
