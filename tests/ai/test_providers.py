"""Do the adapters speak their providers' APIs, count what they cost, and make way for the embedded ones?"""

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from pydantic import SecretStr, ValidationError

from service.ai import did
from service.ai.base import Unmetered
from service.ai.calls import Limits
from service.ai.did import FILMS, DidPresenter
from service.ai.prices import Price, price
from service.ai.registry import Providers, build
from service.ai.settings import AISettings
from service.render.course import Course, Scene
from service.render.errors import ProviderError
from service.render.narration import sentences
from service.render.pipeline import render
from tests.ai.conftest import KEY, SAMPLES, Counted, Fake, Fault

COURSE = Course(
    title="Curso",
    scenes=(
        Scene(title="Início", narration="Já escrita."),
        Scene(title="Dados", bullets=("um", "dois")),
        Scene(title="Fim"),
    ),
)


@pytest.fixture
def using(fake: Fake, meter: Counted) -> Iterator[Callable[..., Providers]]:
    """Providers with these settings that talk to the fake servers."""
    with ExitStack() as stack:

        def make(**chosen: object) -> Providers:
            keys = {"openai_key": KEY, "azure_key": KEY, "did_key": KEY}
            urls = {"openai_url": f"{fake.url}/v1", "azure_url": fake.url, "did_url": fake.url}
            made = build(AISettings.model_validate(keys | urls | {"timeout": 1.0} | chosen), meter)
            stack.callback(made.close)
            return made

        yield make


def test_openai_writes_only_what_is_missing_and_is_paid_for_its_tokens(using, fake, meter):
    written = using(writer="openai").write(COURSE)
    assert [scene.narration for scene in written.scenes] == ["Já escrita.", "Sobre Dados.", "Sobre Fim."]
    assert [scene.bullets for scene in written.scenes] == [scene.bullets for scene in COURSE.scenes]
    (_, path, _, body) = fake.seen[0]
    assert path == "/v1/chat/completions"
    assert json.loads(json.loads(body)["messages"][-1]["content"])["language"] == "pt-br"
    assert meter.tokens_seen == {("openai", "input"): 1_000, ("openai", "output"): 200}
    assert meter.usd == pytest.approx(0.25 * 1_000 / 1e6 + 2.0 * 200 / 1e6)
    using(writer="openai").write(written)
    assert len(fake.seen) == 1  # nothing was missing


@pytest.mark.parametrize(
    "script",
    ["no JSON", "{}", '{"narrations": []}', '{"narrations": ["a", "b", "c"]}', '{"narrations": ["a", ""]}',
     json.dumps({"narrations": ["a", "x" * 6_000]}), '{"narrations": ["a", 5]}'],
)  # fmt: skip
def test_a_senseless_script_makes_way_for_the_embedded_writer(using, fake, meter, script):
    fake.script = script
    written = using(writer="openai").write(COURSE)
    assert written.scenes[1].narration == "Vamos falar sobre Dados. um. dois."
    assert meter.fallbacks == [("openai", "write")]


def test_a_provider_that_is_down_makes_way_for_the_embedded_writer(using, fake, meter):
    fake.faults.extend([Fault(500)] * 3)
    written = using(writer="openai").write(COURSE)
    assert all(scene.narration for scene in written.scenes)
    assert meter.fallbacks == [("openai", "write")]
    assert meter.outcomes == ["error"] * 3


def test_the_embedded_writer_needs_nothing_and_repeats_itself():
    providers = build(AISettings(), Unmetered())
    for language in ("pt-br", "pt", "en-us", "es", "es-419"):
        course = COURSE.model_copy(update={"language": language})
        written = providers.write(course)
        assert written == providers.write(course)
        assert written.scenes[0] == COURSE.scenes[0]
        assert all(scene.narration for scene in written.scenes)


@pytest.mark.parametrize("provider", ["openai", "azure"])
def test_a_voice_reads_long_texts_in_parts_and_is_paid(using, fake, meter, provider):
    narrator = using(narrator=provider).narrators[0]
    text = "Uma frase de tamanho médio, com vírgula & sinal < e >. " * 120
    reading = narrator.read(text, "pt-br")
    parts = len(fake.seen)
    assert parts == {"openai": 5, "azure": 3}[provider]
    assert reading.rate == 24_000
    assert reading.seconds == pytest.approx(parts * (len(SAMPLES) / 2 / 24_000 + 0.25))
    assert [mark.text for mark in reading.marks] == sentences(text)
    assert [mark.start for mark in reading.marks] == sorted(mark.start for mark in reading.marks)
    assert meter.characters_seen == len(text.strip()) - (parts - 1)
    expected = {"openai": 0.015 * parts * 2 / 60, "azure": 16 * meter.characters_seen / 1e6}[provider]
    assert meter.usd == pytest.approx(expected, rel=0.01)


def test_text_cannot_leave_the_ssml_it_is_put_in(using, fake, meter):
    hostile = '</voice><audio src="http://169.254.169.254/"/><voice name="x">&xxe; ]]>'
    using(narrator="azure").narrators[0].read(hostile, "pt-br")
    (voice,) = ET.fromstring(fake.seen[0][3])  # noqa: S314 # our own request
    assert list(voice) == []
    assert voice.text == hostile


@pytest.mark.parametrize("language", ["pt-br", "pt", "en-us", "es", "es-419"])
@pytest.mark.parametrize("provider", ["openai", "azure"])
def test_every_language_of_a_course_has_a_voice(using, fake, meter, provider, language):
    assert using(narrator=provider).narrators[0].read("Olá.", language).samples
    assert meter.outcomes == ["ok"]


