"""What does a person ask for next? Calls as data, from what the answers before have told; knows no generator."""

import json
import random
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

API = "/api/v1"
MOST_VIDEOS = 2  # of one person under way: the service allows three
NEWEST = 12  # courses that a person works with; older ones are only listed
TITLES = ("Fotossíntese em cinco minutos", "Frações sem medo", "A Revolução Francesa", "Primeiros passos em Python")
NARRATION = "As plantas fazem o próprio alimento com a luz do sol, a água e o gás carbônico. "


@dataclass(frozen=True, slots=True)
class Call:
    """One request. kind: its name in the report, with the route's template instead of ids."""

    kind: str
    method: str
    path: str
    body: str | None = None
    match: int | None = None  # the version that a change expects


@dataclass(slots=True)
class Course:
    """A course that is known to exist, and its scenes with their versions."""

    id: str
    scenes: dict[str, int]


@dataclass(slots=True)
class Account:
    """One person: how they prove who they are, from where they come, what they own."""

    email: str
    password: str
    token: str
    address: str
    courses: deque[Course] = field(default_factory=lambda: deque(maxlen=NEWEST))
    videos: deque[str] = field(default_factory=deque)


def accounts(sample: Mapping[str, Any]) -> list[Account]:
    """The people of a sample file, each with an address of their own (198.18.0.0/15 is for benchmarks, RFC 2544)."""
    people = []
    for number, row in enumerate(sample["accounts"]):
        address = f"198.{18 + (number >> 16)}.{number >> 8 & 255}.{number & 255}"
        person = Account(row["email"], row.get("password", sample.get("password", "")), row["token"], address)
        for course in row["courses"]:
            scenes = course["scenes"]
            known = scenes if isinstance(scenes, dict) else dict.fromkeys(scenes, 1)
            person.courses.append(Course(course["id"], dict(known)))
        person.videos.extend(row.get("videos", ()))
        people.append(person)
    return people


def rows(people: Iterable[Account]) -> list[dict[str, Any]]:
    """The people as rows of a sample file, with what they have learnt: another run goes on from there."""
    return [
        {
            "email": person.email,
            "password": person.password,
            "token": person.token,
            "courses": [{"id": course.id, "scenes": course.scenes} for course in person.courses],
            "videos": list(person.videos),
        }
        for person in people
    ]


def next_call(action: str, person: Account, dice: random.Random) -> Call:
    """The request of an action; another one of the same person where there is nothing to do it with yet."""
    return ACTIONS[action](person, dice)


def learn(call: Call, person: Account, status: int, content: bytes) -> None:
    """Remember what an answer to a change tells."""
    if call.method == "GET" or not 200 <= status < 300:
        return
    if call.kind == "POST /projects":
        person.courses.append(Course(json.loads(content)["id"], {}))
    elif call.kind == "POST /projects/{id}/scenes":
        row = json.loads(content)
        for course in person.courses:
            if course.id == row["project_id"]:
                course.scenes[row["id"]] = row["version"]
    elif call.kind == "PATCH /projects/{id}/scenes/{id}":
        row = json.loads(content)
        for course in person.courses:
            if row["id"] in course.scenes:
                course.scenes[row["id"]] = row["version"]
    elif call.kind == "POST /projects/{id}/videos":
        person.videos.append(json.loads(content)["id"])


def _course(person: Account, dice: random.Random) -> Course:
    """The course at hand half of the time, the one before it a quarter, and so on: people stay with what they do."""
    back = 1
    while back < len(person.courses) and dice.random() < 0.5:
        back += 1
    return person.courses[-back]


def _list_courses(_: Account, __: random.Random) -> Call:
    return Call("GET /projects", "GET", f"{API}/projects")


def _catalogue(_: Account, __: random.Random) -> Call:
    return Call("GET /catalogue", "GET", f"{API}/catalogue")


def _read_course(person: Account, dice: random.Random) -> Call:
    if not person.courses:
        return _create_course(person, dice)
    return Call("GET /projects/{id}", "GET", f"{API}/projects/{_course(person, dice).id}")


def _list_scenes(person: Account, dice: random.Random) -> Call:
    if not person.courses:
        return _create_course(person, dice)
    return Call("GET /projects/{id}/scenes", "GET", f"{API}/projects/{_course(person, dice).id}/scenes")


def _create_course(_: Account, dice: random.Random) -> Call:
    body = {"title": dice.choice(TITLES), "description": "Para o 7º ano, com exercícios. " * dice.randint(1, 12)}
    return Call("POST /projects", "POST", f"{API}/projects", json.dumps(body))


def _create_scene(person: Account, dice: random.Random) -> Call:
    if not person.courses:
        return _create_course(person, dice)
    body = {
        "title": "O que é fotossíntese?",
        "text": "\n".join(["Luz", "Água", "Gás carbônico"][: dice.randint(1, 3)]),
        "narration": NARRATION * dice.randint(2, 9),
    }
    path = f"{API}/projects/{_course(person, dice).id}/scenes"
    return Call("POST /projects/{id}/scenes", "POST", path, json.dumps(body))


def _change_scene(person: Account, dice: random.Random) -> Call:
    course = next((course for course in person.courses if course.scenes), None)
    if course is None:
        return _create_scene(person, dice)
    scene, version = next(iter(course.scenes.items()))
    body = json.dumps({"narration": NARRATION * dice.randint(2, 9)})
    path = f"{API}/projects/{course.id}/scenes/{scene}"
    return Call("PATCH /projects/{id}/scenes/{id}", "PATCH", path, body, version)


def _request_video(person: Account, dice: random.Random) -> Call:
    if len(person.videos) >= MOST_VIDEOS:
        return _cancel_video(person, dice)
    course = next((course for course in person.courses if course.scenes), None)
    if course is None:
        return _create_scene(person, dice)
    return Call("POST /projects/{id}/videos", "POST", f"{API}/projects/{course.id}/videos", "{}")


def _watch_video(person: Account, dice: random.Random) -> Call:
    if not person.videos:
        return _request_video(person, dice)
    return Call("GET /videos/{id}", "GET", f"{API}/videos/{person.videos[-1]}")


def _cancel_video(person: Account, dice: random.Random) -> Call:
    if not person.videos:
        return _request_video(person, dice)
    return Call("POST /videos/{id}/cancel", "POST", f"{API}/videos/{person.videos.popleft()}/cancel")


def _list_videos(_: Account, __: random.Random) -> Call:
    return Call("GET /videos", "GET", f"{API}/videos")


def _log_in(person: Account, _: random.Random) -> Call:
    body = json.dumps({"email": person.email, "password": person.password})
    return Call("POST /sessions", "POST", f"{API}/sessions", body)


ACTIONS = {
    "list_courses": _list_courses,
    "catalogue": _catalogue,
    "read_course": _read_course,
    "list_scenes": _list_scenes,
    "create_course": _create_course,
    "create_scene": _create_scene,
    "change_scene": _change_scene,
    "request_video": _request_video,
    "watch_video": _watch_video,
    "cancel_video": _cancel_video,
    "list_videos": _list_videos,
    "log_in": _log_in,
}
