"""Real plugin processes, spoken to over the wire as the engine does."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from rehearsal.answers import Urn
from rehearsal.aws import schema
from rehearsal.values import Properties, dump, load

PROVIDER = "urn:pulumi:dev::demo::pulumi:providers:aws::default"


def urn(token: str, name: str = "it") -> str:
    return Urn.parse(f"urn:pulumi:dev::demo::{token}::{name}").text


@dataclass(frozen=True)
class Diff:
    """What a Diff answered: "none" or "some", and the kind of change by path."""

    changes: str
    kinds: dict[str, str]
    delete_before_replace: bool

    @classmethod
    def of(cls, response: provider_pb2.DiffResponse) -> "Diff":
        kinds = {path: provider_pb2.PropertyDiff.Kind.Name(one.kind) for path, one in response.detailedDiff.items()}
        name = provider_pb2.DiffResponse.DiffChanges.Name(response.changes)
        return cls(name.removeprefix("DIFF_").lower(), kinds, response.deleteBeforeReplace)


class Plugin:
    """One plugin process; its methods take and give plain values."""

    Error = grpc.RpcError

    def __init__(self, worlds: Path, module: str = "rehearsal.aws", *arguments: str) -> None:
        self._start([sys.executable, "-I", "-m", module, *(arguments or ["7.51.1"])], {"REHEARSAL_WORLD": str(worlds)})

    @classmethod
    def program(cls, executable: Path) -> "Plugin":
        """Any other provider's plugin."""
        made = cls.__new__(cls)
        made._start([str(executable), "127.0.0.1:1"], {})
        return made

    def _start(self, command: list[str], env: Mapping[str, str]) -> None:
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | env,
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())
        self._channel = grpc.insecure_channel(f"127.0.0.1:{self.port}")
        self.stub = provider_pb2_grpc.ResourceProviderStub(self._channel)

    def close(self) -> None:
        self._channel.close()
        self.process.kill()
        self.process.communicate()

    def configure(self, **config: Any) -> "Plugin":
        self.stub.Handshake(provider_pb2.ProviderHandshakeRequest())
        args = dump({"region": "us-east-1"} | config)
        self.stub.Configure(provider_pb2.ConfigureRequest(urn=PROVIDER, args=args, acceptSecrets=True))
        return self

    def check(self, token: str, news: dict[str, Any], *, name: str = "it", secrets: Any = (), olds: Any = None) -> Any:
        """(inputs, {property: reason})"""
        request = provider_pb2.CheckRequest(urn=urn(token, name), news=dump(news, secrets), randomSeed=b"seed")
        if olds is not None:
            request.olds.CopyFrom(dump(olds))
        response = self.stub.Check(request)
        return load(response.inputs), {failure.property: failure.reason for failure in response.failures}

    def diff(self, token: str, id: str, old_inputs: dict[str, Any], olds: Any, news: dict[str, Any]) -> Diff:
        request = provider_pb2.DiffRequest(
            urn=urn(token), id=id, old_inputs=dump(old_inputs), olds=dump(olds.values), news=dump(news)
        )
        return Diff.of(self.stub.Diff(request))

    def create(
        self, token: str, inputs: dict[str, Any], name: str = "it", preview: bool = False, secrets: Any = ()
    ) -> Any:
        """(id, outputs)"""
        properties = dump(inputs, secrets)
        request = provider_pb2.CreateRequest(urn=urn(token, name), properties=properties, preview=preview)
        response = self.stub.Create(request)
        return response.id, load(response.properties)

    def read(self, token: str, id: str, old: Any = None, name: str = "it") -> Any:
        """(id, inputs, outputs); the id is empty when there is nothing"""
        old = old or Properties({})
        properties = dump(old.values, old.secrets)
        response = self.stub.Read(provider_pb2.ReadRequest(urn=urn(token, name), id=id, properties=properties))
        return response.id, load(response.inputs), load(response.properties)

    def update(
        self, token: str, id: str, olds: Any, news: dict[str, Any], *, name: str = "it", preview: bool = False
    ) -> Any:
        request = provider_pb2.UpdateRequest(
            urn=urn(token, name), id=id, olds=dump(olds.values, olds.secrets), news=dump(news), preview=preview
        )
        return load(self.stub.Update(request).properties)

    def delete(self, token: str, id: str, olds: Any, name: str = "it") -> None:
        self.stub.Delete(provider_pb2.DeleteRequest(urn=urn(token, name), id=id, properties=dump(olds.values)))

    def invoke(self, token: str, arguments: dict[str, Any] | None = None) -> Any:
        response = self.stub.Invoke(provider_pb2.InvokeRequest(tok=token, args=dump(arguments or {})))
        return load(getattr(response, "return")).values

    def info(self) -> plugin_pb2.PluginInfo:
        return self.stub.GetPluginInfo(Empty())


@pytest.fixture(scope="session", autouse=True)
def schemas() -> None:
    schema.ensure()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Plugin]]:
    """Starts plugins that share one world."""
    running: list[Plugin] = []

    def starting(*arguments: str, **config: Any) -> Plugin:
        running.append(Plugin(tmp_path / "world", *arguments))
        return running[-1].configure(**config)

    yield starting
    for plugin in running:
        plugin.close()


@pytest.fixture
def plugin(start: Callable[..., Plugin]) -> Plugin:
    return start()
