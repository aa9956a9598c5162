"""Which server stands for an RDS instance? A MariaDB of its own, on a socket and nothing else."""

import os
import shutil
import subprocess
import time
from pathlib import Path

from rehearsal.cluster import processes
from rehearsal.errors import RehearsalError

_PATIENCE = 60.0
_NAME = "database"
# What RDS grants its master user (RDS user guide, "Master user account privileges"), as far as MariaDB has it.
_MASTER = (
    "SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, RELOAD, PROCESS, REFERENCES, INDEX, ALTER, SHOW DATABASES, "
    "CREATE TEMPORARY TABLES, LOCK TABLES, EXECUTE, REPLICATION SLAVE, REPLICATION CLIENT, CREATE VIEW, SHOW VIEW, "
    "CREATE ROUTINE, ALTER ROUTINE, CREATE USER, EVENT, TRIGGER"
)
_KNOWN = {"max_connections", "long_query_time", "slow_query_log", "innodb_lock_wait_timeout", "wait_timeout"}


class DatabaseServer:
    """One instance's server below a folder, which it keeps its data in."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.socket = folder / "mysql.sock"

    def start(self, database: str | None, master: tuple[str, str], parameters: dict[str, str]) -> None:
        """Start it where it does not run, with the master user as RDS makes it. Raises RehearsalError."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)  # the socket lets in whoever reaches it
        if len(str(self.socket)) > 100:
            raise RehearsalError(f"{self.socket}: a socket's path has 107 characters at most: use a shorter checkout")
        program = shutil.which("mariadbd") or shutil.which("mariadbd", path="/usr/sbin")
        if program is None or shutil.which("mariadb-install-db") is None:
            raise RehearsalError(
                "RDS needs: apt-get install --no-install-recommends mariadb-server-core mariadb-client-core"
            )
        own = ["--user=root"] if os.geteuid() == 0 else []
        data = self._folder / "data"
        if not (data / "mysql").exists():
            shutil.rmtree(data, ignore_errors=True)
            options = [
                "--no-defaults",
                f"--datadir={data}",
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
            ]
            done = subprocess.run(["mariadb-install-db", *options, *own], capture_output=True, text=True, check=False)
            if done.returncode:
                shutil.rmtree(data, ignore_errors=True)
                raise RehearsalError(f"mariadb-install-db: {done.stderr.strip()[-400:] or done.stdout.strip()[-400:]}")
        if not processes.alive(_NAME, self._folder):
            line = [program, "--no-defaults", f"--datadir={data}", f"--socket={self.socket}", "--skip-networking", *own]
            line += ["--innodb-buffer-pool-size=64M", "--innodb-flush-log-at-trx-commit=0", "--performance-schema=OFF"]
            line += ["--character-set-server=utf8mb4", "--pid-file=server.pid"]
            line += [f"--{name}={value}" for name, value in parameters.items() if name in _KNOWN]
            processes.spawn(_NAME, line, self._folder)
        self._prepare(database, master)

    def stop(self) -> None:
        """End it; its data stay."""
        processes.stop(_NAME, self._folder)

    def remove(self) -> None:
        """End it and forget its data."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _prepare(self, database: str | None, master: tuple[str, str]) -> None:
        user, password = (value.replace("'", "''") for value in master)
        statements = [
            f"CREATE USER IF NOT EXISTS `{user}`@`%` IDENTIFIED BY '{password}'",
            f"ALTER USER `{user}`@`%` IDENTIFIED BY '{password}'",
            f"GRANT {_MASTER} ON *.* TO `{user}`@`%` WITH GRANT OPTION",
            "DELETE FROM mysql.global_priv WHERE User=''",
            "FLUSH PRIVILEGES",
        ]
        if database:
            statements.insert(0, f"CREATE DATABASE IF NOT EXISTS `{database}` CHARACTER SET utf8mb4")
        line = ["mariadb", "--no-defaults", "--user=root", f"--socket={self.socket}"]
        deadline = time.monotonic() + _PATIENCE
        while True:
            done = subprocess.run(
                line, input=";\n".join(statements) + ";\n", capture_output=True, text=True, check=False
            )
            if done.returncode == 0:
                return
            if not processes.alive(_NAME, self._folder) or time.monotonic() > deadline:
                raise RehearsalError(f"the database does not start: {processes.tail(_NAME, self._folder)}")
            time.sleep(0.05)
