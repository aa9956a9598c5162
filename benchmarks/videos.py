"""How many videos does a worker render beside the API, with how much memory, and what does the API notice?

`.venv/bin/python benchmarks/videos.py [--videos 20]`: MariaDB, Redis, one API process and one worker process (niced) on
this machine, everything on loopback. Twenty requests a second read the API before and while the queue is worked off.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # the servers are those of the tests
from tests.service.servers import Process, free_port, running  # noqa: E402

WORDS = "correct horse battery"  # of people who exist for a minute
RATE = 20  # requests per second
QUIET_SECONDS = 10
LONGEST_SECONDS = 900
SENTENCE = "A luz do sol chega às folhas, e as plantas fazem com ela o próprio alimento. Vamos ver como isso acontece."


class Service(Process):
    """The API."""

    environment: dict[str, str]

    def command(self) -> list[str]:
        return [
            "env",
            *(f"{name}={value}" for name, value in self.environment.items()),
            sys.executable,
            *self.arguments(),
        ]

    def arguments(self) -> list[str]:
        return ["-m", "service", "api", "--port", str(self.port), "--metrics-port", str(free_port())]

    def answers(self) -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/readyz", timeout=2).is_success
        except httpx.HTTPError:
            return False


@dataclass
class Person:
    client: httpx.Client
    videos: list[str] = field(default_factory=list)


def register(url: str, number: int) -> Person:
    client = httpx.Client(base_url=f"{url}/api/v1", timeout=30, headers={"x-forwarded-for": f"10.0.0.{number + 1}"})
    person = {"email": f"person{number}@example.com", "name": "Ana", "password": WORDS}
    client.post("/users", json=person).raise_for_status()
    answer = client.post("/sessions", json={"email": person["email"], "password": WORDS})
    client.headers["authorization"] = f"Bearer {answer.raise_for_status().json()['access_token']}"
    return Person(client)


def ask(person: Person, number: int) -> None:
    project = person.client.post("/projects", json={"title": f"Curso {number}"}).raise_for_status().json()
    for scene in range(5):
        body = {"title": f"Cena {scene} de {number}", "text": "Luz\nÁgua", "narration": SENTENCE}
        person.client.post(f"/projects/{project['id']}/scenes", json=body).raise_for_status()
    video = person.client.post(f"/projects/{project['id']}/videos").raise_for_status().json()
    person.videos.append(video["id"])


def done(people: list[Person]) -> bool:
    rows = [
        person.client.get(f"/videos/{video}").raise_for_status().json() for person in people for video in person.videos
    ]
    failed = [row["message"] for row in rows if row["status"] == "failed"]
    if failed:
        raise SystemExit(f"a video failed: {failed[0]}")
    return all(row["status"] == "done" for row in rows)


def read(people: list[Person], turn: int) -> float:
    """Milliseconds of one list of courses."""
    started = time.perf_counter()
    people[turn % len(people)].client.get("/projects").raise_for_status()
    return (time.perf_counter() - started) * 1000


def told(name: str, milliseconds: list[float]) -> None:
    quantiles = statistics.quantiles(milliseconds, n=20)
    print(f"{name:32s} P50 {quantiles[9]:6.1f} ms  P95 {quantiles[18]:6.1f} ms  ({len(milliseconds)} reads)")


def memory(worker: subprocess.Popen[bytes]) -> tuple[int, int]:
    """Bytes of the worker, and of the worker with its encoders."""
    process = psutil.Process(worker.pid)
    children = 0
    for child in process.children(recursive=True):
        try:
            children += child.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    own = process.memory_info().rss
    return own, own + children


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--videos", type=int, default=20)
    videos = parser.parse_args().videos
    with running() as (database, cache), tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with database.connect() as connection, connection.cursor() as cursor:
            cursor.execute("CREATE DATABASE bench")
        environment = {
            "TECNOCURSOS_DATABASE__URL": f"{database.admit()}/bench",
            "TECNOCURSOS_CACHE__URL": cache.url(),
            "TECNOCURSOS_WORKER__BROKER": cache.url("admin"),
            "TECNOCURSOS_WORKER__FOLDER": str(folder / "work"),
            "TECNOCURSOS_MEDIA__FOLDER": str(folder / "media"),
            "TECNOCURSOS_SECURITY__TRUSTED_PROXIES": '["127.0.0.1/32"]',
            "TECNOCURSOS_SECURITY__RATE_FACTOR": "100",
            "TECNOCURSOS_SECURITY__TOKEN_KEYS": '["0123456789abcdef0123456789abcdef"]',
        }
        subprocess.run([sys.executable, "-m", "service", "migrate"], env=os.environ | environment, check=True)
        service = Service(folder)
        service.environment = environment
        service.start()
        log = (folder / "worker").open("wb")
        command = [sys.executable, "-m", "service", "worker"]
        worker = subprocess.Popen(command, env=os.environ | environment, stdout=log, stderr=log)
        try:
            measure(f"http://127.0.0.1:{service.port}", worker, videos)
        finally:
            worker.terminate()
            worker.wait(60)
            service.stop()


def measure(url: str, worker: subprocess.Popen[bytes], videos: int) -> None:
    people = [register(url, number) for number in range((videos + 1) // 2)]
    quiet = []
    for turn in range(RATE * QUIET_SECONDS):
        quiet.append(read(people, turn))
        time.sleep(max(0, 1 / RATE - quiet[-1] / 1000))
    print(f"load of the machine {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores")
    told("API, no rendering", quiet)
    for number in range(videos):
        ask(people[number // 2], number)
    started, busy, peak = time.monotonic(), [], (0, 0)
    while time.monotonic() - started < LONGEST_SECONDS:
        for turn in range(RATE):
            busy.append(read(people, turn))
            time.sleep(max(0, 1 / RATE - busy[-1] / 1000))
        peak = max(peak, memory(worker), key=lambda pair: pair[1])
        if done(people):
            break
    wall = time.monotonic() - started
    told("API, beside rendering", busy)
    seconds = length(people)
    print(f"{videos} videos of {seconds / videos:.0f} s in {wall:.0f} s: {videos / wall * 60:.0f} a minute")
    print(f"{wall / seconds * 1000:.0f} ms per second of video")
    print(f"worker at most {peak[0] >> 20} MiB, with its encoders {peak[1] >> 20} MiB")


def length(people: list[Person]) -> float:
    """Seconds of all videos, by their captions' last cue."""
    total = 0.0
    for person in people:
        for video in person.videos:
            link = person.client.get(f"/videos/{video}/captions").raise_for_status().json()["url"]
            captions = person.client.get(httpx.URL(str(person.client.base_url)).join(link)).text
            last = [line for line in captions.splitlines() if "-->" in line][-1].split()[-1]
            hours, minutes, rest = last.split(":")
            total += int(hours) * 3600 + int(minutes) * 60 + float(rest)
    return total


if __name__ == "__main__":
    main()
