"""How does the engine start the schema-level Kubernetes plugin? `python -m rehearsal.kubernetes VERSION [ADDRESS]`."""

import sys

from rehearsal.protocol import load_messages


def main() -> None:
    """Serve as `pulumi-resource-kubernetes`; the version is the SDK's that the engine asked for."""
    load_messages()
    from rehearsal.kubernetes.provider import Kubernetes  # noqa: PLC0415 - only now do the messages load cheaply
    from rehearsal.plugin import serve  # noqa: PLC0415

    serve(Kubernetes(*sys.argv[1:3]))


if __name__ == "__main__":
    main()
