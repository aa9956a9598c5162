"""Where does the engine reach the language host? `python -m rehearsal.language ENGINE_ADDRESS` prints its port."""

import sys
from concurrent import futures

import grpc

from rehearsal.lifetime import until_engine_ends
from rehearsal.protocol import load_messages

load_messages()

from pulumi.runtime.proto import language_pb2_grpc  # noqa: E402

from rehearsal.language.host import LanguageHost  # noqa: E402


def main() -> int:
    """Serve until the engine ends."""
    addresses = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    # Programs and policy packs occupy a thread for as long as they run.
    server = grpc.server(futures.ThreadPoolExecutor(64), options=[("grpc.max_receive_message_length", -1)])
    host = LanguageHost(engine=addresses[-1] if addresses else "")
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(host, server)
    port = server.add_insecure_port("127.0.0.1:0")

    def stop() -> None:
        host.stop()
        server.stop(grace=1)

    until_engine_ends(stop)
    server.start()
    print(port, flush=True)
    server.wait_for_termination()
    return 0


if __name__ == "__main__":
    sys.exit(main())
