"""How do tests and benchmarks get a real MariaDB and a real Redis? Private ones, on loopback, gone afterwards.

python tests/service/servers.py COMMAND... runs the command with TECNOCURSOS_TEST_MYSQL and TECNOCURSOS_TEST_REDIS set.
The cache knows two users: `admin`, and `service` with the access list of the estate's IAM user.
"""

import abc
import contextlib
import getpass
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pymysql
import redis

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60  # seconds until a server must answer
PASSWORD = "private-to-this-machine"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Process(abc.ABC):
    """A server process that can be killed and started again on the same port and folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.child: subprocess.Popen[bytes] | None = None

    @abc.abstractmethod
    def command(self) -> list[str]: ...

    @abc.abstractmethod
    def answers(self) -> bool: ...

    def start(self, *, wait: bool = True) -> None:
        log = (self.folder / "log").open("ab")
        self.child = subprocess.Popen(self.command(), stdout=log, stderr=log)
        log.close()
        deadline = time.monotonic() + PATIENCE
        while wait and not self.answers():
            if self.child.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self.command()[0]} did not start:\n{(self.folder / 'log').read_text()[-2000:]}")
            time.sleep(0.05)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        if self.child is not None:
            self.child.send_signal(how)
            self.child.wait(PATIENCE)
            self.child = None


class MariaDB(Process):
    """The nearest to MySQL that Debian has; strict mode and utf8mb4 as on RDS."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.data = folder / "data"
        install = ["mariadb-install-db", "--no-defaults", f"--datadir={self.data}", "--skip-test-db"]
        install += ["--auth-root-authentication-method=normal", f"--user={getpass.getuser()}"]
        done = subprocess.run(install, capture_output=True, check=False, text=True)
        if done.returncode:
            raise RuntimeError(f"mariadb-install-db failed:\n{done.stdout[-1000:]}{done.stderr[-1000:]}")

    def command(self) -> list[str]:
        program = shutil.which("mariadbd", path=f"{os.environ['PATH']}:/usr/sbin") or "mariadbd"
        return [
            program,
            "--no-defaults",
            f"--datadir={self.data}",
            f"--socket={self.folder}/socket",
            "--bind-address=127.0.0.1",
            f"--port={self.port}",
            f"--user={getpass.getuser()}",
            "--skip-name-resolve",
            "--innodb-buffer-pool-size=64M",
            "--innodb-flush-log-at-trx-commit=2",
            "--character-set-server=utf8mb4",
        ]

    def connect(self) -> "pymysql.Connection[pymysql.cursors.Cursor]":
        return pymysql.connect(unix_socket=f"{self.folder}/socket", user="root", autocommit=True)

    def answers(self) -> bool:
        try:
            self.connect().close()
        except pymysql.Error:
            return False
        return True

    def admit(self) -> str:
        """A user for tests, who may create databases; the URL without a database."""
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute("CREATE USER IF NOT EXISTS tests@`%%` IDENTIFIED BY %s", (PASSWORD,))
            cursor.execute("GRANT ALL ON *.* TO tests@`%` WITH GRANT OPTION")
        return f"mysql+asyncmy://tests:{PASSWORD}@127.0.0.1:{self.port}"


class Redis(Process):
    """With the access list that the estate gives the service."""

    def command(self) -> list[str]:
        access = (ROOT / "service/cache_access.txt").read_text().strip()
        (self.folder / "users.acl").write_text(
            f"user default off\nuser admin on >{PASSWORD} ~* &* +@all\nuser service {access} >{PASSWORD}\n"
        )
        return [
            "redis-server",
            *("--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self.folder)),
            *("--save", "", "--appendonly", "no", "--aclfile", str(self.folder / "users.acl")),
        ]

    def answers(self) -> bool:
        try:
            return bool(redis.Redis.from_url(self.url("admin")).ping())
        except redis.RedisError:
            return False

    def url(self, user: str = "service") -> str:
        return f"redis://{user}:{PASSWORD}@127.0.0.1:{self.port}/0"


@contextlib.contextmanager
def running() -> Iterator[tuple[MariaDB, Redis]]:
    with tempfile.TemporaryDirectory(prefix="tecnocursos-servers-") as name:
        for part in ("mariadb", "redis"):
            (Path(name) / part).mkdir()
        database, cache = MariaDB(Path(name) / "mariadb"), Redis(Path(name) / "redis")
        try:
            database.start()
            cache.start()
            yield database, cache
        finally:
            cache.stop()
            database.stop()


def main() -> int:
    with running() as (database, cache):
        urls = {"TECNOCURSOS_TEST_MYSQL": database.admit(), "TECNOCURSOS_TEST_REDIS": cache.url()}
        return subprocess.run(sys.argv[1:], env=os.environ | urls, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
