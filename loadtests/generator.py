"""How are the requests made? One locust process; a plan on standard input, one JSON line per second on standard output,
and at last the people as they are then.

`python -m loadtests.generator`. In the open model each kind of person has a queue of moments when requests are due;
whichever of its users is free takes the next one, so an answer that is slow delays nothing while users are left, and
what waits for a user is counted from the moment when it was due. In the closed model a user asks again after an answer.
Importing locust makes the standard library cooperative: time.sleep lets the other users run.
"""

import json
import logging
import math
import random
import sys
import time
from collections import deque
from collections.abc import Iterator
from itertools import accumulate
from typing import Any, ClassVar

from locust import FastHttpUser, User, task
from locust.env import Environment
from locust.exception import StopUser

from loadtests import arrivals, histogram, journeys, plans

PATIENCE = 10.0  # seconds for an answer
GRACE = 1.0  # seconds after the end in which what was due may still be sent; the rest is abandoned


class Second:
    """What was answered within one second: latencies by kind, outcomes, how late the generator itself was.

    late: of users that had been waiting for the moment; queued: requests that waited because no user was free.
    """

    def __init__(self) -> None:
        self.latency: dict[str, dict[int, int]] = {}
        self.service: dict[int, int] = {}
        self.late: dict[int, int] = {}
        self.queued = 0
        self.outcomes: dict[str, dict[str, int]] = {}

    def add(self, kind: str, outcome: str, due: float, sent: float, end: float, *, queued: bool) -> None:
        """Count one answer; moments in seconds."""
        spans = [(self.latency.setdefault(kind, {}), end - due), (self.service, end - sent)]
        if queued:
            self.queued += 1
        else:
            spans.append((self.late, sent - due))
        for counts, seconds in spans:
            number = histogram.bucket(seconds * 1000)
            counts[number] = counts.get(number, 0) + 1
        by_kind = self.outcomes.setdefault(kind, {})
        by_kind[outcome] = by_kind.get(outcome, 0) + 1


class Recorder:
    """Seconds from the start, each printed once it is over. They begin with the clock's, as a limiter's windows do."""

    def __init__(self) -> None:
        self.wall = math.ceil(time.time() + 1)
        self.started = time.perf_counter() + self.wall - time.time()
        self.seconds: dict[int, Second] = {}
        self.printed = 0

    def now(self) -> float:
        """Seconds since the start."""
        return time.perf_counter() - self.started

    def add(self, kind: str, outcome: str, due: float, sent: float, end: float, *, queued: bool) -> None:
        """Count one answer in the second in which it came."""
        second = self.seconds.get(int(end))
        if second is None:
            second = self.seconds[int(end)] = Second()
        second.add(kind, outcome, due, sent, end, queued=queued)

    def show(self, until: int) -> None:
        """Print the seconds before `until` that were not printed yet."""
        for number in range(self.printed, until):
            row = vars(self.seconds.pop(number, Second()))
            print(json.dumps({"second": number, "wall": self.wall + number, **row}), flush=True)
        self.printed = max(self.printed, until)


class Person(FastHttpUser):
    """One user of a persona: one connection, many accounts in turns."""

    abstract = True
    network_timeout = connection_timeout = PATIENCE
    recorder: ClassVar[Recorder]
    due: ClassVar[Iterator[float]]
    until: ClassVar[float]
    people: ClassVar[deque[journeys.Account]]
    actions: ClassVar[list[str]]
    shares: ClassVar[list[float]]
    dice: ClassVar[random.Random]

    @task
    def live(self) -> None:
        """Take arrival after arrival until there are no more."""
        for due in self.due:
            wait = due - self.recorder.now()
            if wait > 0:
                time.sleep(wait)
            elif self.recorder.now() > self.until + GRACE:
                break
            self.ask(due, queued=wait <= 0)
        raise StopUser

    def ask(self, due: float, *, queued: bool = False) -> None:
        """One request of the person whose turn it is."""
        person = self.people.popleft()
        action = self.dice.choices(self.actions, cum_weights=self.shares)[0]
        call = journeys.next_call(action, person, self.dice)
        headers = {"x-forwarded-for": person.address}
        if action != "log_in":
            headers["authorization"] = f"Bearer {person.token}"
        if call.body is not None:
            headers["content-type"] = "application/json"
        if call.match is not None:
            headers["if-match"] = f'"{call.match}"'
        sent = self.recorder.now()
        response = self.client.request(call.method, call.path, name=call.kind, data=call.body, headers=headers)
        end = self.recorder.now()
        status = response.status_code or 0
        error = getattr(response, "error", None)  # the client's wrapper keeps what really happened
        outcome = str(status or f"no answer ({type(getattr(error, 'original', None) or error).__name__})")
        self.recorder.add(call.kind, outcome, min(due, sent), sent, end, queued=queued)
        if call.method != "GET":
            journeys.learn(call, person, status, response.content or b"")
        self.people.append(person)


class Closed(Person):
    """The same in the closed model: a user asks again as soon as it has an answer."""

    abstract = True

    @task
    def live(self) -> None:
        """Ask until the time is over."""
        while (now := self.recorder.now()) < self.until:
            self.ask(now)
        raise StopUser


def user_classes(profile: plans.Profile, people: list[journeys.Account], recorder: Recorder) -> list[type[Person]]:
    """One class of users for each persona, with its share of arrivals, connections and people."""
    mix, total = plans.read("mix.yaml"), sum(profile.personas.values())
    classes: list[type[Person]] = []
    start = 0.0
    for number, (name, weight) in enumerate(profile.personas.items()):
        share = weight / total
        low, high = (round(at * len(people)) for at in (start, start + share))
        start += share
        actions = mix[name]
        attributes: dict[str, Any] = {
            "abstract": False,
            "fixed_count": max(1, round(profile.connections * share)),
            "recorder": recorder,
            "due": arrivals.times(profile.stages, share),
            "until": profile.seconds,
            "people": deque(people[low : max(high, low + 1)]),
            "actions": list(actions),
            "shares": list(accumulate(actions.values())),
            "dice": random.Random(number),  # noqa: S311
        }
        classes.append(type(name, (Closed if profile.model == "closed" else Person,), attributes))
    return classes


def main() -> int:
    """Read the plan, make the requests, print what came back."""
    plan = json.loads(sys.stdin.readline())
    profile = plans.Profile.model_validate(plan["profile"])
    people = journeys.accounts(plan["sample"])
    recorder = Recorder()
    classes = user_classes(profile, people, recorder)
    users: list[type[User]] = [*classes]
    logging.getLogger("locust").setLevel(logging.ERROR)  # it warns of starting many users at once, which is meant
    environment = Environment(user_classes=users, host=plan["target"], stop_timeout=PATIENCE)
    runner = environment.create_local_runner()
    runner.start(sum(c.fixed_count for c in classes), spawn_rate=10_000)
    while runner.user_count or recorder.now() < profile.seconds:
        time.sleep(max(0.01, recorder.printed + 1.05 - recorder.now()))
        recorder.show(int(recorder.now()))
        if recorder.now() > profile.seconds + GRACE + PATIENCE:
            break
    recorder.show(int(recorder.now()) + 1)
    print(json.dumps({"accounts": journeys.rows(people)}), flush=True)
    runner.quit()
    return 0


if __name__ == "__main__":
    sys.exit(main())
