"""What do Check and Diff of the emulated AWS provider cost per resource, beside the protocol's own messages?

`.venv/bin/python benchmarks/check_diff.py [--rounds N]`. Processor time over the recorded questions, without a process
between: the messages are what a plugin that does nothing pays, too.
"""

import argparse
import statistics
import time
from collections.abc import Callable

from rehearsal import fidelity
from rehearsal.aws.check import check
from rehearsal.aws.context import Context
from rehearsal.aws.diff import diff
from rehearsal.aws.library import Library
from rehearsal.aws.schema import ensure
from rehearsal.values import dump, load


def timed(rounds: int, work: Callable[[fidelity.Case], object], questions: list[fidelity.Case]) -> list[float]:
    """Milliseconds of processor time per question, one figure a round."""
    figures = []
    for _ in range(rounds):
        started = time.process_time()
        for case in questions:
            work(case)
        figures.append((time.process_time() - started) / len(questions) * 1000)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    ensure(print)
    started = time.perf_counter()
    library, context = Library.open(), Context("us-east-1")
    print(f"opened in {(time.perf_counter() - started) * 1000:.1f} ms")
    questions = [case for case in fidelity.cases() if case.kind == "diff"]

    def ask(case: fidelity.Case) -> object:
        return check(library, case.token, case.inputs, olds={}, name="a", random_seed=b"seed", context=context)

    def compare(case: fidelity.Case) -> object:
        return diff(
            library, case.token, old_inputs=case.olds, old_outputs={}, news=case.inputs, context=context, name="a"
        )

    for name, work in {
        "messages": lambda case: load(dump(case.inputs)),
        "Check": ask,
        "Diff": compare,
    }.items():
        first, *others = timed(options.rounds + 1, work, questions)
        print(f"{name:10s}{statistics.median(others):7.3f} ms per resource (first time {first:.3f})")


if __name__ == "__main__":
    main()
