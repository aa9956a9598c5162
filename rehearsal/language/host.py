"""How does the engine run Python? The language protocol: programs, policy packs, dependencies of a project."""

import json
import os
import queue
import subprocess
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Protocol

import grpc
from google.protobuf import empty_pb2, json_format
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

from rehearsal.errors import RehearsalError
from rehearsal.language.interpreter import Project
from rehearsal.language.program import REPORTED

PROGRAM = Path(__file__).with_name("program.py")
DEPENDENCIES = """
import json, re
from importlib.metadata import distributions
plain = lambda name: re.sub(r"[-_.]+", "-", re.match(r"[\\w.-]+", name)[0]).lower()
found = list(distributions())
needed = {plain(line) for one in found for line in one.requires or () if "extra ==" not in line}
print(json.dumps(sorted([one.name, one.version, plain(one.name) in needed] for one in found)))
"""


class _Request(Protocol):
    """What every request about a project carries."""

    @property
    def info(self) -> language_pb2.ProgramInfo: ...


class LanguageHost(language_pb2_grpc.LanguageRuntimeServicer):
    """Runs each program and policy pack as a process of the project's own interpreter."""

    def __init__(self, engine: str) -> None:
        self._engine = engine
        self._running: set[subprocess.Popen[bytes]] = set()
        self._stopping = False

    def stop(self) -> None:
        """End every process that was started."""
        self._stopping = True
        for process in list(self._running):
            process.terminate()

    def Handshake(  # noqa: N802
        self, request: language_pb2.LanguageHandshakeRequest, context: grpc.ServicerContext
    ) -> language_pb2.LanguageHandshakeResponse:
        """Learn the engine's address."""
        self._engine = request.engine_address or self._engine
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(  # noqa: N802
        self, request: empty_pb2.Empty, context: grpc.ServicerContext
    ) -> plugin_pb2.PluginInfo:
        """The host has no version of its own."""
        return plugin_pb2.PluginInfo()

    def GetRequiredPackages(  # noqa: N802
        self, request: language_pb2.GetRequiredPackagesRequest, context: grpc.ServicerContext
    ) -> language_pb2.GetRequiredPackagesResponse:
        """None: a package that is installed but not used needs no plugin, and one that is used names itself."""
        return language_pb2.GetRequiredPackagesResponse()

    def RuntimeOptionsPrompts(  # noqa: N802
        self, request: language_pb2.RuntimeOptionsRequest, context: grpc.ServicerContext
    ) -> language_pb2.RuntimeOptionsResponse:
        """`pulumi new` has nothing to ask."""
        return language_pb2.RuntimeOptionsResponse()

    def About(  # noqa: N802
        self, request: language_pb2.AboutRequest, context: grpc.ServicerContext
    ) -> language_pb2.AboutResponse:
        """The interpreter that `pulumi about` shows."""
        with _Explained(context):
            python = _project(request).python()
            version = _output([python, "-c", "import platform; print(platform.python_version())"])
            return language_pb2.AboutResponse(executable=python, version=version.strip())

    def GetProgramDependencies(  # noqa: N802
        self, request: language_pb2.GetProgramDependenciesRequest, context: grpc.ServicerContext
    ) -> language_pb2.GetProgramDependenciesResponse:
        """Distributions in the project's environment; those no other one needs unless all are asked for."""
        with _Explained(context):
            rows = json.loads(_output([_project(request).python(), "-c", DEPENDENCIES]))
        dependencies = [
            language_pb2.DependencyInfo(name=name, version=version)
            for name, version, needed in rows
            if request.transitiveDependencies or not needed
        ]
        return language_pb2.GetProgramDependenciesResponse(dependencies=dependencies)

    def InstallDependencies(  # noqa: N802
        self, request: language_pb2.InstallDependenciesRequest, context: grpc.ServicerContext
    ) -> Iterator[language_pb2.InstallDependenciesResponse]:
        """`pulumi install`: the project's own tool, its output passed on."""
        with _Explained(context):
            project = _project(request)
            for command in project.installation():
                process = self._start(command, Path(request.directory or project.root), project.environment(), context)
                for name, chunk in _chunks(process):
                    yield language_pb2.InstallDependenciesResponse(**{name: chunk})
                if self._wait(process):
                    raise RehearsalError(f"`{' '.join(command)}` failed")

    def Run(  # noqa: N802
        self, request: language_pb2.RunRequest, context: grpc.ServicerContext
    ) -> language_pb2.RunResponse:
        """Run the program to its end; `bail` when it has already told the engine why it failed."""
        settings = {
            "monitor": request.monitor_address,
            "engine": self._engine,
            "project": request.project,
            "stack": request.stack,
            "organization": request.organization or "organization",
            "parallel": request.parallel,
            "dry_run": request.dryRun,
            "root_directory": request.info.root_directory,
        }
        program = os.path.normpath(Path(request.info.program_directory) / request.info.entry_point)
        try:
            project = _project(request)
            command = [project.python(), "-u", str(PROGRAM), program, json.dumps(settings), "--", *request.args]
            env = project.environment() | {
                "PULUMI_CONFIG": json.dumps(dict(request.config)),
                "PULUMI_CONFIG_SECRET_KEYS": json.dumps(list(request.configSecretKeys)),
            }
            process = self._start(command, Path(request.pwd), env, context, capture=False)
        except RehearsalError as error:
            return language_pb2.RunResponse(error=str(error))
        code = self._wait(process)
        if code == REPORTED:
            return language_pb2.RunResponse(bail=True)
        return language_pb2.RunResponse(error=f"the program ended with exit code {code}" if code else "")

    def RunPlugin(  # noqa: N802
        self, request: language_pb2.RunPluginRequest, context: grpc.ServicerContext
    ) -> Iterator[language_pb2.RunPluginResponse]:
        """Run a policy pack or a provider written in Python, its output passed on."""
        with _Explained(context):
            project = _project(request)
            folder = request.info.program_directory
            if request.kind == "analyzer":
                arguments = ["-m", "pulumi.policy", *request.args[:1], folder]
            else:
                arguments = [folder, *request.args]
            env = project.environment() | dict(item.split("=", 1) for item in request.env)
            process = self._start([project.python(), "-u", *arguments], Path(request.pwd), env, context)
            for name, chunk in _chunks(process):
                if name == "stdout":
                    yield language_pb2.RunPluginResponse(stdout=chunk)
                else:
                    yield language_pb2.RunPluginResponse(stderr=chunk)
            yield language_pb2.RunPluginResponse(exitcode=self._wait(process))

    def Cancel(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> empty_pb2.Empty:  # noqa: N802
        """The engine gives up: so do the programs."""
        self.stop()
        return empty_pb2.Empty()

    def _start(
        self,
        command: Sequence[str],
        folder: Path,
        env: dict[str, str],
        context: grpc.ServicerContext,
        *,
        capture: bool = True,
    ) -> subprocess.Popen[bytes]:
        """A process that ends with the call; without `capture` it writes where the host does: the engine reads that."""
        stream = subprocess.PIPE if capture else None
        try:
            process = subprocess.Popen(
                command, cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream
            )
        except OSError as error:
            raise RehearsalError(f"{command[0]} cannot be started: {error.strerror}") from error
        self._running.add(process)
        if self._stopping or not context.add_callback(process.terminate):
            process.terminate()
        return process

    def _wait(self, process: subprocess.Popen[bytes]) -> int:
        try:
            return process.wait()
        finally:
            self._running.discard(process)


class _Explained:
    """Turns a RehearsalError into the call's error message."""

    def __init__(self, context: grpc.ServicerContext) -> None:
        self._context = context

    def __enter__(self) -> None:
        return

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, RehearsalError):
            self._context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))


def _project(request: _Request) -> Project:
    return Project(Path(request.info.root_directory), json_format.MessageToDict(request.info.options))


def _output(command: Sequence[str]) -> str:
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise RehearsalError(f"{command[0]} does not run: {error}") from error


def _chunks(process: subprocess.Popen[bytes]) -> Iterable[tuple[str, bytes]]:
    """What a process writes, as ("stdout"|"stderr", bytes), until it closes both."""
    chunks: queue.Queue[tuple[str, bytes]] = queue.Queue()

    def pump(name: str, stream: IO[bytes]) -> None:
        while chunk := os.read(stream.fileno(), 65536):
            chunks.put((name, chunk))
        chunks.put((name, b""))

    streams = [(name, stream) for name, stream in (("stdout", process.stdout), ("stderr", process.stderr)) if stream]
    for name, stream in streams:
        threading.Thread(target=pump, args=(name, stream), daemon=True).start()
    still_open = len(streams)
    while still_open:
        name, chunk = chunks.get()
        if chunk:
            yield name, chunk
        else:
            still_open -= 1