def test_older_openai_voices_take_no_instructions(using, fake, meter):
    using(narrator="openai", openai_speech_model="tts-1").narrators[0].read("Olá.", "pt-br")
    assert meter.outcomes == ["ok"]
    assert "instructions" not in json.loads(fake.seen[0][3])


@pytest.mark.parametrize("body", [b"", b"abc", b'{"error": "quota"}', b"RIFF\0\0\0\0", b"<html></html>!"])
def test_what_is_no_sound_is_never_played(using, fake, meter, body):
    fake.faults.extend([Fault(body=body)] * 3)
    with pytest.raises(ProviderError, match="makes no sense"):
        using(narrator="azure").narrators[0].read("Olá.", "pt-br")


def test_a_voice_that_is_down_makes_way_for_the_embedded_one_in_the_whole_video(using, fake, meter, tmp_path):
    fake.faults.extend([Fault(500)] * 50)
    course = Course(title="Curso", scenes=(Scene(title="Curso"), Scene(title="Fim")))
    done = render(course, tmp_path, narrators=using(narrator="openai").narrators)
    assert done.narrator == "embedded/espeak-ng/155"
    assert done.video.stat().st_size > 10_000


def talks(*states: dict[str, object]) -> list[dict[str, object]]:
    return [{"id": "tlk_abc123", **state} for state in states]


@pytest.fixture
def presenter(fake: Fake, meter: Counted, limits: Limits) -> Iterator[DidPresenter]:
    made = did.presenter(SecretStr(KEY), meter, fake.url, limits)
    films = re.compile(re.escape(fake.url))
    yield DidPresenter(made.caller, made.downloads, films, patience=30, interval=3, wait=lambda _: None)
    made.caller.close()
    made.downloads.close()


def test_a_presenter_is_asked_awaited_and_fetched_without_the_key(fake, meter, presenter):
    film = {"status": "done", "result_url": f"{fake.url}/film.mp4", "duration": 12.5}
    fake.talk = talks({"status": "created"}, {"status": "started"}, film)
    assert presenter.present(b"RIFF", b"face").endswith(b"film")
    asked = ["/images", "/audios", "/talks"]
    assert [path for _, path, _, _ in fake.seen] == [*asked, *["/talks/tlk_abc123"] * 3, "/film.mp4"]
    assert b"face" in fake.seen[0][3] and b"RIFF" in fake.seen[1][3]
    assert meter.outcomes == ["ok"] * 7 and meter.fallbacks == []
    assert meter.usd == pytest.approx(12.5 / 60 * price("did", "talks").per_minute)


@pytest.mark.parametrize(
    ("states", "told"),
    [
        ([{"status": "error"}], "its talk is 'error'"),
        ([{"status": "rejected"}], "its talk is 'rejected'"),
        ([{"status": "started"}] * 11, "its talk is 'started'"),
        ([{"status": "done", "result_url": "http://169.254.169.254/film.mp4"}], "outside its own hosts"),
        ([{"status": "done", "result_url": "file:///etc/passwd"}], "outside its own hosts"),
        ([{"status": "done", "result_url": ""}], "outside its own hosts"),
    ],
)
def test_a_presenter_that_makes_no_film_is_told(*, fake, presenter, meter, states, told):
    fake.talk = talks(*states)
    with pytest.raises(ProviderError, match=told):
        presenter.present(b"RIFF", b"face")
    assert not any("film" in path for _, path, _, _ in fake.seen)
    assert meter.fallbacks == [("did", "present")]


def test_a_presenter_s_answer_cannot_choose_another_path(fake, presenter):
    uploaded = [Fault(body=b'{"url": "s3://d-id/1"}')] * 2
    fake.faults.extend([*uploaded, *[Fault(body=b'{"id": "../credits", "status": "created"}')] * 3])
    with pytest.raises(ProviderError, match="makes no sense"):
        presenter.present(b"RIFF", b"face")


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("https://d-id-talks-prod.s3.us-west-2.amazonaws.com", True),
        ("https://api.d-id.com", True),
        ("https://d-id.com.evil.example", False),
        ("https://evil-d-id.com", False),
        ("https://d-id-talks.s3.amazonaws.com:8443", False),
        ("https://user@api.d-id.com", False),
        ("http://api.d-id.com", False),
    ],
)
def test_films_come_from_the_provider_s_own_hosts_only(host, allowed):
    assert bool(FILMS.fullmatch(host)) is allowed


@pytest.mark.parametrize(
    ("chosen", "told"),
    [
        ({"writer": "openai"}, "openai_key is missing: set it, or choose the embedded provider"),
        ({"narrator": "azure", "azure_key": ""}, "azure_key is missing"),
        ({"presenter": "did"}, "did_key is missing"),
        ({"writer": "openai", "openai_key": KEY, "openai_model": "gpt-99"}, "no price for model 'gpt-99' of openai"),
        ({"narrator": "azure", "azure_key": KEY, "azure_region": "evil.example/"}, "azure region: lower-case"),
    ],
)
def test_a_wrong_choice_of_providers_is_told_at_the_start(chosen, told):
    with pytest.raises(ValueError, match=re.escape(told)):
        build(AISettings.model_validate(chosen), Unmetered())


def test_keys_are_not_shown_and_unknown_settings_are_refused():
    chosen = AISettings(openai_key=SecretStr(KEY))
    assert KEY not in repr(chosen) + str(chosen) + chosen.model_dump_json()
    with pytest.raises(ValidationError, match="narator"):
        AISettings.model_validate({"narator": "azure"})


def test_prices_add_up_by_unit():
    each = Price(per_million_input_tokens=1, per_million_output_tokens=2, per_million_characters=3, per_minute=4)
    assert each.of(input_tokens=1_000_000, output_tokens=500_000, characters=1_000_000, seconds=90) == 1 + 1 + 3 + 6
    assert price("azure", "neural").per_million_characters > 0
