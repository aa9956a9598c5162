"""What does a database look like that many people have used? Accounts with courses of realistic sizes, and tokens.

For load tests and demonstrations in `dev` only: whoever reads the answer may act as every one of these accounts.
"""

import asyncio
import random
from collections.abc import Iterator
from typing import Any

import sqlalchemy

from service.data.columns import new
from service.data.migrations.run import engine
from service.projects.models import Project
from service.scenes.models import Scene
from service.scenes.service import STEP
from service.security.passwords import Passwords
from service.security.permissions import Role
from service.security.tokens import Tokens
from service.settings import Environment, Settings
from service.telemetry.metrics import Metrics
from service.users.models import User

PASSWORD = "sample sample sample"  # noqa: S105 (of accounts that exist in dev only)
COURSES, SCENES = (2, 14), (3, 7)  # least and most, of an account and of a course
BATCH = 500  # rows of one INSERT: some 400 KB, far below the server's largest packet
TITLES = ("Fotossíntese", "Frações", "Revolução Francesa", "Primeiros passos em Python", "Segurança do trabalho")
SENTENCE = "A narração explica o que a tela mostra, com calma e um exemplo do dia a dia. "


def fill(settings: Settings, accounts: int) -> dict[str, Any]:
    """Add accounts, each with courses and scenes; returns the password they share and, for each, a token and ids.

    The same number gives the same sizes in every run. Raises ValueError outside `dev`.
    """
    if settings.environment is not Environment.DEV:
        raise ValueError("sample accounts have a known password: environment dev only")
    digest = asyncio.run(Passwords(1, Metrics()).hash(PASSWORD))
    tokens, dice = Tokens(settings), random.Random(accounts)  # noqa: S311
    users = [User(email=f"sample-{new()}@example.com", name="Sample", password_hash=digest) for _ in range(accounts)]
    courses = {user.id: list(_courses(user, dice)) for user in users}
    scenes = {course.id: list(_scenes(course, dice)) for owned in courses.values() for course in owned}
    database = engine(settings)
    with database.begin() as connection:
        for table, rows in (
            (User, users),
            (Project, [course for owned in courses.values() for course in owned]),
            (Scene, [scene for of_course in scenes.values() for scene in of_course]),
        ):
            for at in range(0, len(rows), BATCH):
                connection.execute(sqlalchemy.insert(table), [row.model_dump() for row in rows[at : at + BATCH]])
    database.dispose()
    return {
        "password": PASSWORD,
        "accounts": [
            {
                "email": user.email,
                "token": tokens.issue(user.id, Role.CREATOR, new())[0],
                "courses": [
                    {"id": course.id, "scenes": [scene.id for scene in scenes[course.id]]}
                    for course in courses[user.id]
                ],
            }
            for user in users
        ],
    }


def _courses(owner: User, dice: random.Random) -> Iterator[Project]:
    for number in range(dice.randint(*COURSES)):
        yield Project(
            owner_id=owner.id,
            title=f"{dice.choice(TITLES)} {number + 1}",
            description="Para o 7º ano, com exercícios. " * dice.randint(1, 12),
            status=dice.choice(("draft", "draft", "published")),
            scene_count=dice.randint(*SCENES),
        )


def _scenes(course: Project, dice: random.Random) -> Iterator[Scene]:
    for position in range(course.scene_count):
        yield Scene(
            project_id=course.id,
            position=(position + 1) * STEP,
            title=f"Passo {position + 1}",
            text="\n".join(["Observe o exemplo"] * dice.randint(2, 6)),
            narration=SENTENCE * dice.randint(2, 9),
        )
