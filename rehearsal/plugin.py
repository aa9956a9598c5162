"""How does a provider process speak the protocol?

It prints its port, serves `pulumirpc.ResourceProvider` on the loopback until the engine that started it is gone, and
hands plain values to a `Provider`. Secrets are unwrapped here and wrapped again; errors lose them here. Import this
only after `rehearsal.protocol.load_messages()`, or the whole SDK is loaded for its messages.
"""

import asyncio
import sys
import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
from google.protobuf.empty_pb2 import Empty
from google.protobuf.message import Message
from pulumi.runtime.proto import plugin_pb2, provider_pb2

from rehearsal.answers import Change, Checked, Differences, Object, Refused, Urn
from rehearsal.errors import RehearsalError
from rehearsal.lifetime import until_engine_ends
from rehearsal.values import Properties, Values, dump, load, redact
from rehearsal.world import Worlds

_MESSAGE_BYTES = 400 * 1024 * 1024  # the engine's own limit
_KINDS = {
    ("add", False): provider_pb2.PropertyDiff.ADD,
    ("add", True): provider_pb2.PropertyDiff.ADD_REPLACE,
    ("delete", False): provider_pb2.PropertyDiff.DELETE,
    ("delete", True): provider_pb2.PropertyDiff.DELETE_REPLACE,
    ("update", False): provider_pb2.PropertyDiff.UPDATE,
    ("update", True): provider_pb2.PropertyDiff.UPDATE_REPLACE,
}


class Provider(ABC):
    """What a plugin does, in plain values, and the worlds it does it in. Any method may raise Refused."""

    def __init__(self, version: str) -> None:
        self.version = version
        self.worlds = Worlds()

    @abstractmethod
    def check_config(self, news: Values) -> Checked:
        """Judge the provider's own configuration."""

    @abstractmethod
    def diff_config(self, olds: Values, news: Values) -> Differences:
        """Compare two configurations of the provider."""

    @abstractmethod
    def configure(self, urn: Urn | None, config: Values) -> None:
        """Take the configuration; `urn` is the provider resource's, None from an engine that does not say."""

    @abstractmethod
    def check(self, urn: Urn, olds: Values, news: Values, seed: bytes) -> Checked:
        """Judge a resource's inputs and complete them."""

    @abstractmethod
    def diff(self, urn: Urn, id: str, old: Object, news: Values, ignored: list[str]) -> Differences:
        """Compare a resource with new inputs."""

    @abstractmethod
    def create(self, urn: Urn, inputs: Properties, preview: bool) -> Object:
        """Create a resource, or say what it would be."""

    @abstractmethod
    def read(self, urn: Urn, id: str, old: Object) -> Object | None:
        """The resource as it is, None when there is none."""

    @abstractmethod
    def update(self, urn: Urn, old: Object, news: Properties, preview: bool) -> Object:
        """Change a resource in place, or say what it would be."""

    @abstractmethod
    def delete(self, urn: Urn, old: Object) -> None:
        """Delete a resource; nothing happens when it is gone already."""

    @abstractmethod
    def invoke(self, token: str, arguments: Values) -> Values:
        """Answer a function call."""


def serve(provider: Provider) -> None:
    """Serve until the engine is gone or the process is told to stop."""
    asyncio.run(_serve(provider))


