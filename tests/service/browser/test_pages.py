"""Do the documentation pages work in a browser, under their own policy, without anything from elsewhere?"""

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[3]
PORT = "8943"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("serve")
    command = [sys.executable, "-m", "service", "serve", "--port", PORT, "--metrics-port", "8944"]
    child = subprocess.Popen(command, cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{PORT}"
    deadline = time.monotonic() + 90
    while True:
        try:
            urllib.request.urlopen(f"{address}/readyz", timeout=5).close()  # noqa: S310 (our own address)
            break
        except OSError:
            assert child.poll() is None and time.monotonic() < deadline, "serve did not start"
            time.sleep(0.1)
    yield address
    child.terminate()
    child.terminate()
    child.wait(60)


@pytest.fixture
def page() -> Iterator[Page]:
    """A page that collects what the browser complains about and refuses anything from elsewhere."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page()
        page.set_default_timeout(60_000)
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("requestfailed", lambda request: complaints.append(f"failed: {request.url}"))
        yield page
        browser.close()
        assert complaints == []


def test_swagger_ui_executes_a_request(url: str, page: Page) -> None:
    page.goto(f"{url}/docs")
    expect(page.locator(".info .title")).to_contain_text("TecnoCursos API")
    page.locator("#operations-tag-operation").click()
    page.locator("#operations-operation-version .opblock-summary").click()
    page.locator("#operations-operation-version .execute").click()
    answer = page.locator("#operations-operation-version .live-responses-table")
    expect(answer).to_contain_text('"environment": "dev"')
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=f"{folder}/swagger.png")


def test_swagger_ui_logs_in_with_the_example_it_shows(url: str, page: Page) -> None:
    page.goto(f"{url}/docs")
    page.locator("#operations-tag-sessions").click()
    page.locator("#operations-sessions-log_in .opblock-summary").click()
    editor = page.locator("#operations-sessions-log_in textarea").first
    expect(editor).to_have_value(
        '{\n  "email": "ana@example.com",\n  "password": "correct horse battery",\n  "transport": "body"\n}'
    )
    editor.fill('{"email": "demo@example.com", "password": "demo-demo-demo"}')
    page.locator("#operations-sessions-log_in .execute").click()
    expect(page.locator("#operations-sessions-log_in .live-responses-table")).to_contain_text("access_token")


def test_redoc_shows_every_tag(url: str, page: Page) -> None:
    page.goto(f"{url}/redoc")
    expect(page.locator("h1").first).to_contain_text("TecnoCursos API")
    for tag in ("sessions", "projects", "videos"):
        expect(page.locator(f'[data-item-id="tag/{tag}"]')).to_be_visible()
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=f"{folder}/redoc.png")
