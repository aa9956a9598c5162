"""Which providers are there to choose from?"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr


class AISettings(BaseModel):
    """The providers in use. A provider that is named needs its key; the embedded ones always stand by."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    writer: Literal["embedded", "openai"] = "embedded"
    narrator: Literal["embedded", "openai", "azure"] = "embedded"
    presenter: Literal["none", "did"] = "none"
    openai_key: SecretStr | None = None
    openai_url: str = "https://api.openai.com/v1"
    openai_model: str = "gpt-5-mini"
    openai_speech_model: str = "gpt-4o-mini-tts"
    openai_voice: str = "marin"
    azure_key: SecretStr | None = None
    azure_region: str = "brazilsouth"
    azure_url: str = ""
    azure_voice: str = ""
    did_key: SecretStr | None = None
    did_url: str = "https://api.d-id.com"
    embedded_speed: int = Field(default=155, ge=80, le=450)
    timeout: float = Field(default=30.0, gt=0, le=120)
    attempts: int = Field(default=3, ge=1, le=5)
