"""Do people ask for what exists, in the service's terms, whatever they did before?"""

import json
import random
import re
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from loadtests import journeys, plans
from loadtests.journeys import Account, Call, Course

ANSWERS = {
    "POST /projects": (201, {"id": "new-course"}),
    "POST /projects/{id}/scenes": (201, {"id": "new-scene", "project_id": "course", "version": 1}),
    "PATCH /projects/{id}/scenes/{id}": (200, {"id": "scene", "version": 2}),
    "POST /projects/{id}/videos": (202, {"id": "video"}),
}


def dice_of(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311


def person(*courses: Course) -> Account:
    made = Account("a@example.com", "word", "token", "198.18.0.1")
    made.courses.extend(courses)
    return made


@given(st.lists(st.sampled_from(sorted(journeys.ACTIONS)), max_size=60), st.integers(0, 2**32), st.booleans())
def test_whatever_somebody_does_is_about_something_they_have(actions: list[str], seed: int, owns: bool) -> None:
    who, dice = person(*([Course("course", {"scene": 1})] if owns else [])), dice_of(seed)
    for action in actions:
        call = journeys.next_call(action, who, dice)
        assert re.fullmatch(r"/api/v1/[a-z0-9/-]+", call.path)
        assert call.method == call.kind.split()[0]
        assert (call.body is None) == (call.method == "GET" or call.kind.endswith("/cancel"))
        known = {course.id for course in who.courses} | {s for course in who.courses for s in course.scenes}
        named = set(call.path.split("/")) & {"course", "new-course", "scene", "new-scene"}
        assert named <= known
        assert len(who.videos) <= journeys.MOST_VIDEOS
        status, body = ANSWERS.get(call.kind, (200, {}))
        journeys.learn(call, who, status, json.dumps(body).encode())


def test_a_change_expects_the_version_that_was_learnt() -> None:
    who = person(Course("course", {"scene": 1}))
    first = journeys.next_call("change_scene", who, dice_of(1))
    journeys.learn(first, who, 200, b'{"id":"scene","version":2}')
    again = journeys.next_call("change_scene", who, dice_of(1))
    assert (first.match, again.match) == (1, 2)
    journeys.learn(again, who, 412, b"{}")
    assert journeys.next_call("change_scene", who, dice_of(1)).match == 2


def test_what_people_learnt_survives_being_written_down() -> None:
    who = person(Course("course", {"scene": 3}))
    journeys.learn(Call("POST /projects/{id}/videos", "POST", "", "{}"), who, 202, b'{"id":"video"}')
    (again,) = journeys.accounts({"accounts": json.loads(json.dumps(journeys.rows([who])))})
    assert list(again.courses) == list(who.courses)
    assert list(again.videos) == ["video"]
    assert (again.token, again.password) == (who.token, who.password)


def test_every_person_has_an_address_of_their_own_that_is_nobody_elses() -> None:
    row = {"email": "", "token": "", "courses": []}
    people = journeys.accounts({"password": "", "accounts": [row] * 70_000})
    assert len({who.address for who in people}) == 70_000
    assert all(re.match(r"198\.(18|19)\.", who.address) for who in people)


def test_the_course_at_hand_is_asked_for_most() -> None:
    who, dice = person(*(Course(f"{number:032x}", {}) for number in range(8))), dice_of(1)
    asked = Counter(journeys.next_call("read_course", who, dice).path[-32:] for _ in range(2000))
    assert [f"{7:032x}", f"{6:032x}", f"{5:032x}"] == [name for name, _ in asked.most_common(3)]
    assert len(asked) == 8


def test_the_mix_knows_every_persona_and_only_actions_there_are() -> None:
    mix = plans.read("mix.yaml")
    assert set(mix) == {"reader", "creator", "video_maker", "login", "greedy"}
    assert all(sum(shares.values()) == 100 for shares in mix.values())
    assert {action for shares in mix.values() for action in shares} == set(journeys.ACTIONS)
