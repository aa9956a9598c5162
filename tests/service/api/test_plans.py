"""Do plans behave as documented? Periods, conversions and churn, races, repetition, export and erasure."""

import asyncio
import itertools
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import col, select

from service.plans.allowances import Allowance, table
from service.plans.models import Plan, PlanPeriod
from service.plans.service import kind_of
from service.runtime import Runtime
from service.security.permissions import Role
from service.telemetry import counts

USERS = "/api/v1/users"
PASSWORD = "correct horse battery"


async def put(
    client: httpx.AsyncClient, admin: Any, user_id: str, choice: tuple[str, int], version: int
) -> httpx.Response:
    body = dict(zip(("plan", "price_cents"), choice, strict=True))
    headers = admin.headers | {"if-match": f'"{version}"'}
    return await client.put(f"{USERS}/{user_id}/plan", json=body, headers=headers)


def value(runtime: Runtime, name: str, **labels: str) -> float:
    return runtime.metrics.registry.get_sample_value(name, labels) or 0


async def test_an_account_starts_free_and_its_plans_follow_each_other(
    client: httpx.AsyncClient, meet: Any, runtime: Runtime
) -> None:
    ana, admin = await meet(), await meet(Role.ADMIN)
    mine = await client.get(f"{USERS}/me/plan", headers=ana.headers)
    assert mine.headers["etag"] == '"0"'
    assert [mine.json()[name] for name in ("plan", "price_cents", "version")] == ["free", 0, 0]
    for version, (plan, cents) in enumerate([("basic", 900), ("professional", 4900), ("free", 0)]):
        answer = await put(client, admin, ana.id, (plan, cents), version)
        assert answer.status_code == 200 and answer.headers["etag"] == f'"{version + 1}"', answer.text
        seen = await client.get(f"{USERS}/{ana.id}/plan", headers=admin.headers)
        assert seen.json() == answer.json() == (await client.get(f"{USERS}/me/plan", headers=ana.headers)).json()
    async with runtime.database.reading() as session:
        wanted = select(PlanPeriod).where(PlanPeriod.user_id == ana.id).order_by(col(PlanPeriod.version))
        periods = (await session.exec(wanted)).all()
    assert [row.plan for row in periods] == ["basic", "professional", "free"]
    assert [row.until for row in periods] == [periods[1].since, periods[2].since, None]
    trail = (await client.get("/api/v1/audit", params={"actor_id": admin.id}, headers=admin.headers)).json()["items"]
    assert [line["detail"]["change"] for line in trail] == ["churn", "upgrade", "conversion"]
    assert all(line["action"] == "plan.changed" and line["target_id"] == ana.id for line in trail)


async def test_repeating_is_safe_and_an_old_reading_is_refused(
    client: httpx.AsyncClient, meet: Any, runtime: Runtime
) -> None:
    ana, admin = await meet(), await meet(Role.ADMIN)
    before = value(runtime, "plan_changes_total", change="conversion", plan="school")
    first = await put(client, admin, ana.id, ("school", 19900), 0)
    again = await put(client, admin, ana.id, ("school", 19900), 0)  # the answer had been lost on the way
    assert first.status_code == again.status_code == 200 and first.json() == again.json()
    assert value(runtime, "plan_changes_total", change="conversion", plan="school") == before + 1
    assert (await put(client, admin, ana.id, ("basic", 900), 0)).status_code == 412
    missing = await client.put(
        f"{USERS}/{ana.id}/plan", json={"plan": "basic", "price_cents": 900}, headers=admin.headers
    )
    assert missing.status_code == 428


@pytest.mark.parametrize(
    "body",
    [
        {"plan": "free", "price_cents": 1},
        {"plan": "basic", "price_cents": 0},
        {"plan": "basic", "price_cents": -1},
        {"plan": "basic", "price_cents": 9.5},
        {"plan": "basic", "price_cents": 10**7},
        {"plan": "platinum", "price_cents": 900},
        {"plan": "basic"},
        {"plan": "basic", "price_cents": 900, "since": "2020-01-01"},
    ],
)
async def test_what_is_no_plan_is_refused(client: httpx.AsyncClient, meet: Any, body: dict[str, Any]) -> None:
    ana, admin = await meet(), await meet(Role.ADMIN)
    answer = await client.put(f"{USERS}/{ana.id}/plan", json=body, headers=admin.headers | {"if-match": '"0"'})
    assert answer.status_code == 422 and answer.headers["content-type"] == "application/problem+json"


