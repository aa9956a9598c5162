"""What happened on one day in the life of an environment's processes?"""

import contextlib
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.permissions import journey
from tests.permissions.pods import Container, containers
from tests.permissions.process import Process
from tests.permissions.region import Region
from tests.service.servers import free_port


@dataclass
class Day:
    """What happened. `codes` are of the tasks, `trouble` is what went wrong first."""

    region: Region
    codes: dict[str, int]
    strangers: str = ""
    trouble: str = ""


def live(rows: list[dict[str, Any]], folder: Path) -> Day:
    """Every command of the environment's pods has done its real work, as far as it was let."""
    by_command = {one.command: one for one in containers(rows) if one.of_service}
    region = Region(rows, folder)
    lived = Day(region, {})
    with region.around(by_command["api"]):
        try:
            for command in ("bootstrap-database", "migrate"):
                task(lived, by_command[command])
            serve(lived, by_command)
        except (AssertionError, TimeoutError, OSError, httpx.HTTPError) as error:
            lived.trouble = f"{type(error).__name__}: {error}"
    strangers = region.folder / "strangers"
    lived.strangers = strangers.read_text() if strangers.exists() else ""
    return lived


def task(lived: Day, container: Container) -> None:
    process = Process(lived.region, container)
    lived.codes[container.command] = process.run()
    assert lived.codes[container.command] == 0, f"{container.command}:\n{process.told()}"


def serve(lived: Day, by_command: dict[str, Container]) -> None:
    """The API and a worker, which begins by freeing what another one held; then the sweeper, without a worker."""
    port = free_port()
    api = Process(lived.region, by_command["api"], "--port", str(port), "--metrics-port", str(free_port()))
    # Draining is for those who are served: nobody is any more when it ends here.
    with api.running(ending=signal.SIGKILL):
        url = f"http://127.0.0.1:{port}"
        journey.wait(lambda: ready(url) or api.ended)
        assert not api.ended, api.told()
        with contextlib.closing(journey.Person(lived.region, url)) as ana:
            visit(lived, by_command, ana)


def visit(lived: Day, by_command: dict[str, Container], ana: journey.Person) -> None:
    ana.arrive()
    picture = ana.upload()
    course = ana.course(picture)
    video = ana.video(course)
    journey.fallen_silent(lived.region, video)
    worker = Process(lived.region, by_command["worker"], "--metrics-port", str(free_port()))
    with worker.running():
        ana.watched(video, worker)
    lived.codes["worker"] = worker.code
    journey.fallen_silent(lived.region, ana.video(course))
    task(lived, by_command["sweep"])
    ana.ask("DELETE", f"/api/v1/media/{picture}", 204)


def ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz").status_code == 200
    except httpx.TransportError:
        return False