async def _serve(provider: Provider) -> None:
    options = [("grpc.max_receive_message_length", _MESSAGE_BYTES), ("grpc.max_send_message_length", _MESSAGE_BYTES)]
    server = grpc.aio.server(options=options)
    server.add_generic_rpc_handlers((_handlers(provider),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    loop, ended = asyncio.get_running_loop(), asyncio.Event()

    def end() -> None:
        loop.call_soon_threadsafe(ended.set)

    until_engine_ends(end)
    await ended.wait()
    await server.stop(None)


def _handlers(provider: Provider) -> grpc.GenericRpcHandler:
    calls = _Calls(provider)
    table: dict[str, tuple[type[Message], Callable[[Any], Message]]] = {
        "Handshake": (provider_pb2.ProviderHandshakeRequest, calls.handshake),
        "Attach": (plugin_pb2.PluginAttach, calls.attach),
        "GetPluginInfo": (Empty, calls.get_plugin_info),
        "Cancel": (Empty, calls.cancel),
        "CheckConfig": (provider_pb2.CheckRequest, calls.check_config),
        "DiffConfig": (provider_pb2.DiffRequest, calls.diff_config),
        "Configure": (provider_pb2.ConfigureRequest, calls.configure),
        "Check": (provider_pb2.CheckRequest, calls.check),
        "Diff": (provider_pb2.DiffRequest, calls.diff),
        "Create": (provider_pb2.CreateRequest, calls.create),
        "Read": (provider_pb2.ReadRequest, calls.read),
        "Update": (provider_pb2.UpdateRequest, calls.update),
        "Delete": (provider_pb2.DeleteRequest, calls.delete),
        "Invoke": (provider_pb2.InvokeRequest, calls.invoke),
    }
    methods: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
        name: grpc.unary_unary_rpc_method_handler(
            _answering(name, call, calls.created if name == "Create" else None),
            request.FromString,
            lambda response: response.SerializeToString(),
        )
        for name, (request, call) in table.items()
    }
    return grpc.method_handlers_generic_handler("pulumirpc.ResourceProvider", methods)  # the rest: UNIMPLEMENTED


def _answering(
    name: str, call: Callable[[Any], Message], told: Callable[[Any, Any], None] | None
) -> Callable[..., Any]:
    """The call, with its errors as the engine shows them: no secret, no value, no stack of ours.

    `told` is called with request and response once the engine has the response.
    """

    async def answer(request: Message, context: Any) -> Message:  # the stubs know no function as a callback
        try:
            response = call(request)
            if told is not None:
                context.add_done_callback(lambda context: None if context.cancelled() else told(request, response))
            return response
        except Refused as refused:
            text = redact(str(refused), *_properties(request))
            await context.abort(grpc.StatusCode.UNKNOWN, f"{_doing(name, request)}: {text}")
        except RehearsalError as error:
            await context.abort(grpc.StatusCode.FAILED_PRECONDITION, f"{_doing(name, request)}: {error}")
        except Exception as error:
            frame = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{Path(frame.filename).name}:{frame.lineno} ({frame.name})"
            text = f"{_doing(name, request)}: the rehearsal's plugin failed: {type(error).__name__} at {place}"
            await context.abort(grpc.StatusCode.INTERNAL, text)
        raise AssertionError("abort returned")

    return answer


def _properties(request: Message) -> list[Properties]:
    structs = ("properties", "inputs", "news", "olds", "old_inputs", "args")
    names = {field.name for field in request.DESCRIPTOR.fields}
    return [load(getattr(request, name)) for name in structs if name in names]


def _doing(call: str, request: Message) -> str:
    verbs = {"Create": "creating", "Read": "reading", "Update": "updating", "Delete": "deleting"}
    urn = getattr(request, "urn", "")
    try:
        what = Urn.parse(urn)
    except ValueError:
        return f"{call} {getattr(request, 'tok', '')}".strip()
    return f"{verbs.get(call, call)} {what.token} {what.name}"


class _Calls:
    """The protocol's calls; each takes its message apart, asks the provider and puts the answer together."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    def handshake(self, request: provider_pb2.ProviderHandshakeRequest) -> provider_pb2.ProviderHandshakeResponse:
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True)

    def attach(self, request: plugin_pb2.PluginAttach) -> Empty:
        return Empty()

    def get_plugin_info(self, request: Empty) -> plugin_pb2.PluginInfo:
        return plugin_pb2.PluginInfo(version=self._provider.version)

    def cancel(self, request: Empty) -> Empty:
        return Empty()

    def check_config(self, request: provider_pb2.CheckRequest) -> provider_pb2.CheckResponse:
        news = load(request.news)
        return _checked(self._provider.check_config(news.values), news)

    def diff_config(self, request: provider_pb2.DiffRequest) -> provider_pb2.DiffResponse:
        olds = load(request.old_inputs) if request.old_inputs.fields else load(request.olds)
        return _differences(self._provider.diff_config(olds.values, load(request.news).values))

    def configure(self, request: provider_pb2.ConfigureRequest) -> provider_pb2.ConfigureResponse:
        urn = Urn.parse(request.urn) if request.urn else None
        self._provider.configure(urn, load(request.args).values)
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    def check(self, request: provider_pb2.CheckRequest) -> provider_pb2.CheckResponse:
        news, olds = load(request.news), load(request.olds)
        urn = Urn.parse(request.urn)
        return _checked(self._provider.check(urn, olds.values, news.values, request.randomSeed), news)

    def diff(self, request: provider_pb2.DiffRequest) -> provider_pb2.DiffResponse:
        old = Object(request.id, load(request.old_inputs), load(request.olds))
        urn, news = self._known(request), load(request.news)
        return _differences(self._provider.diff(urn, request.id, old, news.values, list(request.ignoreChanges)))

    def create(self, request: provider_pb2.CreateRequest) -> provider_pb2.CreateResponse:
        created = self._provider.create(Urn.parse(request.urn), load(request.properties), request.preview)
        return provider_pb2.CreateResponse(id=created.id, properties=_dump(created.outputs))

    def _known(self, request: Any) -> Urn:
        """The URN of a resource that the engine asks about."""
        urn = Urn.parse(request.urn)
        self._provider.worlds.of().confirm(urn.text, request.id)
        return urn

    def created(self, request: provider_pb2.CreateRequest, response: provider_pb2.CreateResponse) -> None:
        if not request.preview:
            urn = Urn.parse(request.urn)
            self._provider.worlds.of().report(urn.text, response.id)

    def read(self, request: provider_pb2.ReadRequest) -> provider_pb2.ReadResponse:
        old = Object(request.id, load(request.inputs), load(request.properties))
        found = self._provider.read(self._known(request), request.id, old)
        if found is None:
            return provider_pb2.ReadResponse()
        return provider_pb2.ReadResponse(id=found.id, properties=_dump(found.outputs), inputs=_dump(found.inputs))

    def update(self, request: provider_pb2.UpdateRequest) -> provider_pb2.UpdateResponse:
        old = Object(request.id, load(request.old_inputs), load(request.olds))
        updated = self._provider.update(self._known(request), old, load(request.news), request.preview)
        return provider_pb2.UpdateResponse(properties=_dump(updated.outputs))

    def delete(self, request: provider_pb2.DeleteRequest) -> Empty:
        old = Object(request.id, load(request.old_inputs), load(request.properties))
        self._provider.delete(self._known(request), old)
        return Empty()

    def invoke(self, request: provider_pb2.InvokeRequest) -> provider_pb2.InvokeResponse:
        returned = self._provider.invoke(request.tok, load(request.args).values)
        response = provider_pb2.InvokeResponse()
        getattr(response, "return").CopyFrom(dump(returned))
        return response


def _dump(properties: Properties) -> Any:
    return dump(properties.values, properties.secrets)


def _checked(checked: Checked, news: Properties) -> provider_pb2.CheckResponse:
    failures = [
        provider_pb2.CheckFailure(property=failure.property, reason=redact(failure.reason, news))
        for failure in checked.failures
    ]
    return provider_pb2.CheckResponse(inputs=dump(checked.inputs, news.secrets), failures=failures)


def _differences(differences: Differences) -> provider_pb2.DiffResponse:
    some = bool(differences.changes)
    return provider_pb2.DiffResponse(
        changes=provider_pb2.DiffResponse.DIFF_SOME if some else provider_pb2.DiffResponse.DIFF_NONE,
        replaces=differences.replaces,
        diffs=differences.diffs,
        deleteBeforeReplace=differences.delete_before_replace,
        detailedDiff={change.path: _change(change) for change in differences.changes},
        hasDetailedDiff=True,
    )


def _change(change: Change) -> provider_pb2.PropertyDiff:
    return provider_pb2.PropertyDiff(kind=_KINDS[change.kind, change.replaces], inputDiff=True)
