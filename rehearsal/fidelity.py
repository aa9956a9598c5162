"""How far do the emulated AWS provider's answers agree with the real one's recorded verdicts?

Starts the plugin as the engine does, asks it every recorded question over the protocol, and prints the agreement for
each class. The mean over the five verdicts (accept, refuse, replace, in place, no change) is the figure to follow.
"""

import argparse
import gzip
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import grpc
from google.protobuf.message import Message

from rehearsal.aws import sdk
from rehearsal.protocol import load_messages
from rehearsal.values import Values, dump, load

CASES = Path(__file__).resolve().parent.parent / "tests" / "rehearsal" / "facts" / "verdicts.jsonl.gz"
REGION = "us-east-1"
_SECONDS = 60.0
_STATE = {"id": "id-0123456789abcdef0", "arn": "arn:aws:emulated:us-east-1:123456789012:thing/recorded"}


@dataclass(frozen=True)
class Case:
    """One recorded question and the real provider's verdict on it."""

    id: str
    kind: str
    token: str
    inputs: Values
    olds: Values
    verdict: str
    why: str
    changed: str
    plan: bool

    @property
    def group(self) -> str:
        """The class that the case counts in."""
        return f"{self.kind} {self.verdict}"


@dataclass(frozen=True)
class Answer:
    """The plugin's verdict and its words."""

    verdict: str
    words: str = ""


@dataclass(frozen=True)
class Agreement:
    """All cases with their answers."""

    answers: list[tuple[Case, Answer]]

    def shares(self) -> dict[str, tuple[int, int]]:
        """Right answers and cases for each of the five verdicts."""
        return self._count(lambda case: case.group)

    def details(self) -> dict[str, tuple[int, int]]:
        """The same for each kind of question."""
        return self._count(lambda case: f"{case.group} ({case.why})")

    def mean(self) -> float:
        """The mean share over the verdicts, from 0 to 1."""
        shares = [right / total for right, total in self.shares().values()]
        return sum(shares) / len(shares)

    def false_refusals(self) -> float:
        """The share of accepted inputs that the plugin refuses."""
        accepted = [answer for case, answer in self.answers if case.verdict == "accept"]
        return sum(answer.verdict != "accept" for answer in accepted) / max(1, len(accepted))

    def misses(self) -> Iterator[tuple[Case, Answer]]:
        """The cases that disagree."""
        return ((case, answer) for case, answer in self.answers if case.verdict != answer.verdict)

    def _count(self, key: Any) -> dict[str, tuple[int, int]]:
        groups: dict[str, Counter[bool]] = defaultdict(Counter)
        for case, answer in self.answers:
            groups[key(case)][case.verdict == answer.verdict] += 1
        return {name: (count[True], count.total()) for name, count in sorted(groups.items())}


def cases(path: Path = CASES, token: str = "") -> list[Case]:
    """The recorded questions about types whose token contains `token`."""
    rows = (json.loads(line) for line in gzip.decompress(path.read_bytes()).decode().splitlines())
    return [Case(**row) for row in rows if token in row["token"]]