async def test_plans_are_set_by_administrators_on_open_accounts(client: httpx.AsyncClient, meet: Any) -> None:
    ana, admin = await meet(), await meet(Role.ADMIN)
    assert (await put(client, ana, ana.id, ("school", 1), 0)).status_code == 403
    assert (await client.get(f"{USERS}/{ana.id}/plan", headers=ana.headers)).status_code == 403
    assert (await client.get(f"{USERS}/me/plan")).status_code == 401
    assert (await put(client, admin, "0" * 32, ("basic", 900), 0)).status_code == 404
    assert (await client.get(f"{USERS}/{'0' * 32}/plan", headers=admin.headers)).status_code == 404


async def test_a_closed_account_pays_nothing(client: httpx.AsyncClient, meet: Any, runtime: Runtime) -> None:
    ana, admin = await meet(), await meet(Role.ADMIN)
    await put(client, admin, ana.id, ("basic", 900), 0)
    before = value(runtime, "plan_changes_total", change="churn", plan="free")
    closing = admin.headers | {"if-match": '"1"'}
    assert (await client.patch(f"{USERS}/{ana.id}", json={"active": False}, headers=closing)).status_code == 200
    assert value(runtime, "plan_changes_total", change="churn", plan="free") == before + 1
    assert (await client.get(f"{USERS}/{ana.id}/plan", headers=admin.headers)).json()["plan"] == "free"
    assert (await put(client, admin, ana.id, ("basic", 900), 2)).status_code == 409


async def test_of_two_changes_at_once_one_wins(
    racing: httpx.AsyncClient, meet_unshared: Any, unshared: Runtime
) -> None:
    ana, admin = await meet_unshared(), await meet_unshared(Role.ADMIN)
    answers = await asyncio.gather(*(put(racing, admin, ana.id, ("basic", cents), 0) for cents in range(1, 6)))
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412, 412]
    async with unshared.database.reading() as session:
        rows = (await session.exec(select(PlanPeriod).where(PlanPeriod.user_id == ana.id))).all()
    assert [row.version for row in rows] == [1]


async def test_revenue_and_subscribers_are_counted(client: httpx.AsyncClient, meet: Any, runtime: Runtime) -> None:
    await counts.count_business(runtime)
    before = {
        (name, plan): value(runtime, name, plan=plan)
        for name in ("subscribers", "monthly_recurring_revenue_usd")
        for plan in ("free", "basic", "school")
    }
    admin, ana, bia = await meet(Role.ADMIN), await meet(), await meet()
    await put(client, admin, ana.id, ("basic", 950), 0)
    await put(client, admin, bia.id, ("basic", 1050), 0)
    await put(client, admin, bia.id, ("school", 19900), 1)
    await counts.count_business(runtime)
    gained = {key: value(runtime, key[0], plan=key[1]) - old for key, old in before.items()}
    assert [gained["subscribers", plan] for plan in ("free", "basic", "school")] == [1, 1, 1]
    assert gained["monthly_recurring_revenue_usd", "basic"] == pytest.approx(9.5)
    assert gained["monthly_recurring_revenue_usd", "school"] == pytest.approx(199)
    assert gained["monthly_recurring_revenue_usd", "free"] == 0


async def test_logging_in_and_refreshing_is_activity(client: httpx.AsyncClient, runtime: Runtime) -> None:
    await counts.count_business(runtime)
    before = value(runtime, "active_users", window="1d")
    person = {"email": "activity@example.com", "name": "Ana", "password": PASSWORD}
    made = (await client.post(USERS, json=person)).json()
    await counts.count_business(runtime)
    assert value(runtime, "active_users", window="1d") == before
    login = {"email": person["email"], "password": PASSWORD}
    issued = (await client.post("/api/v1/sessions", json=login)).json()
    await counts.count_business(runtime)
    assert [value(runtime, "active_users", window=window) for window in ("1d", "7d", "30d")] == [before + 1] * 3
    headers = {"authorization": f"Bearer {issued['access_token']}"}
    assert (await client.get(f"{USERS}/me", headers=headers)).json() == made  # being active is no change
    refreshed = await client.post("/api/v1/sessions/refresh", json={"refresh_token": issued["refresh_token"]})
    assert refreshed.status_code == 200


