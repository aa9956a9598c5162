"""Are the dashboards whole? Every panel explained, in its place, over series that exist, and found by its name."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from dashboards.boards import index
from dashboards.boards.aws import alarms
from dashboards.boards.model import Board, CloudWatch, Panel, Query, identifier
from dashboards.catalogue import labels, problems
from dashboards.generated import FOLDER
from dashboards.metrics import SERVICE

PANELS = [pytest.param(board, panel, id=panel.name) for board in index.BOARDS for panel in board.panels]
BOARDS = [pytest.param(board, id=board.uid) for board in index.BOARDS]
VARIABLE = re.compile(r"\$\{?([a-z_]+)")


def queries(board: Board) -> Iterator[str]:
    """Every expression of a board, its variables' included."""
    for panel in board.panels:
        yield from (query.expression for query in panel.queries if isinstance(query, Query))
    for variable in board.variables:
        if found := re.fullmatch(r"label_values\((.+), (\w+)\)", variable.query):
            yield f"count by ({found[2]}) ({found[1]})"


@pytest.mark.parametrize("board", BOARDS)
def test_panels_and_variables_ask_only_for_what_is_exported(board: Board) -> None:
    assert [problem for expression in queries(board) for problem in problems(expression)] == []


@pytest.mark.parametrize(("board", "panel"), PANELS)
def test_a_panel_says_what_it_shows(board: Board, panel: Panel) -> None:
    assert panel.title and len(panel.description) > 12 and panel.description.endswith(".") and panel.unit
    for query in panel.queries:
        assert query.legend
        if isinstance(query, Query):
            there = labels(query.expression)
            assert set(re.findall(r"\{\{(\w+)\}\}", query.legend)) <= there
    values = [value for value, _ in panel.steps if value is not None]
    assert panel.steps[0][0] is None and values == sorted(values)


def test_panels_are_found_by_names_that_keep_their_numbers() -> None:
    names = [panel.name for board in index.BOARDS for panel in board.panels]
    assert len(names) == len(set(names)) == len({identifier(name) for name in names})
    # A number written into somebody's bookmark or an old alert: it may never change.
    assert index.link("errors") == "/d/tecnocursos-application?viewPanel=962654"
    assert index.link("budget_left").startswith("/d/tecnocursos-objectives?viewPanel=")
    with pytest.raises(KeyError, match="no panel is called 'nothing'"):
        index.link("nothing")


@pytest.fixture(scope="module", params=BOARDS)
def committed(request: pytest.FixtureRequest) -> tuple[Board, dict[str, Any]]:
    board: Board = request.param
    document = json.loads((FOLDER / f"grafana/dashboards/{board.uid}.json").read_text())
    return board, document


def test_the_committed_board_is_grafanas_own_shape(committed: tuple[Board, dict[str, Any]]) -> None:
    board, document = committed
    assert (document["uid"], document["title"], document["editable"]) == (board.uid, board.title, False)
    drawn = {panel["id"]: panel for panel in document["panels"]}
    assert len(drawn) == len(document["panels"])
    for panel in board.panels:
        made = drawn[panel.number]
        assert (made["title"], made["fieldConfig"]["defaults"]["unit"]) == (panel.title, panel.unit)
        assert [target["refId"] for target in made["targets"]] == list("ABCDEF"[: len(panel.queries)])
    defined = {variable["name"] for variable in document["templating"]["list"]}
    used = VARIABLE.findall(json.dumps([document["panels"], document["templating"]]))
    assert {name for name in used if not name.startswith("__")} == defined


def test_panels_fill_their_lines_and_do_not_overlap(committed: tuple[Board, dict[str, Any]]) -> None:
    _, document = committed
    taken: dict[tuple[int, int], str] = {}
    for panel in document["panels"]:
        place = panel["gridPos"]
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert x < 24 and (x, y) not in taken, f"{panel['title']} covers {taken.get((x, y))}"
                taken[x, y] = panel["title"]
    bottom = max(y for _, y in taken)
    assert len(taken) == 24 * (bottom + 1), "a hole between panels"


def test_every_metric_of_the_service_is_on_a_board() -> None:
    shown = " ".join(expression for board in index.BOARDS for expression in queries(board))
    rows = {row["name"] for row in yaml.safe_load(SERVICE.read_text())}
    unseen = {name for name in rows if not re.search(rf"\b{name}(_bucket|_sum|_count)?\b", shown)}
    assert unseen == {"process_virtual_memory_bytes", "process_start_time_seconds"}


def test_every_alarm_of_cloudwatch_has_its_panel_with_the_alarms_threshold() -> None:
    panels = {panel.name: panel for board in index.BOARDS for panel in board.panels}
    for name, alarm in alarms().items():
        (query,) = panels[name].queries
        assert isinstance(query, CloudWatch)
        assert (query.namespace, query.metric, query.statistic) == (
            alarm["namespace"],
            alarm["metric"],
            alarm["statistic"],
        )
        assert list(query.dimensions) == list(alarm["dimensions"])
        if "of" in alarm:  # a percentage of what differs between environments: no one threshold to draw
            assert len(panels[name].steps) == 1
        else:
            assert (alarm["below"] if "below" in alarm else alarm["above"] or 1) == panels[name].steps[1][0]


def test_grafana_is_provisioned_with_the_sources_that_boards_ask() -> None:
    sources = yaml.safe_load((FOLDER / "grafana/datasources.yaml").read_text())["datasources"]
    assert {(row["uid"], row["type"]) for row in sources} == {
        ("prometheus", "prometheus"),
        ("cloudwatch", "cloudwatch"),
    }
    assert not any("secureJsonData" in row for row in sources)
    (provider,) = yaml.safe_load((FOLDER / "grafana/dashboards.yaml").read_text())["providers"]
    assert provider["allowUiUpdates"] is False
