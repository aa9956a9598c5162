"""Does every panel show something? A real Prometheus that scrapes the running service evaluates all of them."""

import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest

from dashboards.boards import index
from dashboards.boards.model import Query
from dashboards.catalogue import selectors
from dashboards.expressions import everything
from dashboards.metrics import known
from tests.dashboards.live import PATIENCE, Live, watched
from tests.dashboards.people import Crowd
from tests.workload.waiting import eventually

TEXT, PACE = "{http://www.w3.org/2000/svg}text", 0.25  # seconds between what people do


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """In use, and used on while it is looked at; one video's provider fails."""
    stop = threading.Event()

    def use(crowd: Crowd) -> None:
        while not stop.wait(PACE):
            crowd.round()

    with watched(tmp_path_factory.mktemp("live")) as found, ThreadPoolExecutor(1) as pool:
        # What happens before the first look at a target is no increase.
        eventually(lambda: len(found.prometheus.ask('up{job="service"} == 1')) > 1, PATIENCE, "both are scraped")
        video = found.crowd.unlucky()
        using = pool.submit(use, found.crowd)
        try:
            eventually(lambda: found.ended(video), PATIENCE, "the video is made")
            yield found
        finally:
            stop.set()
            using.result()


def substituted(expression: str) -> str:
    """The expression as Grafana sends it: all of every variable, a range of some scrapes."""
    return re.sub(r"\$\{?\w+\}?", ".*", expression.replace("$__rate_interval", "20s"))


def test_every_panel_returns_series(live: Live) -> None:
    asked = {
        f"{board.title}: {panel.title}: {query.legend}": substituted(query.expression)
        for board in index.BOARDS
        for panel in board.panels
        for query in panel.queries
        if isinstance(query, Query)
    }
    assert len(asked) > 80

    def silent() -> dict[str, str]:
        for name in [name for name, expression in asked.items() if live.prometheus.ask(expression)]:
            del asked[name]
        return asked

    try:
        eventually(lambda: not silent(), PATIENCE, "all panels show something")
    finally:
        assert asked == {}


def test_every_selector_over_the_services_own_metrics_finds_series(live: Live) -> None:
    """Of rules and panels alike, with its labels' values: one that is never emitted makes an alert silent for ever."""
    asked = {
        substituted(selector.prettify()): origin
        for origin, expression in everything()
        for selector in selectors(expression)
        if known()[selector.name].exporter == "service"
    }
    assert len(asked) > 60
    assert {selector: origin for selector, origin in asked.items() if not live.prometheus.ask(selector)} == {}


def test_boards_are_drawn_without_grafana(live: Live, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "dashboards", "draw", str(tmp_path), "--prometheus", live.prometheus.url]
    done = subprocess.run([*command, "--minutes", "10", "--rate", "20s"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for board in index.BOARDS:
        texts = [element.text for element in ElementTree.parse(tmp_path / f"{board.uid}.svg").iter(TEXT)]  # noqa: S314
        assert {panel.title for panel in board.panels} <= set(texts)
        assert texts.count("no data") == 0, [title for title, said in pairwise(texts) if said == "no data"]
