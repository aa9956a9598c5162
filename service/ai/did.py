"""How does D-ID make a portrait speak? Its talks API: ask, wait, fetch the film."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, SecretStr, StringConstraints

from service.ai.base import Meter
from service.ai.calls import Caller, Limits
from service.ai.prices import price
from service.render.errors import ProviderError

FILMS = re.compile(r"https://((?:[a-z0-9-]+\.)*d-id\.com|d-id-[a-z0-9-]+\.s3(?:\.[a-z0-9-]+)?\.amazonaws\.com)")


class _Upload(BaseModel):
    url: Annotated[str, StringConstraints(pattern=r"^(s3|https)://\S{1,500}$")]


class _Talk(BaseModel):
    id: Annotated[str, StringConstraints(pattern=r"^[\w-]{1,100}$")]
    status: Literal["created", "started", "done", "error", "rejected"]
    result_url: str = ""
    duration: float = 0


def presenter(key: SecretStr, meter: Meter, base_url: str, limits: Limits | None = None) -> "DidPresenter":
    """A presenter with a key as D-ID's studio shows it. Films are fetched by a second caller, without the key."""
    headers = {"Authorization": f"Basic {key.get_secret_value()}"}
    return DidPresenter(
        Caller("did", base_url, headers, meter=meter, limits=limits), Caller("did", "", {}, meter=meter, limits=limits)
    )


@dataclass(frozen=True)
class DidPresenter:
    """A Presenter. Films are fetched only from D-ID's own hosts, by https."""

    caller: Caller
    downloads: Caller
    films: re.Pattern[str] = FILMS
    patience: float = 300.0  # seconds until a film must be ready
    interval: float = 3.0
    wait: Callable[[float], None] = field(default=time.sleep, repr=False)
    identity: str = "did/talks"

    def present(self, sound: bytes, portrait: bytes) -> bytes:
        """As Presenter; both are uploaded, so that no link to them is needed."""
        try:
            image = self._upload("images", {"image": ("portrait.jpg", portrait, "image/jpeg")})
            speech = self._upload("audios", {"audio": ("speech.wav", sound, "audio/wav")})
            return self._talk({"source_url": image, "script": {"type": "audio", "audio_url": speech}})
        except ProviderError:
            self.caller.meter.fallback("did", "present")
            raise

    def _upload(self, path: str, files: dict[str, tuple[str, bytes, str]]) -> str:
        return self.caller.call("present", "POST", path, _Upload.model_validate_json, files=files).url

    def _talk(self, body: dict[str, object]) -> bytes:
        talk = self.caller.call("present", "POST", "talks", _Talk.model_validate_json, json=body)
        for _ in range(round(self.patience / self.interval)):
            if talk.status in ("done", "error", "rejected"):
                break
            self.wait(self.interval)
            talk = self.caller.call("present", "GET", f"talks/{talk.id}", _Talk.model_validate_json)
        if talk.status != "done":
            raise ProviderError(f"did made no film: its talk is '{talk.status}' (present)")
        self.caller.meter.cost("did", price("did", "talks").of(seconds=talk.duration))
        return self._film(talk.result_url)

    def _film(self, address: str) -> bytes:
        parts = urlsplit(address)
        if not self.films.fullmatch(f"{parts.scheme}://{parts.netloc}"):
            raise ProviderError("did named a film outside its own hosts (present)")
        return self.downloads.call("present", "GET", address, _mp4)


def _mp4(body: bytes) -> bytes:
    if body[4:8] != b"ftyp":
        raise ValueError("not an MP4")
    return body
