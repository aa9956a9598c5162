"""Is the knee the same in two runs? The highest rate that holds the thresholds, twice, each on a service of its own.

Everything is on this machine, so the generator's share and whatever else runs is part of the figure.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CLOSE = 0.15  # of the mean


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("flags", nargs="*", help="for `python -m loadtests run`, for example -- --seconds 5")
    options = parser.parse_args()
    knees = []
    for number in (1, 2):
        print(f"==> run {number} of 2", flush=True)
        command = [sys.executable, "-m", "loadtests", "run", "--profile", "stress", *options.flags]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as run:
            for line in run.stdout or ():
                print(line, end="", flush=True)
                if found := re.search(r"knee: ([\d.]+) requests/s", line):
                    knees.append(float(found[1]))
    if len(knees) < 2:
        print("no knee was found in one of them", file=sys.stderr)
        return 1
    apart = abs(knees[0] - knees[1]) / (sum(knees) / 2)
    print(f"==> knees: {knees[0]:.0f} and {knees[1]:.0f} requests/s, {apart:.1%} apart (wanted: within {CLOSE:.0%})")
    return 0 if apart <= CLOSE else 1


if __name__ == "__main__":
    sys.exit(main())
