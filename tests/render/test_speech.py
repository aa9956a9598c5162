"""Is every word read, at the time that the captions say?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.render.captions import webvtt
from service.render.course import Language
from service.render.errors import CourseError, RenderError
from service.render.espeak import Espeak
from service.render.narration import Mark, sentences, speakable, spread


@given(st.text("abc çã.,;!? ", max_size=1500))
def test_cutting_into_sentences_loses_nothing(text):
    parts = sentences(" ".join(text.split()))
    assert "".join(parts).replace(" ", "") == "".join(text.split())
    assert all(0 < len(part) <= 300 for part in parts)


@given(st.text("abc. ", min_size=1, max_size=300), st.floats(0.1, 500))
def test_spread_marks_fill_the_reading_in_order(text, seconds):
    marks = spread(" ".join(text.split()), seconds)
    ends = [0.0] + [mark.end for mark in marks]
    assert [mark.start for mark in marks] == ends[:-1]
    assert not marks or ends[-1] == pytest.approx(seconds)


def test_emoji_are_not_spoken_but_signs_are():
    assert speakable("Está 25 °C 🚀 ➡️ já") == "Está 25 °C já"


@pytest.mark.parametrize("language", ["pt-br", "pt", "en-us", "es", "es-419"])
def test_every_language_of_a_course_has_an_embedded_voice(language: Language):
    assert Espeak().read("Um, dois.", language).seconds > 0.5


def test_the_times_of_sentences_are_where_the_sound_is():
    reading = Espeak().read("Bem-vindo ao curso. Vamos começar!", "pt-br")
    assert [mark.text for mark in reading.marks] == ["Bem-vindo ao curso.", "Vamos começar!"]
    first, second = reading.marks
    between = reading.samples[2 * round(first.end * reading.rate) : 2 * round(second.start * reading.rate)]
    assert between.count(0) == len(between) > 0
    for mark in reading.marks:
        said = reading.samples[2 * round(mark.start * reading.rate) : 2 * round(mark.end * reading.rate)]
        assert said.count(0) < len(said) / 2


def test_faster_is_shorter_and_another_identity():
    slow, fast = Espeak(speed=120), Espeak(speed=240)
    assert slow.read("Vamos contar.", "pt-br").seconds > 1.4 * fast.read("Vamos contar.", "pt-br").seconds
    assert slow.identity != fast.identity


def test_nothing_to_say_is_the_author_s_turn_and_a_missing_voice_is_ours():
    with pytest.raises(CourseError, match="nothing to say: write some words"):
        Espeak().read("🚀", "pt-br")
    with pytest.raises(RenderError, match="no voice 'xx'"):
        Espeak().read("Olá", "xx")  # type: ignore[arg-type]


def test_markup_in_the_text_is_read_as_text():
    plain = Espeak().read("a break b", "en-us").seconds
    assert Espeak().read('a <break time="60s"/> b', "en-us").seconds < plain + 5


def test_captions_are_cut_into_two_short_lines_and_escaped():
    text = "Se a < b && c, então " + "muito texto corrido " * 8
    lines = webvtt([Mark(3599.5, 3610.25, text)]).splitlines()
    assert lines[0] == "WEBVTT"
    assert lines[2].startswith("01:00:00.000 --> ".replace("01:00:00.000", "00:59:59.500"))
    assert "Se a &lt; b &amp;&amp; c" in lines[3]
    assert [line for line in lines if "-->" in line][-1].endswith("01:00:10.250")
    assert max(len(line) for line in lines if "-->" not in line and "&" not in line) <= 42
