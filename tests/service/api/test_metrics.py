"""Does the service emit exactly what its catalogue promises, and nothing that an attacker can multiply?"""

from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from service.runtime import Runtime
from service.telemetry import counts, metrics
from service.telemetry.metrics import Metrics

ROWS = {row["name"]: row for row in metrics.definitions()}
SUFFIXES = ("_bucket", "_count", "_sum")


def samples(runtime: Runtime) -> list[tuple[str, dict[str, str]]]:
    text = generate_latest(runtime.metrics.registry).decode()
    found = []
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if family.type == "counter" and sample.labels and not sample.value:
                continue  # begun, but nothing has happened
            name = next((sample.name.removesuffix(s) for s in SUFFIXES if sample.name.removesuffix(s) in ROWS), None)
            labels = {key: value for key, value in sample.labels.items() if key != "le"}
            found.append((sample.name if sample.name in ROWS else name or sample.name, labels))
    return found


def test_the_catalogue_is_well_formed() -> None:
    for row in metrics.definitions():
        assert set(row) >= {"name", "type", "unit", "labels", "meaning"}, row
        assert row["type"] in {"counter", "gauge", "histogram"}
        assert row["name"].endswith("_total") == (row["type"] == "counter"), row["name"]
        assert all(allowed == "route" or isinstance(allowed, list) for allowed in row["labels"].values())


def test_what_is_not_in_the_catalogue_cannot_be_emitted() -> None:
    with pytest.raises(KeyError):
        Metrics().count("invented_total")


# Every kind of change: conversion, upgrade, exchange, downgrade, churn, return.
PLANS = [("basic", 900), ("professional", 4900), ("school", 4900), ("basic", 900), ("free", 0), ("basic", 900)]


async def everything(client: httpx.AsyncClient, meet: Any, runtime: Runtime, limits: Any) -> None:
    """One use of everything that is measured."""
    from service.data.cache import Cache
    from service.security.permissions import Role

    person = {"email": "m@example.com", "name": "M", "password": "correct horse battery"}
    await client.post("/api/v1/users", json=person)
    login = {"email": "m@example.com", "password": "correct horse battery"}
    issued = (await client.post("/api/v1/sessions", json=login)).json()
    await client.post("/api/v1/sessions", json=login | {"password": "wrong"})
    second = (await client.post("/api/v1/sessions/refresh", json={"refresh_token": issued["refresh_token"]})).json()
    headers = {"authorization": f"Bearer {second['access_token']}"}
    key = {"idempotency-key": "metrics-1"}
    for _ in range(2):
        made = await client.post("/api/v1/projects", json={"title": "x"}, headers=headers | key)
    place = made.headers["location"]
    scene = (await client.post(f"{place}/scenes", json={"title": "x"}, headers=headers)).json()
    await client.put(f"{place}/scenes/order", json={"scene_ids": [scene["id"]]}, headers=headers)
    tag = (await client.get(place, headers=headers)).headers["etag"]
    await client.get(place, headers=headers)
    await client.patch(place, json={"status": "published"}, headers=headers | {"if-match": tag})
    await client.get("/api/v1/catalogue", headers=headers)
    video = (await client.post(f"{place}/videos", headers=headers)).json()
    await client.post(f"/api/v1/videos/{video['id']}/cancel", headers=headers)
    for content, digest in (
        (b"a", "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"),
        (b"a", "0" * 64),
    ):
        body = {"name": "a", "content_type": "image/png", "size": 1, "sha256": digest}
        media = (await client.post("/api/v1/media", json=body, headers=headers)).json()
        await client.put(media["upload"]["url"], content=content)
        await client.post(f"/api/v1/media/{media['id']}/complete", headers=headers)
    tag = (await client.get(place, headers=headers)).headers["etag"]
    await client.delete(place, headers=headers | {"if-match": tag})
    await client.get("/api/v1/users/me/export", headers=headers)
    await client.delete("/api/v1/sessions/current", headers=headers)
    await client.request("BREW", "/nowhere")
    admin = await meet(Role.ADMIN)
    for version, (plan, cents) in enumerate(PLANS):
        body, expected = {"plan": plan, "price_cents": cents}, admin.headers | {"if-match": f'"{version}"'}
        assert (await client.put(f"/api/v1/users/{admin.id}/plan", json=body, headers=expected)).status_code == 200
    limits(0)
    for method, path in (
        *(
            ("POST", path)
            for path in ("/api/v1/sessions", "/api/v1/users", "/api/v1/projects/1/videos", "/api/v1/media")
        ),
        *(("GET", "/"), ("POST", "/")),
    ):
        await client.request(method, path)
    limits(1000)
    await counts.count_rows(runtime)
    await counts.count_business(runtime)
    runtime.sample()
    for name in ("cache_failures_total", "cache_readonly_total", "database_reconnects_total"):
        assert name in ROWS  # emitted by the tests of failures, which count them
    assert isinstance(runtime.cache, Cache)


