"""Do the pages work in a browser, under their own policy, without anything from elsewhere?"""

import os
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Request, expect, sync_playwright

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
def complaints() -> list[str]:
    return []


@pytest.fixture
def page(complaints: list[str]) -> Iterator[Page]:
    """A page that collects what the browser complains about and refuses anything from elsewhere."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page()
        page.set_default_timeout(60_000)
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("requestfailed", _failed(complaints))
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


def test_a_creator_goes_from_registration_to_the_playing_video(url: str, page: Page) -> None:
    """By keyboard where a person would use it, on a phone's width, in both languages."""
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(url)
    if page.locator("#language").inner_text() == "Português":
        page.locator("#language").click()
    expect(page.locator("html")).to_have_attribute("lang", "pt")
    page.get_by_label("Nome").fill("Ana")
    page.get_by_label("E-mail").fill(f"{uuid.uuid4().hex}@example.com")
    page.get_by_label("Senha").fill("um roteiro e tanto")
    shot(page, "page-entry")
    page.get_by_role("button", name="Criar conta").press("Enter")
    page.get_by_role("button", name="Usar um exemplo").click()
    page.get_by_role("button", name="Criar curso").click()
    expect(page.get_by_role("heading", level=1, name="Luz em um minuto")).to_be_visible()
    expect(page.locator("#scenes > li")).to_have_count(2)
    page.reload()  # the session and the place outlive it
    expect(page.locator("#scenes > li")).to_have_count(2)
    page.get_by_role("button", name="Gerar vídeo").press("Enter")
    expect(page.locator("#progress-words")).to_be_visible()
    video = page.locator("video")
    expect(video).to_be_visible(timeout=120_000)
    plays = "async video => { video.muted = true; await video.play(); return video.textTracks[0].mode }"
    assert video.evaluate(plays) == "showing"
    video.evaluate("video => new Promise(go => video.ontimeupdate = () => video.currentTime > 0.2 && go())")
    assert video.evaluate("video => video.textTracks[0].cues.length") > 0
    shot(page, "page-course")
    page.get_by_role("button", name="Compartilhar").click()
    expect(page.locator("#shared a")).to_contain_text("#watch=")
    link = page.locator("#shared a").get_attribute("href")
    page.locator("#language").click()
    expect(page.get_by_role("button", name="Make the video")).to_be_visible()
    page.get_by_role("button", name="Log out").click()
    assert link
    page.goto("about:blank")
    page.goto(link)
    expect(page.locator("video")).to_be_visible()
    expect(page.get_by_role("heading", level=1, name="Luz em um minuto")).to_be_visible()


def test_a_wrong_password_and_a_wrong_outline_are_told_in_words(url: str, page: Page, complaints: list[str]) -> None:
    page.goto(url)
    if page.locator("#language").inner_text() == "English":
        page.locator("#language").click()
    page.get_by_label("E-mail").fill("demo@example.com")
    page.get_by_label("Password").fill("not the password")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_have_text("email and password do not match")
    page.get_by_label("Password").fill("demo-demo-demo")
    page.get_by_role("button", name="Log in").click()
    page.get_by_label("Outline", exact=True).fill("no title")
    page.get_by_role("button", name="Create the course").click()
    expect(page.get_by_role("alert")).to_contain_text("line 1")
    assert len(complaints) == 2 and all("Failed to load resource" in one for one in complaints)
    complaints.clear()


def _failed(complaints: list[str]) -> Callable[[Request], None]:
    """A player stops asking for what it has enough of, and asks again from there: that is no failure."""

    def note(request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":
            complaints.append(f"failed: {request.url}")

    return note


def shot(page: Page, name: str) -> None:
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)
