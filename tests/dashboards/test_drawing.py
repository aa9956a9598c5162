"""Are figures written so that they can be read, and does drawing say what is wrong?"""

import subprocess
import sys
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.drawing.ask import expanded, named
from dashboards.drawing.units import ticks, written
from tests.service.servers import ROOT, free_port


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.0123, "percentunit", "1.23 %"),
        (1, "percentunit", "100 %"),
        (0.2, "s", "200 ms"),
        (0.00004, "s", "0.04 ms"),
        (0, "s", "0 s"),
        (90, "s", "1.5 min"),
        (1536, "bytes", "1.5 KiB"),
        (12, "bytes", "12 B"),
        (2**20, "Bps", "1 MiB/s"),
        (12_345, "reqps", "12.3 k/s"),
        (999.6, "short", "1000"),
        (0.5, "currencyUSD", "0.5 $"),
    ],
)
def test_figures_carry_their_unit(value: float, unit: str, text: str) -> None:
    assert written(value, unit) == text


@given(
    st.floats(min_value=1e-6, max_value=1e12),
    st.sampled_from(["short", "s", "bytes", "percentunit"]),
)
def test_an_axis_reaches_its_highest_value_in_a_few_round_steps(top: float, unit: str) -> None:
    marks = ticks(top, unit)
    assert marks[0] == 0 and marks[-1] >= top * 0.999
    assert 3 <= len(marks) <= 7
    steps = {round((b - a) / marks[1], 6) for a, b in pairwise(marks)}
    assert steps == {1}


def test_variables_and_legends_are_filled_in() -> None:
    expression = 'rate(x{pod=~"$pod",route=~"${route}"}[$__rate_interval])'
    values = {"pod": ".*", "route": "/a", "__rate_interval": "1m"}
    assert expanded(expression, values) == 'rate(x{pod=~".*",route=~"/a"}[1m])'
    with pytest.raises(KeyError):
        expanded(expression, {"pod": ".*"})
    assert named("{{method}} {{route}}", {"method": "GET"}) == "GET "


def test_a_prometheus_that_does_not_answer_is_named() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    command = [sys.executable, "-m", "dashboards", "draw", "unused", "--prometheus", url]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and url in done.stderr and "Traceback" not in done.stderr
