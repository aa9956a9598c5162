"""Does an outline become the course that its author meant, or a message that says what to mend?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.render.course import Course, Scene, clean
from service.render.errors import CourseError
from service.render.outline import parse


def test_the_parts_of_a_scene():
    course = parse(
        "# Olá, *mundo*\nBem-vindo\nao curso.\n\n## Dados\n- um **dois**\n- `três`\n\n"
        "![Um gráfico](pasta/o%20mapa.png)\n\nFala [um](x).\n\nFala dois.\n"
    )
    assert course.title == "Olá, mundo"
    assert course.scenes == (
        Scene(title="Olá, mundo", narration="Bem-vindo ao curso."),
        Scene(
            title="Dados",
            bullets=("um dois", "três"),
            narration="Fala um. Fala dois.",
            image="pasta/o mapa.png",
            caption="Um gráfico",
        ),
    )


def test_without_narration_the_slide_is_read_out():
    assert Scene(title="Laços", bullets=("repetem;", "terminam.")).speech == "Laços. repetem. terminam."


@pytest.mark.parametrize(
    ("outline", "told"),
    [
        ("", "empty: begin with a line '# Course title'"),
        ("texto", "line 1: text before the title"),
        ("# a\n\n# b", "line 3: one '# Course title' comes first"),
        ("# a\n### b", "heading of level 3"),
        ("# a\n```\nx\n```", "line 2: an outline has no code blocks: show code as an image"),
        ("# a\n- b\n  - c", "a bullet holds one line of text"),
        ("# a\n\n![x](x.png)\n![y](y.png)", "a second image: one per scene"),
        ("# a\n## b\n" + "y" * 50_000, "line 2, scene 1, narration: at most 5,000 characters: shorten it"),
        ("# a\n## b\n- " + "y" * 50_000, "line 2, scene 1, bullet 1: at most 200 characters"),
        ("# " + "y" * 50_000, "line 1, the cover, title: at most 200 characters"),
        ("# a\n" + "## b\ny\n" * 201, "scenes: at most 201"),
        ("# a\n" + "".join(f"## b\n{'y' * 4_900}\n" for _ in range(20)), "98,002 characters to speak, at most 60,000"),
        ("#" + " x" * 250_000, "larger than 250,000 bytes"),
        ("# a\n![x](http://169.254.169.254/latest/meta-data)", "images are not fetched from addresses"),
        ("# a\n![x](//evil.example/x.png)", "images are not fetched from addresses"),
        ("# a\n![x](file:///etc/passwd)", "images are not fetched from addresses"),
        ("# a\n![x](../../etc/passwd)", "an image is a relative file name"),
        ("# a\n![x](..%2f..%2fetc/passwd)", "an image is a relative file name"),
        ("# a\n![x](/etc/passwd)", "an image is a relative file name"),
        ("# a\n![x](.hidden.png)", "an image is a relative file name"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_remedy(outline: str, told: str):
    with pytest.raises(CourseError) as caught:
        parse(outline)
    assert told in str(caught.value)
    assert len(str(caught.value)) < 1_000


@given(st.text(max_size=300) | st.text("#-*![]()<>`_ \nab./:", max_size=300))
def test_any_text_is_a_course_or_a_told_mistake(text: str):
    try:
        course = parse("# a\n" + text)
    except CourseError as error:
        assert str(error)
    else:
        assert isinstance(course, Course)


@given(st.text(max_size=200))
def test_cleaned_text_has_nothing_invisible_and_stays_clean(text: str):
    cleaned = clean(text)
    assert cleaned == clean(cleaned)
    assert all(c == " " or c.isprintable() for c in cleaned)


def test_accents_typed_as_two_characters_become_one():
    assert clean("a\u0301ca\u0303o\u200b") == "ácão"
