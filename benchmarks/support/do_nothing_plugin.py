"""What does the engine cost by itself? A provider that agrees with everything and keeps nothing is the floor."""

import asyncio
import sys
from collections.abc import Callable
from typing import Any

import grpc.aio
from google.protobuf.empty_pb2 import Empty

from rehearsal.protocol import load_messages

load_messages()

from pulumi.runtime.proto import plugin_pb2  # noqa: E402
from pulumi.runtime.proto import provider_pb2 as messages  # noqa: E402


def answers(version: str) -> dict[str, tuple[Any, Callable[[Any], Any]]]:
    return {
        "Handshake": (
            messages.ProviderHandshakeRequest,
            lambda _: messages.ProviderHandshakeResponse(accept_secrets=True),
        ),
        "Attach": (plugin_pb2.PluginAttach, lambda _: Empty()),
        "GetPluginInfo": (Empty, lambda _: plugin_pb2.PluginInfo(version=version)),
        "Cancel": (Empty, lambda _: Empty()),
        "CheckConfig": (messages.CheckRequest, lambda asked: messages.CheckResponse(inputs=asked.news)),
        "DiffConfig": (messages.DiffRequest, lambda _: messages.DiffResponse(changes=messages.DiffResponse.DIFF_NONE)),
        "Configure": (
            messages.ConfigureRequest,
            lambda _: messages.ConfigureResponse(acceptSecrets=True, supportsPreview=True),
        ),
        "Check": (messages.CheckRequest, lambda asked: messages.CheckResponse(inputs=asked.news)),
        "Diff": (messages.DiffRequest, lambda _: messages.DiffResponse(changes=messages.DiffResponse.DIFF_NONE)),
        "Create": (
            messages.CreateRequest,
            lambda asked: messages.CreateResponse(id=asked.urn.rsplit("::", 1)[1], properties=asked.properties),
        ),
        "Delete": (messages.DeleteRequest, lambda _: Empty()),
    }


async def main() -> None:
    server = grpc.aio.server()
    handlers = {
        name: grpc.unary_unary_rpc_method_handler(
            _answering(act), request.FromString, lambda answer: answer.SerializeToString()
        )
        for name, (request, act) in answers(sys.argv[1]).items()
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("pulumirpc.ResourceProvider", handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(port, flush=True)
    await server.wait_for_termination()


def _answering(act: Callable[[Any], Any]) -> Callable[..., Any]:
    async def answer(asked: Any, context: Any) -> Any:
        return act(asked)

    return answer


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        sys.exit(0)
