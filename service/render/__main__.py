"""How is a course rendered from the command line? `python -m service.render FILE.md`."""

import argparse
import re
import sys
import time
import unicodedata
from pathlib import Path
from typing import get_args

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from service.render.cache import SegmentCache
from service.render.course import Course, Language
from service.render.errors import CourseError, RenderError
from service.render.images import folder
from service.render.outline import MAX_OUTLINE_BYTES, parse
from service.render.pipeline import Rendered, render


def slug(title: str) -> str:
    """A file name for a title: lower-case letters, digits and hyphens, at most 60."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60].strip("-") or "course"


def read(path: Path, language: Language) -> Course:
    """The course of an outline file; CourseError when it cannot be read or is none."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_OUTLINE_BYTES + 1)
        return parse(data.decode("utf-8"), language)
    except OSError as error:
        raise CourseError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise CourseError(f"{path}: not UTF-8 text: save it as UTF-8") from None


def show(course: Course, source: Path, target: Path, cache: Path | None) -> Rendered:
    """Render with a progress bar on terminals, a line per step elsewhere."""
    console = Console(stderr=True)
    bar = Progress(
        BarColumn(), TextColumn("{task.percentage:3.0f} %"), TextColumn("{task.description}"), TimeElapsedColumn(),
        console=console, transient=True, disable=not console.is_terminal,
    )  # fmt: skip
    with bar:
        task = bar.add_task("Starting", total=100)

        def tell(percent: float, message: str) -> None:
            bar.update(task, completed=percent, description=message)
            if not console.is_terminal:
                console.print(f"{percent:3.0f} % {message}", highlight=False)

        return render(
            course,
            target,
            images=folder(source.parent),
            cache=SegmentCache(cache) if cache else None,
            progress=tell,
        )


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0; 1 when the machine failed, 2 when the outline is at fault."""
    parser = argparse.ArgumentParser(prog="python -m service.render", description=__doc__)
    parser.add_argument("outline", type=Path, metavar="FILE.md", help="Markdown outline, images in the same folder")
    parser.add_argument("--output", type=Path, help="folder for the video (default: build/courses/<title>)")
    parser.add_argument("--cache", type=Path, help="folder of rendered scenes, for quick second renderings")
    parser.add_argument("--language", choices=get_args(Language), default="pt-br", help="language of the voice")
    options = parser.parse_args(arguments)
    started = time.monotonic()
    try:
        course = read(options.outline, options.language)
        target = options.output or Path("build/courses") / slug(course.title)
        done = show(course, options.outline, target, options.cache)
    except (CourseError, RenderError) as error:
        print(f"{options.outline}: {error}", file=sys.stderr)
        return 2 if isinstance(error, CourseError) else 1
    wall = time.monotonic() - started
    print(
        f"{done.video}\n{done.seconds:.1f} s of video in {wall:.1f} s "
        f"({wall / done.seconds * 1000:.0f} ms per second); "
        f"{done.scenes_rendered} scenes rendered, {done.scenes_cached} from the cache"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
