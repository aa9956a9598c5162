"""Does the documentation sell the API? Examples everywhere, failures described, pages without a CDN."""

from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from service.http import documentation


@pytest.fixture(scope="session")
def document(served: FastAPI) -> dict[str, Any]:
    return served.openapi()


def operations(document: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{method.upper()} {path}", operation)
        for path, found in document["paths"].items()
        for method, operation in found.items()
    ]


def resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    reference = schema.get("$ref")
    return document["components"]["schemas"][reference.rsplit("/", 1)[1]] if reference else schema


def has_examples(document: dict[str, Any], schema: dict[str, Any]) -> bool:
    schema = resolved(document, schema)
    if "example" in schema or "examples" in schema:
        return True
    if schema.get("type") == "array":
        return has_examples(document, schema["items"])
    if "anyOf" in schema:
        return any(has_examples(document, option) for option in schema["anyOf"] if option.get("type") != "null")
    if not schema.get("properties"):
        return schema.get("description") is not None  # an empty body has nothing to show
    return any(has_examples(document, part) for part in schema["properties"].values())


def test_every_operation_has_examples_of_what_goes_in_and_out(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        contents = [operation["requestBody"]["content"]["application/json"]] if "requestBody" in operation else []
        contents += [
            answer["content"]["application/json"]
            for status, answer in operation["responses"].items()
            if status.startswith("2") and "content" in answer
        ]
        for content in contents:
            assert "example" in content or has_examples(document, content["schema"]), name


def test_every_operation_is_described_tagged_and_named(document: dict[str, Any]) -> None:
    tags = {tag["name"] for tag in document["tags"]}
    names = [operation["operationId"] for _, operation in operations(document)]
    assert len(names) == len(set(names))
    for name, operation in operations(document):
        assert operation.get("description"), name
        assert len(operation["tags"]) == 1 and set(operation["tags"]) <= tags, name


def test_every_failure_is_problem_details(document: dict[str, Any]) -> None:
    assert "ProblemDetails" in document["components"]["schemas"]
    assert "HTTPValidationError" not in str(document)
    for name, operation in operations(document):
        if "/api/" not in name:
            continue
        failures = {status: answer for status, answer in operation["responses"].items() if status >= "400"}
        assert {"429", "500", "503"} <= set(failures), name
        for status, answer in failures.items():
            schema = answer["content"]["application/problem+json"]["schema"]
            assert schema == {"$ref": "#/components/schemas/ProblemDetails"}, (name, status)


def test_protected_operations_say_so(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        assert ("401" in operation["responses"]) == (
            "security" in operation or name.startswith("POST /api/v1/sessions")
        )


def test_the_version_is_openapi_3_1_and_all_references_resolve(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if isinstance(reference := node.get("$ref"), str):
                assert reference.rsplit("/", 1)[1] in document["components"]["schemas"], reference
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(document)


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/docs/start.js", "/docs/theme.css"])
async def test_pages_come_from_here_and_run_no_inline_script(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == 200
    assert "//cdn" not in answer.text and "http" not in answer.text.replace("http-equiv", "")
    assert "<script>" not in answer.text
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self';" in policy and "unsafe-eval" not in policy


@pytest.mark.parametrize(("name", "kind"), documentation.ASSETS.items())
async def test_assets_come_from_an_installed_package(client: httpx.AsyncClient, name: str, kind: str) -> None:
    answer = await client.get(f"/docs/assets/{name}")
    assert answer.status_code == 200 and answer.headers["content-type"].startswith(kind)
    assert "max-age=86400" in answer.headers["cache-control"]


async def test_documentation_can_be_switched_off(another: Any) -> None:
    app = another(documentation=False)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service.test") as client:
        assert {(await client.get(path)).status_code for path in ("/docs", "/redoc", "/openapi.json")} == {404}


async def test_the_document_is_served_the_same_each_time(client: httpx.AsyncClient) -> None:
    """Also compressed: one answer must not leave its headers on the next."""
    first = await client.get("/openapi.json", headers={"accept-encoding": "gzip"})
    second = await client.get("/openapi.json", headers={"accept-encoding": "identity"})
    assert first.json() == second.json() and "content-encoding" not in second.headers
