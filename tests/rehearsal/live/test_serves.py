"""Does `make live` serve? One course becomes a video through the front door, and afterwards nothing is left."""

import json
import os
import ssl
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
HOST = "dev.tecnocursos.localhost"
OUTLINE = "# Light\n\nWelcome.\n\n## What is light?\n\n- Energy\n\nLight is energy that travels.\n"


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("r")
    env = os.environ | {"REHEARSAL_DIR": str(folder)}
    done = subprocess.run(["make", "--silent", "live"], cwd=ROOT, env=env, check=False)
    try:
        assert done.returncode == 0
        yield folder / "live" / "run"
    finally:
        subprocess.run(["make", "--silent", "live-stop"], cwd=ROOT, env=env, check=True)
    assert left(folder) == []


def left(folder: Path) -> list[str]:
    """Processes that name the folder."""
    found = []
    for status in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = status.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(folder) in words and "pytest" not in words:
            found.append(words)
    return found


def test_an_outline_becomes_a_video_through_the_front_door(live: Path) -> None:
    port = json.loads((live / "ready").read_text())["viewer"]
    trusted = ssl.create_default_context(cafile=str(live / "authority" / "authority.crt"))
    trusted.check_hostname = False  # the name leads to this machine; the test goes there by address
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trusted))
    token: dict[str, str] = {}

    def call(method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"host": f"{HOST}:{port}", "content-type": "application/json", **token}
        address = path if path.startswith("https") else f"https://127.0.0.1:{port}/api/v1{path}"
        request = urllib.request.Request(  # noqa: S310 (our own address)
            address.replace(f"{HOST}:{port}", f"127.0.0.1:{port}"), data, headers, method=method
        )
        with opener.open(request, timeout=60) as answer:
            content = answer.read()
            return json.loads(content) if "json" in answer.headers["content-type"] else content

    account = {"email": "ana@example.com", "name": "Ana", "password": "from outline to video"}
    call("POST", "/users", account)
    login = {key: account[key] for key in ("email", "password")}
    token["authorization"] = f"Bearer {call('POST', '/sessions', login)['access_token']}"
    project = call("POST", "/projects/import", {"outline": OUTLINE})
    video = call("POST", f"/projects/{project['id']}/videos")
    deadline = time.monotonic() + 300
    while video["status"] not in {"done", "failed"}:
        assert time.monotonic() < deadline, video
        time.sleep(1)
        video = call("GET", f"/videos/{video['id']}")
    assert video["status"] == "done", video["message"]
    link = call("GET", f"/projects/{project['id']}/watch")["video"]["url"]
    assert HOST in link and b"ftyp" in call("GET", link)[:32]
    audit = json.loads((live / "audit.json").read_text())
    assert audit["refused"] == []
