"""Is the service dearer than it was? CPU per request of the full mix, two checkouts taking turns in one run.

python benchmarks/service_paired.py OTHER_CHECKOUT measures that checkout (a git worktree) against this one: one process
each on the same private MariaDB and Redis, with databases of their own, the same people doing the same things in every
round. What neighbours on the machine disturb, they disturb in both; the median of the rounds' ratios is the answer.
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests/service"), str(ROOT / "benchmarks")]

from servers import MariaDB, free_port, running  # type: ignore[import-not-found]  # noqa: E402
from service_http import environment, wait  # type: ignore[import-not-found]  # noqa: E402
from service_load import request  # type: ignore[import-not-found]  # noqa: E402

from loadtests.journeys import accounts, learn, next_call  # noqa: E402

PEOPLE = 60
TURNS = 8  # of each checkout in a round: what disturbs comes and goes within seconds
PERSONAS = {"reader": 60, "creator": 30, "video_maker": 10}  # docs/specification.md, load tests
MIX = yaml.safe_load((ROOT / "loadtests/mix.yaml").read_text())


def cpu(process: int) -> float:
    """Seconds of CPU of a process, all its threads, in nanoseconds' resolution."""
    tasks = Path(f"/proc/{process}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


class Candidate:
    """One checkout of the service with a database of its own."""

    def __init__(self, name: str, checkout: Path, database: MariaDB, cache: str, folder: Path) -> None:
        folder.mkdir()
        with database.connect() as connection, connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE paired_{name}")
        self.name, self.port, self.seen = name, free_port(), Counter[str]()
        env = os.environ | environment(f"{database.admit()}/paired_{name}", cache, folder)
        service = [sys.executable, "-m", "service"]
        subprocess.run([*service, "migrate"], env=env, cwd=checkout, check=True, stdout=subprocess.DEVNULL)
        sample = subprocess.check_output([*service, "sample", "--accounts", str(PEOPLE)], env=env, cwd=checkout)
        self.people = accounts(json.loads(sample))
        api = [*service, "api", "--port", str(self.port), "--metrics-port", str(free_port())]
        self.process = subprocess.Popen(api, env=env, cwd=checkout, stdout=subprocess.DEVNULL)
        wait(self.port)

    def turn(self, number: int, requests: int) -> float:
        """Milliseconds of CPU per request."""
        dice = random.Random(number)  # noqa: S311
        personas = [name for name, share in PERSONAS.items() for _ in range(share * 16 // 100 + 1)]

        each = requests // len(personas)
        people = dice.sample(range(PEOPLE), len(personas))

        async def everybody() -> None:
            await asyncio.gather(
                *(self._act(who, MIX[name], each, random.Random(number)) for who, name in zip(people, personas))  # noqa: S311, B905
            )

        before = cpu(self.process.pid)
        asyncio.run(everybody())
        return (cpu(self.process.pid) - before) / (each * len(personas)) * 1000

    async def _act(self, who: int, actions: dict[str, int], number: int, dice: random.Random) -> None:
        """One person on one connection: requests one after another, each from what the answers have told."""
        person = self.people[who]
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        for _ in range(number):
            call = next_call(dice.choices(list(actions), list(actions.values()))[0], person, dice)
            head = request(call.method, call.path, person.token, (call.body or "").encode())
            if call.match is not None:
                head = head.replace(b"\r\n", f'\r\nif-match: "{call.match}"\r\n'.encode(), 1)
            writer.write(head)
            answer = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = answer.partition(b"content-length: ")[2].split(b"\r", 1)[0]
            content = await reader.readexactly(int(length or 0))
            self.seen[f"{call.kind} {int(answer[9:12])}"] += 1
            learn(call, person, int(answer[9:12]), content)
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("other", type=Path, help="the checkout to compare with")
    parser.add_argument("--rounds", type=int, default=10, help="of each, in turns (default: %(default)s)")
    parser.add_argument("--requests", type=int, default=400, help=f"of each of {TURNS} turns (default: %(default)s)")
    options = parser.parse_args()
    with running() as (database, cache), tempfile.TemporaryDirectory() as folder:
        checkouts = {"before": options.other.resolve(), "after": ROOT}
        candidates = [
            Candidate(name, checkout, database, cache.url(), Path(folder) / name)
            for name, checkout in checkouts.items()
        ]
        try:
            for candidate in candidates:
                candidate.turn(0, 5 * options.requests)  # warm
                candidate.seen.clear()
            costs: list[tuple[float, float]] = []
            for number in range(1, options.rounds + 1):
                found = Counter[str]()
                for turn in range(TURNS):
                    for candidate in candidates if turn % 2 else candidates[::-1]:
                        found[candidate.name] += candidate.turn(number * TURNS + turn, options.requests) / TURNS
                costs.append((found["before"], found["after"]))
                print(f"  before {found['before']:.3f} ms   after {found['after']:.3f} ms", flush=True)
        finally:
            for candidate in candidates:
                candidate.process.terminate()
            for candidate in candidates:
                candidate.process.wait(30)
        for candidate in candidates:
            print(f"  {candidate.name}: {', '.join(f'{kind} {n}' for kind, n in candidate.seen.most_common(14))}")
        ratio = statistics.median(after / before for before, after in costs)
        before, after = (statistics.median(column) for column in zip(*costs, strict=True))
        print(f"==> median of {options.rounds}: {before:.3f} ms before, {after:.3f} ms after; ratio {ratio:.3f}")


if __name__ == "__main__":
    main()