async def test_catalogue_and_emission_are_the_same(
    client: httpx.AsyncClient, meet: Any, runtime: Runtime, limits: Any, served: FastAPI
) -> None:
    await everything(client, meet, runtime, limits)
    emitted = samples(runtime)
    names = {name for name, _ in emitted}
    ours = {name for name, row in ROWS.items() if row.get("by") != "worker"}  # those have a test of their own
    assert names <= set(ROWS), "a metric without a row"
    assert ours <= names, "a row that nothing emits"
    routes = {*served.openapi()["paths"], *UNLISTED, metrics.UNMATCHED}
    seen: dict[str, dict[str, set[str]]] = {}
    for name, labels in emitted:
        allowed = ROWS[name]["labels"]
        assert set(labels) == set(allowed), name
        for label, value in labels.items():
            assert value in (routes if allowed[label] == "route" else allowed[label]), (name, label, value)
            seen.setdefault(name, {}).setdefault(label, set()).add(value)
    for name, labels_seen in seen.items():
        for label, values in labels_seen.items():
            allowed = ROWS[name]["labels"][label]
            if label not in {"method", "status"} and allowed != "route":
                missing = set(allowed) - values - {"reuse_detected", "other"}
                assert not missing, f"{name}: nothing emitted {label}={missing}"


# Routes that are not part of the documented API.
UNLISTED = (
    "/files/{key:path}",
    "/openapi.json",
    "/docs",
    "/redoc",
    "/docs/start.js",
    "/docs/theme.css",
    "/docs/assets/{name}",
)


async def test_labels_are_templates(client: httpx.AsyncClient, meet: Any, runtime: Runtime) -> None:
    ana = await meet()
    place = (await client.post("/api/v1/projects", json={"title": "x"}, headers=ana.headers)).headers["location"]
    for _ in range(2):  # the second is a page from the cache, which routing never saw
        await client.get(place, headers=ana.headers)
    await client.get(f"{place}/scenes", headers=ana.headers)
    found = {labels["route"] for name, labels in samples(runtime) if name == "http_requests_total"}
    assert {"/api/v1/projects/{project_id}", "/api/v1/projects/{project_id}/scenes"} <= found
    assert not any(place in route for route in found)


def test_counters_begin_before_their_first_event() -> None:
    fresh = Metrics()
    change = {"change": "conversion", "plan": "school"}
    assert fresh.registry.get_sample_value("plan_changes_total", change) == 0
    assert fresh.registry.get_sample_value("video_jobs_total", {"outcome": "dead"}) is None  # workers'
    fresh.begin("worker")
    assert fresh.registry.get_sample_value("video_jobs_total", {"outcome": "dead"}) == 0
    call = {"provider": "openai", "operation": "speak", "outcome": "error"}
    assert fresh.registry.get_sample_value("ai_requests_total", call) is None
    fresh.begin("worker", "openai")
    assert fresh.registry.get_sample_value("ai_requests_total", call) == 0
    assert fresh.registry.get_sample_value("ai_requests_total", call | {"provider": "did"}) is None
    fresh.request("GET", "/x", 200, 0.1)
    error = {"method": "GET", "route": "/x", "status": "5xx"}
    assert fresh.registry.get_sample_value("http_requests_total", error) == 0
