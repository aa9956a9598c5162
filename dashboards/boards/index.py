"""Which boards are there, which panel is meant by a name, and which files do they make?"""

from collections.abc import Iterator

from dashboards.boards import grafana
from dashboards.boards.application import APPLICATION
from dashboards.boards.business import BUSINESS
from dashboards.boards.infrastructure import INFRASTRUCTURE
from dashboards.boards.objectives import OBJECTIVES
from dashboards.boards.provisioning import DASHBOARDS, DATASOURCES

BOARDS = (APPLICATION, INFRASTRUCTURE, BUSINESS, OBJECTIVES)


def link(name: str) -> str:
    """The address of a panel below Grafana's own, for an alert; KeyError where no board has a panel of that name."""
    for board in BOARDS:
        for panel in board.panels:
            if panel.name == name:
                return f"/d/{board.uid}?viewPanel={panel.number}"
    raise KeyError(f"no panel is called {name!r}")


def files() -> Iterator[tuple[str, str]]:
    """Path below `dashboards/generated` and text of every file that Grafana reads."""
    for board in BOARDS:
        yield f"grafana/dashboards/{board.uid}.json", grafana.text(board)
    yield "grafana/datasources.yaml", DATASOURCES
    yield "grafana/dashboards.yaml", DASHBOARDS
