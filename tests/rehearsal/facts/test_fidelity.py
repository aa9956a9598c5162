"""Do the plugin's answers over the protocol stay as close to the recorded verdicts as they have been?"""

import subprocess
import sys

import grpc
import pytest

from rehearsal import fidelity
from rehearsal.aws import schema

MEAN = 0.997
"""The agreement reached (mean share over the five verdicts): raise it, never lower it."""
FALSE_REFUSALS = 0.0


@pytest.fixture(scope="module")
def agreement(schemas: schema.Schemas) -> fidelity.Agreement:
    return fidelity.ask(fidelity.cases())


def test_the_level_reached_holds(agreement: fidelity.Agreement, capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print(
            f"\nagreement with the provider: {agreement.mean():.1%}, refused wrongly {agreement.false_refusals():.1%}"
        )
    assert set(agreement.shares()) == {"check accept", "check refuse", "diff inplace", "diff none", "diff replace"}
    assert len(agreement.answers) > 1800
    lines = "\n".join(fidelity.report(agreement, misses=True))
    assert agreement.mean() >= MEAN, lines
    assert agreement.false_refusals() <= FALSE_REFUSALS, lines


def test_no_question_ends_in_an_error(agreement: fidelity.Agreement) -> None:
    assert not [case.id for case, answer in agreement.answers if answer.verdict == "error"]


def test_a_wrong_answer_lowers_the_figure() -> None:
    (case, *_) = [one for one in fidelity.cases() if one.group == "check accept"]
    right, wrong = fidelity.Answer("accept"), fidelity.Answer("refuse", "name: no")
    agreement = fidelity.Agreement([(case, right), (case, wrong)])
    assert agreement.mean() == agreement.false_refusals() == 0.5
    assert "name: no" in list(fidelity.report(agreement, misses=True))[-1]


def test_an_unknown_type_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert fidelity.main(["--token", "aws:nothing"]) == 2
    assert "aws:nothing" in capsys.readouterr().err


def test_a_plugin_lives_without_standard_input() -> None:
    """Only the engine gives a plugin a pipe that ends with it: CI and judges do not."""
    process = subprocess.Popen(
        [sys.executable, "-m", "rehearsal.aws", "0.0.0"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    port = int(process.stdout.readline())
    grpc.channel_ready_future(grpc.insecure_channel(f"127.0.0.1:{port}")).result(timeout=20)
    assert process.poll() is None
    process.terminate()
    process.communicate()
    assert process.returncode == 0
