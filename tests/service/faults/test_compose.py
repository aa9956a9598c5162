"""Do the service's parts of compose.yaml work with their mounts, user, settings and secrets? In a sandbox for a Docker.

The root is read-only and empty but for Python, the locked packages and the service: what the image has.
"""

import asyncio
import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.service import servers

ROOT = Path(__file__).resolve().parents[3]
VOLUMES = {"media": "/media", "work": "/work"}
SECRETS = {
    "database_root": "root-of-a-test",
    "database__password": "database-of-a-test",
    "cache__password": "cache-of-a-test",
    "worker__broker_password": "cache-of-a-test",
    "security__token_keys": '["a-key-of-a-test-0123456789-0123456789"]',
}


class Cache(servers.Redis):
    """With a password for everybody, as the composed one."""

    def command(self) -> list[str]:
        return ["redis-server", "--bind", "127.0.0.1", "--port", str(self.port), "--requirepass", self._password()]

    def url(self, user: str = "default") -> str:
        return f"redis://:{self._password()}@127.0.0.1:{self.port}/0"

    def _password(self) -> str:
        return SECRETS["cache__password"]


class Composition:
    """The parts of compose.yaml that are the service's, each started as its container would be."""

    def __init__(self, folder: Path, database: int, cache: int) -> None:
        self.parts: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
        self.folder, self.ports = folder, {"database": database, "cache": cache}
        for name in (*VOLUMES, "secrets"):
            (folder / name).mkdir()
        for name, content in SECRETS.items():
            (folder / "secrets" / name).write_text(content + "\n")
        dockerfile = (ROOT / "service/Dockerfile").read_text()
        (self.user,) = re.findall(r"^USER (\d+):", dockerfile, re.MULTILINE)
        self.entrypoint: list[str] = yaml.safe_load(re.findall(r"^ENTRYPOINT (.*)", dockerfile, re.MULTILINE)[0])

    def command(self, name: str, *more: str) -> list[str]:
        """What starts a part, with arguments of the test's after its own."""
        part = self.parts[name]
        assert part["read_only"]
        words = [*part.get("entrypoint", self.entrypoint), *part.get("command", ()), *more]
        box = ["bwrap", "--unshare-user", "--unshare-pid", "--unshare-ipc", "--die-with-parent", "--clearenv"]
        box += ["--uid", self.user, "--gid", self.user, "--cap-drop", "ALL", "--proc", "/proc", "--dev", "/dev"]
        for path in ("/usr", "/etc/ssl", sys.base_prefix):
            box += ["--ro-bind", path, path]
        for path in ("/bin", "/lib", "/lib64", "/sbin"):
            if Path(path).is_symlink():
                box += ["--symlink", str(Path(path).readlink()), path]
        box += ["--tmpfs", "/usr/share", "--ro-bind", sys.prefix, "/venv"]
        box += ["--ro-bind", str(ROOT / "service"), "/app/service", "--chdir", "/app"]
        for path in part["tmpfs"]:
            box += ["--tmpfs", path]
        for volume in part["volumes"]:
            source, _, target = volume.partition(":")
            box += ["--bind", str(self.folder / source), target]
        for secret in part["secrets"]:
            box += ["--ro-bind", str(self.folder / "secrets" / secret), f"/run/secrets/{secret}"]
        box += ["--setenv", "PATH", "/venv/bin:/usr/bin:/bin", "--setenv", "PYTHONUNBUFFERED", "1"]
        for variable, value in part["environment"].items():
            box += ["--setenv", variable, self._here(value)]
        return [*box, "--remount-ro", "/", *words]

    def _here(self, value: str) -> str:
        """A setting with the test's servers in the place of the composed ones."""
        value = re.sub(r"@database\b", f"@127.0.0.1:{self.ports['database']}", value)
        return re.sub(r"//cache:\d+", f"//127.0.0.1:{self.ports['cache']}", value)

    def once(self, name: str) -> None:
        """A part that does something and ends well."""
        done = subprocess.run(self.command(name), capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, f"{name}: {done.stdout[-2000:]}{done.stderr[-2000:]}"

    @contextlib.contextmanager
    def running(self, name: str, *more: str) -> Iterator[None]:
        """A part that goes on until it is told to stop, which it does at once."""
        log = (self.folder / f"{name}.log").open("wb")
        child = subprocess.Popen(self.command(name, *more), stdout=log, stderr=log, start_new_session=True)
        try:
            yield
            assert child.poll() is None, (self.folder / f"{name}.log").read_text()[-2000:]
        finally:
            os.killpg(child.pid, signal.SIGTERM)
            child.wait(60)
            log.close()


@pytest.fixture
def composition(tmp_path: Path) -> Iterator[Composition]:
    for name in ("database", "cache", "parts"):
        (tmp_path / name).mkdir()
    database, cache = servers.MariaDB(tmp_path / "database"), Cache(tmp_path / "cache")
    database.start()
    cache.start()
    with database.connect() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE OR REPLACE USER root@`127.0.0.1` IDENTIFIED BY %s", (SECRETS["database_root"],))
        cursor.execute("GRANT ALL ON *.* TO root@`127.0.0.1` WITH GRANT OPTION")
    yield Composition(tmp_path / "parts", database.port, cache.port)
    cache.stop()
    database.stop()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(120):
        while not await asyncio.to_thread(condition):  # noqa: ASYNC110 (another process makes it true)
            await asyncio.sleep(0.05)


async def test_a_video_is_made_by_the_composed_parts(composition: Composition) -> None:
    composition.once("bootstrap")
    composition.once("migrate")
    port, metrics, others = (str(servers.free_port()) for _ in range(3))
    with (
        composition.running("api", "--port", port, "--metrics-port", metrics),
        composition.running("worker", "--metrics-port", others),
        composition.running("sweeper"),
    ):
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            await until(lambda: answers(f"http://127.0.0.1:{port}/readyz"))
            await until(lambda: answers(f"http://127.0.0.1:{others}/metrics"))
            login = {"email": "ana@example.com", "password": "correct horse battery staple"}
            assert (await client.post("/api/v1/users", json=login | {"name": "Ana"})).status_code == 201
            session = (await client.post("/api/v1/sessions", json=login)).json()
            client.headers["authorization"] = f"Bearer {session['access_token']}"
            course = (await client.post("/api/v1/projects", json={"title": "Olá"})).json()
            place = f"/api/v1/projects/{course['id']}"
            assert (await client.post(f"{place}/scenes", json={"title": "Cena", "text": "Luz"})).status_code == 201
            video = (await client.post(f"{place}/videos")).json()
            async with asyncio.timeout(120):
                while video["status"] not in ("done", "failed"):
                    await asyncio.sleep(0.2)
                    video = (await client.get(f"/api/v1/videos/{video['id']}")).json()
            assert video["message"] == "Ready"
            link = (await client.get(f"/api/v1/videos/{video['id']}/result")).json()
            assert (await client.get(link["url"])).content[4:8] == b"ftyp"
        swept = composition.folder / "sweeper.log"
        await until(lambda: "expired refresh tokens: 0" in swept.read_text())
    kept = list((composition.folder / "media/videos").iterdir())
    assert sorted(path.suffix for path in kept) == [".jpg", ".mp4", ".vtt"]


def answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5).is_success
    except httpx.TransportError:
        return False


def test_a_part_without_its_folders_could_not_work(composition: Composition) -> None:
    """The sandbox is as strict as the container: without the volume there is nowhere to render."""
    composition.parts["worker"]["volumes"] = []
    done = subprocess.run(composition.command("worker"), capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2 and "Read-only file system: '/work'" in done.stderr, done.stderr
