"""What do the boards look like in use? `python tests/dashboards/pictures.py FOLDER` uses the service and draws them."""

import argparse
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.dashboards.live import watched


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", help="where to write the pictures")
    parser.add_argument("--minutes", type=float, default=5, help="of use (default: %(default)s)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tecnocursos-pictures-") as name, watched(Path(name)) as live:
        started = time.monotonic()
        print(f"using the service for {options.minutes:g} minutes ...", flush=True)
        live.crowd.unlucky()
        while (elapsed := time.monotonic() - started) < options.minutes * 60:
            live.crowd.round()
            time.sleep(random.uniform(0, 0.6) if elapsed % 90 < 60 else 1)  # noqa: S311 (quieter at times)
        command = [sys.executable, "-m", "dashboards", "draw", options.folder, "--rate", "20s"]
        command += ["--prometheus", live.prometheus.url, "--minutes", str(options.minutes)]
        return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
