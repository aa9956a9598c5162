"""Local servers that speak the providers' HTTP APIs as their references describe them, and fail as they are told to."""

import json
import threading
import xml.etree.ElementTree as ET
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import stamina

from service.ai.base import Operation, Outcome
from service.ai.calls import Limits

KEY = "sk-planted-secret"
SAMPLES = bytes(range(256)) * 375  # 2 s at 24 kHz


@dataclass(frozen=True)
class Fault:
    """One answer that goes wrong. `hang` never answers, `trickle` sends a byte now and then, `cut` ends half way."""

    status: int = 200
    body: bytes = b"secret text of the course"
    headers: dict[str, str] = field(default_factory=dict)
    how: str = "answer"


@dataclass
class Fake:
    """A running fake: the faults still to come, and the requests that were seen."""

    server: ThreadingHTTPServer
    faults: deque[Fault] = field(default_factory=deque)
    seen: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)
    script: str | None = None
    talk: list[dict[str, Any]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    fake: Fake

    def log_message(self, *_: object) -> None:
        """Silent."""

    def do_GET(self) -> None:
        self.handle_request(b"")

    def do_POST(self) -> None:
        self.handle_request(self.rfile.read(int(self.headers["Content-Length"])))

    def handle_request(self, body: bytes) -> None:
        self.fake.seen.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body))
        if self.fake.faults:
            self.fail(self.fake.faults.popleft())
            return
        status, answer = self.answer(body)
        self.send(status, answer if isinstance(answer, bytes) else json.dumps(answer).encode())

    def send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def fail(self, fault: Fault) -> None:
        if fault.how == "hang":
            self.fake.stop.wait(30)
            self.close_connection = True
        elif fault.how == "trickle":
            self.send_response(200)
            self.send_header("Content-Length", "1000000")
            self.end_headers()
            while not self.fake.stop.wait(0.02):
                try:
                    self.wfile.write(b"x")
                except OSError:
                    break
            self.close_connection = True
        elif fault.how == "cut":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"half")
            self.close_connection = True
        else:
            self.send(fault.status, fault.body, fault.headers)

    def answer(self, body: bytes) -> tuple[int, Any]:
        posts = {
            "/v1/chat/completions": lambda: self.chat(json.loads(body)),
            "/v1/audio/speech": lambda: self.speech(json.loads(body)),
            "/cognitiveservices/v1": lambda: self.azure(body),
            "/images": lambda: self.upload("image", body),
            "/audios": lambda: self.upload("audio", body),
            "/talks": lambda: self.talk(json.loads(body)),
        }
        if self.command == "POST" and self.path in posts:
            return posts[self.path]()
        if self.path.startswith("/talks/"):
            return 200, self.fake.talk.pop(0)
        if self.path == "/film.mp4" and "Authorization" not in self.headers:
            return 200, b"\0\0\0\x18ftypmp42film"
        return 404, {"error": "no such route"}

    def bearer(self) -> bool:
        return self.headers.get("Authorization") == f"Bearer {KEY}"

    def chat(self, request: dict[str, Any]) -> tuple[int, Any]:
        if not self.bearer():
            return 401, {"error": {"message": "Incorrect API key provided"}}
        schema = request["response_format"]["json_schema"]
        if not (request["model"] and schema["strict"] and schema["schema"]["additionalProperties"] is False):
            return 400, {"error": {"message": "Invalid schema for response_format"}}
        scenes = json.loads(request["messages"][-1]["content"])["scenes"]
        script = json.dumps({"narrations": [f"Sobre {scene['title']}." for scene in scenes]})
        message = {"role": "assistant", "content": self.fake.script or script, "refusal": None}
        return 200, {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 1_000, "completion_tokens": 200, "total_tokens": 1_200},
        }

    def speech(self, request: dict[str, Any]) -> tuple[int, Any]:
        if not self.bearer():
            return 401, {"error": {"message": "Incorrect API key provided"}}
        if not 0 < len(request["input"]) <= 4_096 or request["response_format"] != "pcm" or not request["voice"]:
            return 400, {"error": {"message": "invalid input"}}
        if "instructions" in request and request["model"].startswith("tts-1"):
            return 400, {"error": {"message": "instructions not supported"}}
        return 200, SAMPLES

    def azure(self, body: bytes) -> tuple[int, Any]:
        if self.headers.get("Ocp-Apim-Subscription-Key") != KEY:
            return 401, b""
        if self.headers["Content-Type"] != "application/ssml+xml" or not self.headers.get("User-Agent"):
            return 415, b""
        if self.headers["X-Microsoft-OutputFormat"] != "raw-24khz-16bit-mono-pcm":
            return 400, b""
        speak = ET.fromstring(body)  # noqa: S314 # our own request
        spaces = "{http://www.w3.org/2001/10/synthesis}"
        voice = speak.find(f"{spaces}voice")
        if speak.tag != f"{spaces}speak" or voice is None or not voice.get("name", "").endswith("Neural"):
            return 400, b""
        return 200, SAMPLES

    def upload(self, kind: str, body: bytes) -> tuple[int, Any]:
        if self.headers.get("Authorization") != f"Basic {KEY}":
            return 401, {"kind": "AuthorizationError"}
        named = f'name="{kind}"'.encode() in body and b"filename=" in body
        if not named or not self.headers["Content-Type"].startswith("multipart/form-data; boundary="):
            return 400, {"kind": "ValidationError"}
        return 201, {"id": f"{kind}-1", "url": f"s3://d-id-{kind}s-prod/{kind}-1"}

    def talk(self, request: dict[str, Any]) -> tuple[int, Any]:
        if self.headers.get("Authorization") != f"Basic {KEY}":
            return 401, {"kind": "AuthorizationError"}
        script = {"type": "audio", "audio_url": "s3://d-id-audios-prod/audio-1"}
        if request != {"source_url": "s3://d-id-images-prod/image-1", "script": script}:
            return 400, {"kind": "ValidationError"}
        return 201, {"id": "tlk_abc123", "object": "talk", "status": "created"}