async def test_one_person_may_log_in_many_times_at_once(racing: httpx.AsyncClient) -> None:
    person = {"email": "many@example.com", "name": "Ana", "password": PASSWORD}
    assert (await racing.post(USERS, json=person)).status_code == 201
    login = {"email": person["email"], "password": PASSWORD}
    answers = await asyncio.gather(*(racing.post("/api/v1/sessions", json=login) for _ in range(6)))
    assert [answer.status_code for answer in answers] == [201] * 6


async def test_export_tells_the_plans_and_erasure_forgets_them(
    client: httpx.AsyncClient, meet: Any, runtime: Runtime
) -> None:
    digest = await runtime.passwords.hash(PASSWORD)
    ana, admin = await meet(digest=digest), await meet(Role.ADMIN)
    await put(client, admin, ana.id, ("basic", 900), 0)
    await put(client, admin, ana.id, ("school", 19900), 1)
    exported = (await client.get(f"{USERS}/me/export", headers=ana.headers)).json()["plans"]
    assert [(row["plan"], row["price_cents"]) for row in exported] == [("basic", 900), ("school", 19900)]
    before = value(runtime, "plan_changes_total", change="churn", plan="free")
    erased = await client.post(f"{USERS}/me/erasure", json={"password": PASSWORD}, headers=ana.headers)
    assert erased.status_code == 204
    assert value(runtime, "plan_changes_total", change="churn", plan="free") == before + 1
    async with runtime.database.reading() as session:
        assert (await session.exec(select(PlanPeriod).where(PlanPeriod.user_id == ana.id))).all() == []


@given(st.lists(st.integers(0, 3), min_size=1, max_size=12))
def test_the_counted_changes_add_up_to_the_subscribers(prices: list[int]) -> None:
    kinds, before, paid = [], 0, False
    for after in prices:
        if after != before:
            kinds.append(kind_of(before, after, ever_paid=paid))
            before, paid = after, paid or after > 0
    assert kinds.count("conversion") + kinds.count("return") - kinds.count("churn") == (before > 0)
    assert kinds.count("conversion") == any(price > 0 for price in prices)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Allowance:
    """A free plan that is soon used up."""
    small = Allowance(courses=3, scenes=2, bytes=1, videos_a_day=1, spend_a_day=0)
    monkeypatch.setattr("service.plans.allowances.table", lambda: table() | {Plan.FREE: small})
    return small


async def test_a_dearer_plan_includes_more_and_the_answer_says_what(client: httpx.AsyncClient, meet: Any) -> None:
    ana, figures = await meet(), [table()[plan].model_dump() for plan in Plan]
    for cheaper, dearer in itertools.pairwise(figures):
        assert all(dearer[what] > cheaper[what] for what in cheaper)
    assert (await client.get(f"{USERS}/me/plan", headers=ana.headers)).json()["allowance"] == figures[0]


async def test_of_courses_made_at_once_no_more_come_in_than_the_plan_includes(
    racing: httpx.AsyncClient, meet_unshared: Any, small: Allowance
) -> None:
    ana = await meet_unshared()
    asked = [racing.post("/api/v1/projects", json={"title": "Luz"}, headers=ana.headers) for _ in range(8)]
    answers = await asyncio.gather(*asked)
    assert sorted(answer.status_code for answer in answers) == [201] * small.courses + [409] * 5
    refused = next(answer for answer in answers if answer.status_code == 409)
    assert refused.json()["detail"] == "this plan includes 3 courses: delete some, or choose another plan"


async def test_scenes_of_all_courses_count_and_a_better_plan_helps(
    racing: httpx.AsyncClient, meet_unshared: Any, small: Allowance
) -> None:
    ana, admin = await meet_unshared(), await meet_unshared(Role.ADMIN)
    made = [(await racing.post("/api/v1/projects", json={"title": "x"}, headers=ana.headers)).json() for _ in range(3)]
    places = [f"/api/v1/projects/{course['id']}/scenes" for course in made] * 2
    asked = [racing.post(place, json={"title": "x"}, headers=ana.headers) for place in places]
    assert sorted(answer.status_code for answer in await asyncio.gather(*asked)) == [201] * small.scenes + [409] * 4
    await put(racing, admin, ana.id, ("basic", 900), 0)
    assert (await racing.post(places[0], json={"title": "x"}, headers=ana.headers)).status_code == 201
