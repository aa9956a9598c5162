"""What do the processes of an environment do all day? An upload, a course, a video; and what silent workers left."""

import base64
import hashlib
import ssl
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import httpx
import pymysql

from tests.permissions.process import PATIENCE, Process
from tests.permissions.region import Region

PASSWORD = "correct horse battery"
PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAEElEQVR4nGP4z8AARAwQCgAf7gP9i18U1AAAAABJRU5ErkJggg=="
)


class Person:
    """Somebody at the address of the service; links lead them to the store."""

    def __init__(self, region: Region, url: str) -> None:
        self._region, self._url = region, url
        trust = ssl.create_default_context(cafile=str(region.authority.certificate))
        self._client = httpx.Client(timeout=PATIENCE, verify=trust)
        self._headers: dict[str, str] = {}

    def ask(self, method: str, path: str, expected: int, **options: Any) -> Any:
        """One request to the API; its answer."""
        answer = self._client.request(method, f"{self._url}{path}", headers=self._headers, **options)
        assert answer.status_code == expected, f"{method} {path}: {answer.status_code} {answer.text[:500]}"
        return answer.json() if answer.content else None

    def follow(self, link: dict[str, Any], content: bytes = b"") -> httpx.Response:
        """A presigned link, to the stand-in that has the bucket's name."""
        parts = urlsplit(link["url"])
        port = self._region.hosts[f"*.{parts.hostname.partition('.')[2]}:443"] if parts.hostname else 0
        return self._client.request(
            link.get("method", "GET"),
            parts._replace(scheme="https", netloc=f"127.0.0.1:{port}").geturl(),
            headers={**link.get("headers", {}), "host": str(parts.netloc)},
            content=content,
            extensions={"sni_hostname": str(parts.hostname)},
        )

    def close(self) -> None:
        """Go away."""
        self._client.close()

    def arrive(self) -> None:
        """Register and log in."""
        self.ask("POST", "/api/v1/users", 201, json={"email": "ana@example.com", "name": "Ana", "password": PASSWORD})
        login = {"email": "ana@example.com", "password": PASSWORD}
        self._headers["authorization"] = (
            f"Bearer {self.ask('POST', '/api/v1/sessions', 201, json=login)['access_token']}"
        )

    def upload(self) -> str:
        """A picture; its id. It is asked for before it is there, too."""
        announced = {
            "name": "folha.png",
            "content_type": "image/png",
            "size": len(PICTURE),
            "sha256": hashlib.sha256(PICTURE).hexdigest(),
        }
        media = self.ask("POST", "/api/v1/media", 201, json=announced)
        self.ask("POST", f"/api/v1/media/{media['id']}/complete", 409)
        other = self.follow(media["upload"], PICTURE[:-1] + b"?")
        assert other.status_code in (400, 403), f"content that was not announced: {other.status_code}"
        sent = self.follow(media["upload"], PICTURE)
        assert sent.status_code == 200, f"upload: {sent.status_code} {sent.text}"
        assert self.ask("POST", f"/api/v1/media/{media['id']}/complete", 200)["status"] == "ready"
        assert self.follow(self.ask("GET", f"/api/v1/media/{media['id']}/download", 200)).content == PICTURE
        return str(media["id"])

    def course(self, picture: str) -> str:
        """A course of one short scene; its path."""
        project = self.ask("POST", "/api/v1/projects", 201, json={"title": "Luz"})
        scene = {"title": "Folha", "text": "Luz", "narration": "Luz.", "image_id": picture}
        self.ask("POST", f"/api/v1/projects/{project['id']}/scenes", 201, json=scene)
        return f"/api/v1/projects/{project['id']}"

    def video(self, course: str) -> str:
        """Ask for a video of a course; its id."""
        return str(self.ask("POST", f"{course}/videos", 202)["id"])

    def watched(self, video: str, worker: Process) -> None:
        """Wait until a video is made, and look at its files."""
        path = f"/api/v1/videos/{video}"
        wait(lambda: self.ask("GET", path, 200)["status"] in ("done", "failed") or worker.ended)
        state = self.ask("GET", path, 200)
        assert state["status"] == "done", f"{state}\n{worker.told()}"
        for part, start in (("result", b"ftyp"), ("captions", b"WEBVTT"), ("thumbnail", b"\xff\xd8")):
            assert start in self.follow(self.ask("GET", f"{path}/{part}", 200)).content[:12]


def fallen_silent(region: Region, video: str) -> None:
    """What a worker that was killed leaves: a running job whose lease has passed."""
    name = region.one("aws:rds/instance:Instance")["dbName"]
    change = "UPDATE video SET status = 'running', attempt = 1, lease_until = '2020-01-01' WHERE id = %s"
    connection = pymysql.connect(unix_socket=region.socket, user="root", database=name, autocommit=True)
    with connection, connection.cursor() as cursor:
        assert cursor.execute(change, (video,)) == 1


def wait(met: Callable[[], bool]) -> None:
    """Until something is so. Raises TimeoutError."""
    deadline = time.monotonic() + PATIENCE
    while not met():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.2)
