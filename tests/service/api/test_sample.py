"""Can load tests have a database as if many people had used it, and can nobody have it where strangers are?"""

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from service.app import create
from service.data.migrations.run import upgrade
from service.data.sample import PASSWORD, fill
from service.settings import Settings


def test_the_tokens_of_sample_accounts_open_their_courses(tmp_path: Path) -> None:
    settings = Settings(database={"url": f"sqlite+aiosqlite:///{tmp_path}/sample.sqlite"})  # type: ignore[arg-type]
    upgrade(settings)
    sample = fill(settings, 3)
    assert sample["password"] == PASSWORD
    assert len(sample["accounts"]) == 3
    with TestClient(create(settings)) as client:
        for account in sample["accounts"]:
            headers = {"authorization": f"Bearer {account['token']}"}
            listed = client.get("/api/v1/projects", params={"limit": 100}, headers=headers).json()["items"]
            assert {row["id"] for row in listed} == {course["id"] for course in account["courses"]}
            for course in account["courses"]:
                scenes = client.get(f"/api/v1/projects/{course['id']}/scenes", headers=headers).json()["items"]
                assert [scene["id"] for scene in scenes] == course["scenes"]
        login = {"email": sample["accounts"][0]["email"], "password": PASSWORD}
        assert client.post("/api/v1/sessions", json=login).status_code == 201


def test_it_is_refused_outside_dev() -> None:
    settings = Settings().model_copy(update={"environment": "staging"})
    with pytest.raises(ValueError, match="dev only"):
        fill(settings, 1)