@pytest.fixture
def fake() -> Iterator[Fake]:
    handler = type("BoundHandler", (Handler,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    running = handler.fake = Fake(server)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield running
    running.stop.set()
    server.shutdown()
    server.server_close()
    thread.join()


@dataclass
class Counted:
    """A meter that remembers."""

    requests: list[tuple[str, Operation, Outcome]] = field(default_factory=list)
    tokens_seen: dict[tuple[str, str], int] = field(default_factory=dict)
    characters_seen: int = 0
    usd: float = 0
    breakers: list[bool] = field(default_factory=list)
    fallbacks: list[tuple[str, str]] = field(default_factory=list)

    def request(self, provider: str, operation: Operation, outcome: Outcome, seconds: float) -> None:
        assert seconds >= 0
        self.requests.append((provider, operation, outcome))

    def tokens(self, provider: str, direction: str, count: int) -> None:
        self.tokens_seen[provider, direction] = count

    def characters(self, provider: str, count: int) -> None:
        self.characters_seen += count

    def cost(self, provider: str, usd: float) -> None:
        self.usd += usd

    def breaker(self, provider: str, is_open: bool) -> None:
        self.breakers.append(is_open)

    def fallback(self, provider: str, operation: Operation) -> None:
        self.fallbacks.append((provider, operation))

    @property
    def outcomes(self) -> list[Outcome]:
        return [outcome for *_, outcome in self.requests]


@pytest.fixture
def meter() -> Counted:
    return Counted()


@pytest.fixture
def limits() -> Limits:
    """Impatient, so that what hangs is given up soon."""
    return Limits(timeout=0.3, total=20, attempts=3, wait=0.001)


@pytest.fixture(autouse=True)
def no_waiting() -> Iterator[None]:
    """Retries happen as configured, but without the waits between them."""
    with stamina.set_testing(True, attempts=3, cap=True):
        yield
