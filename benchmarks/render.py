"""What does a second of video cost? Cold, with one scene changed, and beside a moviepy implementation of the same job.

`.venv/bin/python benchmarks/render.py [--rounds N]`. moviepy holds Pillow back, so it has an environment of its own,
kept in the user's cache under the hash of its lock. It is given finished slides and speech: only its encoding is timed.
"""

import argparse
import hashlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
import wave
from pathlib import Path

from service.render.cache import SegmentCache
from service.render.course import Course, Scene
from service.render.espeak import Espeak
from service.render.frame import draw
from service.render.images import folder
from service.render.outline import parse
from service.render.pipeline import Rendered, render
from service.render.theme import Canvas, Theme

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = ROOT / "service/render/samples/primeiros-passos.md"
IMAGES = folder(SAMPLE.parent)


def processor() -> float:
    """Seconds of CPU that this process and its finished children have used: the same on a busy machine."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def timed(course: Course, target: Path, cache: SegmentCache | None = None) -> tuple[float, Rendered]:
    started = time.perf_counter()
    done = render(course, target, images=IMAGES, cache=cache)
    return time.perf_counter() - started, done


def moviepy_python() -> Path:
    lock = ROOT / "requirements/moviepy.txt"
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    home = cache / "tecnocursos/moviepy" / hashlib.sha256(lock.read_bytes()).hexdigest()[:16]
    python = home / "bin/python"
    if not (home / ".ready").exists():
        print("installing moviepy into its own environment (about 10 s the first time)", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(home)], check=True)
        uv = [str(ROOT / ".venv/bin/uv"), "pip", "install", "--quiet", "--python", str(python)]
        subprocess.run([*uv, "--require-hashes", "-r", str(lock)], check=True)
        (home / ".ready").touch()
    return python


def moviepy(course: Course, work: Path) -> float:
    """Seconds that moviepy takes for the same slides and readings."""
    work.mkdir()
    for number, scene in enumerate(course.scenes):
        draw(course, number, Canvas(), Theme(), IMAGES).save(work / f"{number:02}.png", compress_level=1)
        reading = Espeak().read(scene.speech, course.language)
        with wave.open(str(work / f"{number:02}.wav"), "wb") as file:
            file.setparams((1, 2, reading.rate, 0, "NONE", ""))
            file.writeframes(reading.samples + bytes(2 * round(0.8 * reading.rate)))
    command = [str(moviepy_python()), str(ROOT / "benchmarks/render_moviepy.py"), str(work), str(work / "out.mp4")]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def twelve(changed: bool = False) -> Course:
    """The sample's narrations over twelve scenes, one of them changed or not."""
    sample = parse(SAMPLE.read_text())
    scenes = [
        Scene(title=f"Cena {n + 1}" + " mudada" * (changed and n == 6), narration=sample.scenes[n % 6].narration)
        for n in range(12)
    ]
    return Course(title="Doze cenas", scenes=tuple(scenes))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="the median of so many rounds is told (default 3)")
    rounds = parser.parse_args().rounds
    sample = parse(SAMPLE.read_text())
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        colds, theirs, cpu, their_cpu = [], [], 0.0, 0.0
        for number in range(rounds):
            before = processor()
            wall, done = timed(sample, work / "cold")
            between = processor()
            colds.append(wall / done.seconds * 1000)
            theirs.append(moviepy(sample, work / f"moviepy{number}") / done.seconds * 1000)
            cpu += (between - before) / rounds / done.seconds * 1000
            their_cpu += (processor() - between) / rounds / done.seconds * 1000
        cold, their = statistics.median(colds), statistics.median(theirs)
        print(
            f"{done.seconds:.1f} s, {len(sample.scenes)} scenes, 1280x720, load of the machine {os.getloadavg()[0]:.1f}"
        )
        print(
            f"cold, verified       {cold:6.1f} ms per second of video (target 35), rounds {[round(c) for c in colds]}"
        )
        print(f"moviepy, encode only {their:6.1f} ms per second of video, rounds {[round(c) for c in theirs]}")
        print(f"moviepy / ours       {their / cold:6.1f} (target 5)")
        print(f"CPU per second       {cpu:6.1f} ms, moviepy {their_cpu:.1f} ms: {their_cpu / cpu:.1f} times")
        cache = SegmentCache(work / "cache")
        for words, course in (
            ("twelve scenes, cold", twelve()),
            ("one of them changed", twelve(changed=True)),
            ("none changed", twelve()),
        ):
            wall, done = timed(course, work / "twelve", cache)
            print(
                f"{words:20s} {wall / done.seconds * 1000:6.1f} ms per second of video, {wall:.2f} s for "
                f"{done.seconds:.0f} s, {done.scenes_rendered} rendered, {done.scenes_cached} from the cache"
            )


if __name__ == "__main__":
    main()
