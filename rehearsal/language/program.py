"""How does a Pulumi program run? In the project's own interpreter, as the process this file starts.

It needs nothing but the SDK there. Exit codes: 0, 32 when the failure was already reported to the engine, else the
program's own.
"""

from __future__ import annotations

import argparse
import asyncio
import inspect
import json
import logging
import os
import runpy
import sys
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any

REPORTED = 32
MACHINERY = ("pulumi", "pulumi_policy", "grpc", "asyncio", "concurrent", "runpy.py", "<frozen")
"""Packages whose frames tell a program's author nothing."""


def main() -> int:
    """Run the program named on the command line against the engine named there."""
    sys.path.pop(0)  # this file's folder is no part of the program
    parser = argparse.ArgumentParser()
    parser.add_argument("program", type=Path)
    parser.add_argument("settings", type=json.loads)
    parser.add_argument("arguments", nargs="*")
    options = parser.parse_args()
    try:
        import pulumi  # noqa: PLC0415 -- the project may lack it
    except ImportError:
        sys.stderr.write(f"The package `pulumi` is not installed for {sys.executable}: run `pulumi install`\n")
        return REPORTED
    _configure(pulumi, options.settings)
    program = options.program.resolve()
    if program.is_dir() and not (program / "__main__.py").exists():
        pulumi.log.error(f"there is no __main__.py in {program}")
        return REPORTED
    folder = program if program.is_dir() else program.parent
    sys.argv = [str(options.program), *options.arguments]
    if not program.is_dir():
        sys.path.insert(0, str(folder))
    # Futures that nobody awaits are the rule when a resource fails: the engine reports the resource.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    executor = ThreadPoolExecutor(max(options.settings["parallel"], 1) * 4)
    loop.set_default_executor(executor)

    def run() -> None:
        runpy.run_path(str(program), run_name="__main__")

    try:
        loop.run_until_complete(pulumi.runtime.run_in_stack(run))
    except pulumi.RunError as error:
        pulumi.log.error(str(error))
        return 1
    except Exception as error:
        pulumi.log.error(f"Program failed with an unhandled exception:\n{report(error)}")
        return REPORTED
    finally:
        executor.shutdown(wait=True)
        loop.close()
    return 0


def report(error: BaseException) -> str:
    """The exception and what led to it, with the frames that the program's author wrote.

    `REHEARSAL_TRACEBACK=full` keeps the SDK's and the host's.
    """
    whole = traceback.TracebackException.from_exception(error)
    if os.environ.get("REHEARSAL_TRACEBACK") != "full":
        for link in _chain(whole):
            link.stack = traceback.StackSummary.from_list(
                [frame for frame in link.stack if not _is_machinery(frame.filename)]
            )
    return "".join(whole.format())


def _chain(link: traceback.TracebackException) -> Iterator[traceback.TracebackException]:
    """The exception, what caused it and what it groups."""
    yield link
    linked = [link.__cause__, link.__context__, *(getattr(link, "exceptions", None) or ())]
    for other in linked:
        if other is not None:
            yield from _chain(other)


def _is_machinery(filename: str) -> bool:
    """Is this frame the host's, the interpreter's or an SDK's?"""
    if filename == __file__ or filename.startswith("<frozen"):
        return True
    parts = Path(filename).parts
    if "site-packages" in parts:
        package = parts[parts.index("site-packages") + 1]
        return package in MACHINERY or package.startswith("pulumi_")
    library = Path(os.__file__).parent
    return Path(filename).parent == library or library / "asyncio" in Path(filename).parents


def _configure(pulumi: ModuleType, settings: dict[str, Any]) -> None:
    """Hand the engine's address and the stack's settings to the SDK, whichever of them it knows."""
    config = pulumi.runtime.get_config_env()
    if hasattr(pulumi.runtime, "set_all_config"):
        pulumi.runtime.set_all_config(config, pulumi.runtime.get_config_secret_keys_env())
    else:
        for key, value in config.items():
            pulumi.runtime.set_config(key, value)
    known = inspect.signature(pulumi.runtime.Settings.__init__).parameters
    pulumi.runtime.configure(pulumi.runtime.Settings(**{k: v for k, v in settings.items() if k in known}))


if __name__ == "__main__":
    try:
        code = main()
    except KeyboardInterrupt:
        code = 130
    sys.stdout.flush()
    sys.stderr.flush()
    sys.exit(code)
