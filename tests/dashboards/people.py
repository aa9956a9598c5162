"""What do people do, so that everything that is measured happens? One round touches every feature."""

import hashlib
import uuid
from dataclasses import dataclass
from datetime import timedelta
from itertools import count

import httpx

from service.data.columns import new, now
from service.data.database import Database
from service.plans.models import PlanPeriod
from service.security.permissions import Role
from service.security.tokens import Tokens
from service.settings import Settings
from service.telemetry.metrics import Metrics
from service.users.models import User
from tests.dashboards.stand_ins import REFUSED

PASSWORD = "correct horse battery"
PLANS = (("basic", 900), ("professional", 4900), ("school", 4900), ("basic", 900), ("free", 0))
PICTURE = b"\x89PNG" + bytes(60)


@dataclass(frozen=True)
class Person:
    """Somebody with a token, at an address of their own: limits count by it."""

    id: str
    headers: dict[str, str]


async def settle(settings: Settings, number: int) -> tuple[Person, list[Person]]:
    """An administrator and people who were here before, some on a plan."""
    database, tokens = Database(settings, Metrics()), Tokens(settings)
    people = []
    async with database.transaction() as session:
        for n in range(number + 1):
            role = Role.CREATOR if n else Role.ADMIN
            seen = now() - timedelta(days=n / 2)
            user = User(email=f"{uuid.uuid4().hex}@example.com", name="Ana", password_hash="!", role=role.value)
            user.last_active_at = seen
            session.add(user)
            await session.flush()
            if n and n % 3 == 0:
                plan, cents = PLANS[n % 2]
                session.add(PlanPeriod(user_id=user.id, plan=plan, price_cents=cents, version=1, since=seen))
            token, _ = tokens.issue(user.id, role, new())
            address = f"198.51.{n // 250}.{n % 250 + 1}"
            people.append(Person(user.id, {"authorization": f"Bearer {token}", "x-forwarded-for": address}))
    await database.close()
    return people[0], people[1:]


class Crowd:
    """People who use the service; `rare` is done once in a while, for it costs much."""

    def __init__(self, client: httpx.Client, admin: Person, people: list[Person]) -> None:
        self.client, self.admin, self.people = client, admin, people
        self.turn, self.version = count(), 0

    def round(self) -> None:
        """What one person does in a minute."""
        turn = next(self.turn)
        person = self.people[turn % len(self.people)]
        ask, headers = self.client.request, person.headers
        key = headers | {"idempotency-key": f"round-{uuid.uuid4().hex}"}
        course = {"title": "Fotossíntese", "language": "pt-BR"}
        for _ in range(1 + (turn % 4 == 0)):
            place = ask("POST", "/api/v1/projects", json=course, headers=key).headers["location"]
        scene = ask("POST", f"{place}/scenes", json={"title": "Luz"}, headers=headers).json()
        ask("PUT", f"{place}/scenes/order", json={"scene_ids": [scene["id"]]}, headers=headers)
        for _ in range(4):
            ask("GET", "/api/v1/projects", headers=headers)
            tag = ask("GET", place, headers=headers).headers["etag"]
        ask("PATCH", place, json={"status": "published"}, headers=headers | {"if-match": tag})
        ask("GET", "/api/v1/catalogue", headers=headers)
        ask("GET", f"/api/v1/projects/{new()}", headers=headers)
        if turn % 5 == 0:
            self.rare(person, place, f"203.0.113.{turn % 250}")

    def rare(self, person: Person, place: str, stranger: str) -> None:
        """Upload, ask for a video, export, sign in, change a plan, ask too often."""
        ask, headers = self.client.request, person.headers
        body = {"name": "a.png", "content_type": "image/png", "size": len(PICTURE)}
        body["sha256"] = hashlib.sha256(PICTURE).hexdigest()
        media = ask("POST", "/api/v1/media", json=body, headers=headers).json()
        ask("PUT", media["upload"]["url"], content=PICTURE)
        ask("POST", f"/api/v1/media/{media['id']}/complete", headers=headers)
        self.video(person, place)
        ask("GET", "/api/v1/users/me/export", headers=headers)
        email, address = f"{uuid.uuid4().hex}@example.com", {"x-forwarded-for": stranger}
        ask("POST", "/api/v1/users", json={"email": email, "name": "Bia", "password": PASSWORD}, headers=address)
        for password in (PASSWORD, "wrong"):
            ask("POST", "/api/v1/sessions", json={"email": email, "password": password}, headers=address)
        plan, cents = PLANS[self.version % len(PLANS)]
        wanted = {"plan": plan, "price_cents": cents}
        expected = self.admin.headers | {"if-match": f'"{self.version}"'}
        if ask("PUT", f"/api/v1/users/{self.admin.id}/plan", json=wanted, headers=expected).status_code == 200:
            self.version += 1
        for _ in range(15):
            ask("POST", "/api/v1/sessions/refresh", json={"refresh_token": "guessed"}, headers=address)

    def video(self, person: Person, place: str) -> str:
        """Ask for a video; its identifier."""
        return str(self.client.post(f"{place}/videos", headers=person.headers).json()["id"])

    def unlucky(self) -> str:
        """Ask for a video whose provider fails; its identifier."""
        person = self.people[0]
        course = self.client.post("/api/v1/projects", json={"title": "x"}, headers=person.headers)
        scene = {"title": "x", "narration": f"{REFUSED}."}
        place = course.headers["location"]
        self.client.post(f"{place}/scenes", json=scene, headers=person.headers)
        return self.video(person, place)
