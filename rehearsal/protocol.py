"""Where do the protocol's messages come from, without the cost of the SDK's runtime?

`import pulumi` runs the whole SDK (0.6 s and more); the generated messages beside it need none of it. A plugin process
therefore enters bare packages for the two parents and imports only the generated modules. A process that has the SDK
already keeps it.
"""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType


def load_messages() -> None:
    """Make `pulumi.runtime.proto.*_pb2` importable cheaply.

    Raises ModuleNotFoundError where the SDK is not installed.
    """
    if "pulumi" in sys.modules:
        return
    found = importlib.util.find_spec("pulumi")
    if found is None or not found.submodule_search_locations:
        raise ModuleNotFoundError("the Python package `pulumi` is missing: run `make setup`", name="pulumi")
    root = Path(found.submodule_search_locations[0])
    for name in ("pulumi", "pulumi.runtime", "pulumi.runtime.proto"):
        shell = ModuleType(name)
        shell.__path__ = [str(root.joinpath(*name.split(".")[1:]))]
        sys.modules[name] = shell
