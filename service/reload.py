"""How do changed settings and secrets take effect without a restart? On SIGHUP, and when a secret file changes."""

import asyncio
import contextlib
import signal
from pathlib import Path

import structlog
from pydantic import ValidationError

from service.runtime import Runtime
from service.settings import Settings, explain, secrets_folder

LOOK_EVERY = 5.0  # seconds; a mounted secret is replaced by swapping a link, which no file watch reports reliably


def stamp(folder: Path) -> frozenset[tuple[str, int, int]]:
    """What tells one state of the folder from another: names, times and inodes of its files."""
    with contextlib.suppress(OSError):  # no folder, or one whose link is being swapped: the next look sees it
        found = [(path.name, path.stat()) for path in folder.iterdir() if path.is_file()]
        return frozenset((name, status.st_mtime_ns, status.st_ino) for name, status in found)
    return frozenset()


async def reload(runtime: Runtime) -> bool:
    """Read all sources again and take over the result; keeps the old settings when the new ones are refused."""
    log = structlog.get_logger()
    try:
        await runtime.reconfigure(await asyncio.to_thread(Settings))
    except ValidationError as error:
        log.error("settings refused, the old ones stay", problems=explain(error))
        return False
    except Exception as error:  # each source, and each part, has exceptions of its own
        log.error("settings not taken over, the old ones stay", kind=type(error).__name__, exc_info=error)
        return False
    log.info("settings taken over")
    return True


async def watch(runtime: Runtime) -> None:
    """Reload on SIGHUP and on changed secret files until cancelled."""
    changed = asyncio.Event()
    loop = asyncio.get_running_loop()
    with contextlib.suppress(RuntimeError, ValueError):  # not the main thread: only files are watched
        loop.add_signal_handler(signal.SIGHUP, changed.set)
    known = stamp(secrets_folder())
    while True:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LOOK_EVERY):
                await changed.wait()
        present = stamp(secrets_folder())
        if changed.is_set() or present != known:
            changed.clear()
            known = present
            await reload(runtime)
