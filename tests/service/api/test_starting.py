"""Is everything that a command lacks at its start told in one line, with exit code 2 and without a secret?

Kubernetes keeps the last lines of a pod that failed as its termination message.
"""

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from service import __main__ as cli
from service.settings import PREFIX

SERVING, SHORT = ("api", "worker"), ("migrate", "sweep")
EVERY = (*SERVING, *SHORT, "openapi", "sample")
SECRET = "hunter2-hunter2"
ELSEWHERE = {"REGION": "us-east-1", "AWS_SECRET": "service", "AWS_ENDPOINT": "http://127.0.0.1:1"}

LACKING: dict[str, tuple[tuple[str, ...], dict[str, str], str]] = {
    "settings of the wrong kind": (EVERY, {"DATABASE__POOL_SIZE": SECRET}, "database.pool_size: Input should be a"),
    "settings that are no JSON": (EVERY, {"SECURITY__TOKEN_KEYS": SECRET}, 'error parsing value for field "security"'),
    "unsafe settings": (EVERY, {"ENVIRONMENT": "staging"}, "database.url is SQLite: several pods cannot share a file"),
    "no URL of a database": (
        EVERY,
        {"DATABASE__URL": f"mysql://a:{SECRET}@h:x{SECRET}/n"},
        "database.url: Value error",
    ),
    "no URL of a cache": (EVERY, {"CACHE__URL": f"http://{SECRET}"}, "cache.url: String should match pattern"),
    "half a cache user": (SERVING, {"CACHE__URL": "redis://127.0.0.1:1", "CACHE__AUTHENTICATION": "iam"}, "cache.user"),
    "no bundle": (
        (*SERVING, *SHORT),
        {"DATABASE__URL": "mysql+asyncmy://a@h/n", "DATABASE__CERTIFICATE_AUTHORITY": "/no/bundle"},
        "No such file or directory",
    ),
    "no endpoint of a store": (
        SERVING,
        {"MEDIA__BUCKET": "media", "MEDIA__ENDPOINT": "store.example"},
        "Invalid endpoint: store.example",
    ),
    "no tracker": (SERVING, {"LOGS__TRACKER_URL": f"nonsense://{SECRET}"}, "BadDsn: "),
    "no folder for the log": (SERVING, {"LOGS__FILE": "/dev/null/log"}, "FileExistsError: "),
    "no secret in AWS": (EVERY, ELSEWHERE, "EndpointConnectionError: "),
    "no file of a database": (SERVING, {"DATABASE__URL": "sqlite+aiosqlite:////no/x"}, "the database refused or does"),
    "no database": (SHORT, {"DATABASE__URL": "mysql+asyncmy://app@127.0.0.1:1/t"}, "does not answer: OperationalError"),
    "no key of a provider": (("worker",), {"AI__NARRATOR": "openai"}, "openai_key is missing"),
    "no folder to work in": (("worker",), {"WORKER__FOLDER": "/dev/null/work"}, "NotADirectoryError: "),
}


@pytest.fixture(autouse=True)
def restored(served: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Commands configure the log of their process."""
    chosen = {"LOGS__SINK": "file", "LOGS__FILE": str(tmp_path / "log"), "DATABASE__POOL_TIMEOUT": "0.01"}
    chosen |= {"DATABASE__URL": f"sqlite+aiosqlite:///{tmp_path}/x", "MEDIA__FOLDER": str(tmp_path / "media")}
    for name, value in (chosen | {"WORKER__FOLDER": str(tmp_path / "work")}).items():
        monkeypatch.setenv(f"{PREFIX}{name}", value)
    for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY"):
        monkeypatch.setenv(f"AWS_{name}", "test")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    for part in ("uvicorn.Server.serve", "service.worker.runner.Runner.run"):  # or a test would wait for its end
        monkeypatch.setattr(part, begun)
    yield
    from service.telemetry import logs, tracker

    runtime = served.state.runtime
    logs.configure(runtime.settings.logs, runtime.sink)
    tracker.install(runtime.settings)


async def begun(*_: Any) -> None:
    raise AssertionError("nothing was lacking")


def refused(command: str, capsys: pytest.CaptureFixture[str]) -> str:
    """The one line of a command that cannot begin."""
    arguments = [command, "--metrics-port", str(free_port())] if command in SERVING else [command]
    if command == "api":
        arguments += ["--port", str(free_port())]
    capsys.readouterr()
    assert cli.main(arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert SECRET not in line and "Traceback" not in line
    return line


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # of a file that does not open
@pytest.mark.parametrize(
    ("what", "command"), [(what, command) for what, (commands, *_) in LACKING.items() for command in commands]
)
def test_what_is_lacking_is_told_in_one_line(
    what: str, command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _, environment, told = LACKING[what]
    for name, value in environment.items():
        monkeypatch.setenv(f"{PREFIX}{name}", value)
    assert told in refused(command, capsys)


def test_a_secret_that_is_no_json_or_not_there_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import boto3
    from moto.server import ThreadedMotoServer

    port = free_port()
    server = ThreadedMotoServer("127.0.0.1", port, verbose=False)
    server.start()
    try:
        for name, value in (ELSEWHERE | {"AWS_ENDPOINT": f"http://127.0.0.1:{port}"}).items():
            monkeypatch.setenv(f"{PREFIX}{name}", value)
        assert "ResourceNotFoundException" in refused("worker", capsys)
        client = boto3.client("secretsmanager", "us-east-1", endpoint_url=f"http://127.0.0.1:{port}")
        client.create_secret(Name="service", SecretString=SECRET)
        assert "JSONDecodeError" in refused("worker", capsys)
    finally:
        server.stop()


def test_a_damaged_secret_file_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "security__token_keys").write_text(SECRET)
    monkeypatch.setenv(f"{PREFIX}SECRETS_DIR", str(tmp_path))
    assert 'error parsing value for field "security"' in refused("api", capsys)


def test_a_port_that_is_taken_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert cli.main(["api", "--port", str(taken.getsockname()[1])]) == 2
    assert "Address already in use" in capsys.readouterr().err


@pytest.mark.parametrize("command", [*SERVING, *SHORT])
def test_a_database_that_refuses_is_told(
    backend: str, command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if backend == "sqlite":
        pytest.skip("a file refuses nobody")
    url = make_url(os.environ["TECNOCURSOS_TEST_MYSQL"]).set(password=None, database="none")
    monkeypatch.setenv(f"{PREFIX}DATABASE__URL", url.render_as_string())
    monkeypatch.setenv(f"{PREFIX}DATABASE__PASSWORD", SECRET)
    assert refused(command, capsys) == "the database refused or does not answer: OperationalError 1045"


@pytest.mark.needs_redis
def test_a_cache_that_refuses_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """To the API alone: a worker's role may not open the cache, and `tests/permissions` holds that it never tries."""
    host = os.environ["TECNOCURSOS_TEST_REDIS"].rpartition("@")[2]
    monkeypatch.setenv(f"{PREFIX}CACHE__URL", f"redis://{host}")
    monkeypatch.setenv(f"{PREFIX}CACHE__PASSWORD", SECRET)
    assert "AuthenticationError" in refused("api", capsys)
