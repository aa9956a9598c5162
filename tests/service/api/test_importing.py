"""Does an outline become a course, whole or not at all?"""

import asyncio
from typing import Any

import httpx
import pytest

URL = "/api/v1/projects/import"
OUTLINE = """# Luz em um minuto

Bem-vindo.

## O que é a luz?

- Energia que viaja
- A mais rápida que existe

A luz é energia.

## As cores

Cada cor é outra luz.
"""


async def test_an_outline_becomes_a_course_with_its_scenes(client: httpx.AsyncClient, meet: Any) -> None:
    ana = await meet()
    made = await client.post(URL, json={"outline": OUTLINE}, headers=ana.headers)
    assert made.status_code == 201, made.text
    assert {"title": "Luz em um minuto", "description": "Bem-vindo.", "scene_count": 2}.items() <= made.json().items()
    place = made.headers["location"]
    assert (await client.get(place, headers=ana.headers)).headers["etag"] == made.headers["etag"]
    scenes = (await client.get(f"{place}/scenes", headers=ana.headers)).json()["items"]
    told = [(row["title"], row["text"], row["narration"]) for row in scenes]
    bullets = "Energia que viaja\nA mais rápida que existe"
    assert told == [("O que é a luz?", bullets, "A luz é energia."), ("As cores", "", "Cada cor é outra luz.")]


@pytest.mark.parametrize(
    ("outline", "says"),
    [
        ("no title", "line 1: text before the title"),
        ("# a\n\n## b\n\n```\ncode\n```\n", "line 5"),
        ("# a\n\n## b\n\n![x](x.png)\n", "pictures are not part"),
        ("# a\n\n" + "## b\n\n" * 201, "201"),
    ],
)
async def test_a_wrong_outline_is_refused_by_line_and_leaves_nothing(
    client: httpx.AsyncClient, meet: Any, outline: str, says: str
) -> None:
    ana = await meet()
    refused = await client.post(URL, json={"outline": outline}, headers=ana.headers)
    assert refused.status_code in {409, 422} and says in refused.json()["detail"]
    assert (await client.get("/api/v1/projects", headers=ana.headers)).json()["items"] == []


async def test_an_import_that_is_repeated_makes_one_course(racing: httpx.AsyncClient, meet_unshared: Any) -> None:
    ana = await meet_unshared()
    headers = ana.headers | {"idempotency-key": "import-outline-1"}
    answers = await asyncio.gather(*(racing.post(URL, json={"outline": OUTLINE}, headers=headers) for _ in range(4)))
    assert {answer.json()["id"] for answer in answers} == {answers[0].json()["id"]}
    assert len((await racing.get("/api/v1/projects", headers=ana.headers)).json()["items"]) == 1
