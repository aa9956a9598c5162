"""Which providers are configured, and in which order are they asked?"""

from dataclasses import dataclass, field, replace

from pydantic import SecretStr

from service.ai import azure, did, openai
from service.ai.base import Meter, ScriptWriter
from service.ai.calls import Caller, Limits
from service.ai.embedded import EmbeddedWriter
from service.ai.prices import price
from service.ai.settings import AISettings
from service.render.course import Course
from service.render.errors import ProviderError
from service.render.espeak import Espeak
from service.render.narration import Narrator, Presenter


@dataclass(frozen=True)
class Providers:
    """`narrators` in the order in which they are tried, the embedded one last."""

    narrators: tuple[Narrator, ...]
    presenter: Presenter | None
    meter: Meter
    _writers: tuple[tuple[str, ScriptWriter], ...] = field(repr=False)
    _callers: tuple[Caller, ...] = field(repr=False)

    def close(self) -> None:
        """Close the connections to the providers."""
        for caller in self._callers:
            caller.close()

    @property
    def paid(self) -> bool:
        """Does any of them cost money?"""
        return self.presenter is not None or len(self.narrators) > 1 or len(self._writers) > 1

    def embedded(self) -> "Providers":
        """Those alone that cost nothing."""
        return replace(self, narrators=self.narrators[-1:], presenter=None, _writers=self._writers[-1:])

    def write(self, course: Course) -> Course:
        """A narration for every scene, by the first writer that manages it; never fails, since the last is embedded."""
        for provider, writer in self._writers[:-1]:
            try:
                return writer.write(course)
            except ProviderError:
                self.meter.fallback(provider, "write")
        return self._writers[-1][1].write(course)


def build(settings: AISettings, meter: Meter) -> Providers:
    """The providers that the settings name; ValueError when one lacks its key or its price."""
    limits = Limits(timeout=settings.timeout, attempts=settings.attempts)
    embedded = Espeak(settings.embedded_speed)
    narrators: list[Narrator] = [embedded]
    writers: list[tuple[str, ScriptWriter]] = [("embedded", EmbeddedWriter())]
    callers: list[Caller] = []
    if "openai" in (settings.writer, settings.narrator):
        calls = openai.caller(_key(settings, "openai_key"), meter, settings.openai_url, limits)
        callers.append(calls)
        if settings.writer == "openai":
            price("openai", settings.openai_model)
            writers.insert(0, ("openai", openai.OpenAIWriter(calls, settings.openai_model)))
        if settings.narrator == "openai":
            price("openai", settings.openai_speech_model)
            narrators.insert(0, openai.OpenAINarrator(calls, settings.openai_voice, settings.openai_speech_model))
    if settings.narrator == "azure":
        region, url = settings.azure_region, settings.azure_url
        calls = azure.caller(_key(settings, "azure_key"), region, meter, url, limits)
        callers.append(calls)
        narrators.insert(0, azure.AzureNarrator(calls, settings.azure_voice))
    presenter = None
    if settings.presenter == "did":
        presenter = did.presenter(_key(settings, "did_key"), meter, settings.did_url, limits)
        callers += [presenter.caller, presenter.downloads]
    return Providers(tuple(narrators), presenter, meter, tuple(writers), tuple(callers))


def _key(settings: AISettings, name: str) -> SecretStr:
    key: SecretStr | None = getattr(settings, name)
    if key is None or not key.get_secret_value():
        raise ValueError(f"{name} is missing: set it, or choose the embedded provider")
    return key
