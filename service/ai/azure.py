"""How does Azure Speech read a text? Its text to speech REST API, with SSML."""

from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from pydantic import SecretStr

from service.ai.base import Meter
from service.ai.calls import Caller, Limits
from service.ai.prices import price
from service.ai.speech import pcm, read_in_parts
from service.render.course import Language
from service.render.narration import Narration

_RATE = 24_000
_LONGEST = 3_000  # characters per request: an answer may last ten minutes at most
_VOICES: dict[Language, tuple[str, str]] = {
    "pt-br": ("pt-BR", "pt-BR-FranciscaNeural"),
    "pt": ("pt-PT", "pt-PT-RaquelNeural"),
    "en-us": ("en-US", "en-US-JennyNeural"),
    "es": ("es-ES", "es-ES-ElviraNeural"),
    "es-419": ("es-MX", "es-MX-DaliaNeural"),
}


def caller(key: SecretStr, region: str, meter: Meter, base_url: str, limits: Limits | None = None) -> Caller:
    """Calls to Azure Speech in a region (lower-case letters and digits)."""
    if not region.isascii() or not region.isalnum():
        raise ValueError("azure region: lower-case letters and digits, such as brazilsouth")
    headers = {"Ocp-Apim-Subscription-Key": key.get_secret_value(), "User-Agent": "tecnocursos"}
    return Caller(
        "azure", base_url or f"https://{region}.tts.speech.microsoft.com", headers, meter=meter, limits=limits
    )


@dataclass(frozen=True)
class AzureNarrator:
    """A Narrator; `voice` overrides the voice of the course's language, such as pt-BR-AntonioNeural."""

    caller: Caller
    voice: str = ""

    @property
    def identity(self) -> str:
        """As Narrator."""
        return f"azure/neural/{self.voice or 'default'}"

    def read(self, text: str, language: Language) -> Narration:
        """As Narrator; the API tells no times, so each sentence's are estimated by its length."""
        return read_in_parts(text, _LONGEST, _RATE, lambda part: self._speak(part, language))

    def _speak(self, text: str, language: Language) -> bytes:
        locale, voice = _VOICES[language]
        ssml = (
            f'<speak version="1.0" xmlns="http://www.w3.org/2001/10/synthesis" xml:lang={quoteattr(locale)}>'
            f"<voice name={quoteattr(self.voice or voice)}>{escape(text)}</voice></speak>"
        )
        samples = self.caller.call(
            "speak",
            "POST",
            "cognitiveservices/v1",
            pcm,
            content=ssml.encode(),
            headers={
                "Content-Type": "application/ssml+xml",
                "X-Microsoft-OutputFormat": "raw-24khz-16bit-mono-pcm",
            },
        )
        self.caller.meter.characters("azure", len(text))
        self.caller.meter.cost("azure", price("azure", "neural").of(characters=len(text)))
        return samples
