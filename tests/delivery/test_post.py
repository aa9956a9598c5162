"""Is a comment written once and then renewed, behind any number of others? Asked of a server on the loopback."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from delivery import post
from delivery.engine import DeliveryError

TOKEN = "token-of-a-test"


class GitHub(BaseHTTPRequestHandler):
    """The three calls of GitHub's issue comments that matter here."""

    def answer(self, code: int, content: object) -> None:
        body = json.dumps(content).encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def sent(self) -> dict[str, str]:
        loaded: dict[str, str] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        return loaded

    def do_GET(self) -> None:
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            self.answer(403, {})
            return
        query = parse_qs(urlsplit(self.path).query)
        size, page = int(query["per_page"][0]), int(query["page"][0])
        self.answer(200, self.server.comments[(page - 1) * size : page * size])

    def do_POST(self) -> None:
        number = len(self.server.comments)
        url = f"http://127.0.0.1:{self.server.server_port}/comments/{number}"
        self.server.comments.append({"url": url} | self.sent())
        self.answer(201, {})

    def do_PATCH(self) -> None:
        self.server.comments[int(self.path.rpartition("/")[2])] |= self.sent()
        self.answer(200, {})

    def log_message(self, *_: object) -> None:
        """Quiet."""


class Server(ThreadingHTTPServer):
    comments: list[dict[str, str]]


@pytest.fixture
def github() -> Iterator[Server]:
    server = Server(("127.0.0.1", 0), GitHub)
    server.comments = []
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def environment(server: Server, token: str = TOKEN) -> dict[str, str]:
    url = f"http://127.0.0.1:{server.server_port}"
    return {"GITHUB_API_URL": url, "GITHUB_REPOSITORY": "o/r", "GITHUB_TOKEN": token, "PULL_REQUEST": "7"}


def written(folder: Path, name: str, text: str) -> None:
    (folder / name).mkdir(exist_ok=True)
    (folder / name / "comment.md").write_text(f"<!-- delivery-preview: {name} -->\n{text}\n")


def test_a_second_run_renews_its_comments_behind_two_pages_of_others(github: Server, tmp_path: Path) -> None:
    github.comments = [{"url": f"/comments/{number}", "body": "looks good"} for number in range(230)]
    for text in ("first", "second"):
        for name in ("dev", "production"):
            written(tmp_path, name, f"{text} {name}")
        assert post.post(tmp_path, environment(github)) == 2
    assert [one["body"].splitlines()[1] for one in github.comments[230:]] == ["second dev", "second production"]


def test_a_refusal_says_what_was_asked_and_not_the_token(github: Server, tmp_path: Path) -> None:
    written(tmp_path, "dev", "text")
    with pytest.raises(DeliveryError) as refused:
        post.post(tmp_path, environment(github, "another-token"))
    assert str(refused.value) == "GitHub answered 403 to GET of a comment"


def test_what_is_missing_is_named(github: Server, tmp_path: Path) -> None:
    with pytest.raises(DeliveryError, match=r"GITHUB_TOKEN: not set"):
        post.post(tmp_path, environment(github) | {"GITHUB_TOKEN": ""})
    with pytest.raises(DeliveryError, match=r"no comment\.md"):
        post.post(tmp_path, environment(github))
