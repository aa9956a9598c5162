"""How does the engine start the emulated AWS plugin? `python -m rehearsal.aws VERSION [ENGINE_ADDRESS]`."""

import sys

from rehearsal.protocol import load_messages


def main() -> None:
    """Serve as `pulumi-resource-aws`; the version is the SDK's that the engine asked for."""
    load_messages()
    from rehearsal.aws.library import Library  # noqa: PLC0415 - only now do the messages load cheaply
    from rehearsal.aws.provider import Aws  # noqa: PLC0415
    from rehearsal.aws.schema import SchemaMissingError  # noqa: PLC0415
    from rehearsal.plugin import serve  # noqa: PLC0415

    try:
        library = Library.open()
    except SchemaMissingError as missing:
        sys.exit(f"pulumi-resource-aws: {missing}")
    serve(Aws(sys.argv[1] if len(sys.argv) > 1 else "", library))


if __name__ == "__main__":
    main()