class Plugin:
    """A plugin process with a world of its own, as the engine would start it."""

    def __init__(self) -> None:
        load_messages()
        from pulumi.runtime.proto import provider_pb2  # noqa: PLC0415 - only now do the messages load cheaply

        self._messages = provider_pb2
        self._folder = tempfile.TemporaryDirectory()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "rehearsal.aws", sdk.version()],
            stdin=subprocess.PIPE,  # held open, as the engine does: a plugin ends with it
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"REHEARSAL_WORLD": self._folder.name},
        )

    def __enter__(self) -> "Plugin":
        port = self._process.stdout.readline().strip() if self._process.stdout else ""
        if not port:
            self._stop()
            raise RuntimeError("the AWS plugin did not start: its own message is above")
        self._channel = grpc.insecure_channel(f"127.0.0.1:{port}", [("grpc.max_receive_message_length", -1)])
        config = {"region": REGION}
        request = self._messages.CheckRequest(urn="urn:pulumi:dev::fidelity::pulumi:providers:aws::default")
        request.news.CopyFrom(dump(config))
        checked = self._call("CheckConfig", request, self._messages.CheckResponse)
        configure = self._messages.ConfigureRequest(acceptSecrets=True, acceptResources=True)
        configure.args.CopyFrom(checked.inputs)
        configure.variables.update({f"aws:config:{name}": value for name, value in config.items()})
        self._call("Configure", configure, self._messages.ConfigureResponse)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._channel.close()
        self._stop()

    def _stop(self) -> None:
        self._process.terminate()
        self._process.communicate()
        self._folder.cleanup()

    def _call(self, method: str, request: Message, response: Any) -> Any:
        call: Any = self._channel.unary_unary(
            f"/pulumirpc.ResourceProvider/{method}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=response.FromString,
        )
        return call(request, timeout=_SECONDS, wait_for_ready=True)

    def _about(self, case: Case, request: Any) -> Any:
        request.name, request.type = case.id.replace(".", "-"), case.token
        request.urn = f"urn:pulumi:dev::fidelity::{case.token}::{request.name}"
        return request

    def check(self, case: Case, news: Values, olds: Values) -> tuple[str, Values]:
        """What Check refuses (empty when it does not), and the inputs it answers."""
        request = self._about(case, self._messages.CheckRequest(randomSeed=b"fidelity".ljust(32, b"0")))
        request.news.CopyFrom(dump(news))
        request.olds.CopyFrom(dump(olds))
        answer = self._call("Check", request, self._messages.CheckResponse)
        words = "; ".join(f"{failure.property}: {failure.reason}" for failure in answer.failures)
        return words, load(answer.inputs).values

    def judge(self, case: Case) -> Answer:
        """The plugin's verdict on one case; an error of the protocol is the verdict `error`."""
        try:
            return self._judge_diff(case) if case.kind == "diff" else self._judge_check(case)
        except grpc.RpcError as error:
            return Answer("error", str(error.details()))

    def _judge_check(self, case: Case) -> Answer:
        words, inputs = self.check(case, case.inputs, {})
        if not words and case.plan:
            request = self._about(case, self._messages.CreateRequest(preview=True))
            request.properties.CopyFrom(dump(inputs))
            try:
                self._call("Create", request, self._messages.CreateResponse)
            except grpc.RpcError as error:
                words = str(error.details())
        return Answer("refuse", words) if words else Answer("accept")

    def _judge_diff(self, case: Case) -> Answer:
        words, olds = self.check(case, case.olds, {})
        if words:
            return Answer("refuse", f"prior: {words}")
        words, news = self.check(case, case.inputs, olds)
        if words:
            return Answer("refuse", words)
        request = self._about(case, self._messages.DiffRequest(id=_STATE["id"]))
        request.olds.CopyFrom(dump({**olds, **_STATE}))
        request.news.CopyFrom(dump(news))
        request.old_inputs.CopyFrom(dump(olds))
        answer = self._call("Diff", request, self._messages.DiffResponse)
        if answer.replaces:
            return Answer("replace", ", ".join(answer.replaces))
        if answer.changes == self._messages.DiffResponse.DIFF_NONE:
            return Answer("none")
        return Answer("inplace", ", ".join(answer.diffs))


def ask(questions: Iterable[Case]) -> Agreement:
    """Ask a plugin process all `questions`."""
    with Plugin() as plugin:
        return Agreement([(case, plugin.judge(case)) for case in questions])


def report(agreement: Agreement, *, misses: bool) -> Iterator[str]:
    """Lines for a person."""
    for name, (right, total) in (agreement.details() | agreement.shares()).items():
        yield f"{name:36s}{right:5d} of {total:5d}  {right / total:6.1%}"
    yield f"mean over the verdicts {agreement.mean():.1%}, false refusals {agreement.false_refusals():.1%}"
    if misses:
        for case, answer in agreement.misses():
            yield f"{case.id} {case.changed or '-'}: {case.verdict}, the plugin {answer.verdict} {answer.words[:160]}"


def main(argv: list[str]) -> int:
    """`python -m rehearsal fidelity`."""
    parser = argparse.ArgumentParser(prog="python -m rehearsal fidelity", description=__doc__)
    parser.add_argument("--token", default="", help="only types that contain this text")
    parser.add_argument("--misses", action="store_true", help="list the cases that disagree")
    options = parser.parse_args(argv)
    questions = cases(token=options.token)
    if not questions:
        sys.stderr.write(f"fidelity: there is no recorded verdict on a type that contains {options.token!r}\n")
        return 2
    sys.stdout.writelines(f"{line}\n" for line in report(ask(questions), misses=options.misses))
    return 0
