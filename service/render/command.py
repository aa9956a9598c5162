"""How is an outline rendered from a command line, with progress on the terminal?"""

import argparse
import re
import sys
import time
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from service.limits import LIMITS
from service.render.course import Course, Language
from service.render.errors import CourseError, RenderError

if (
    TYPE_CHECKING
):  # what draws and encodes takes a quarter of a second to import, which other commands need not wait for
    from service.render.narration import Narrator
    from service.render.pipeline import Rendered


def arguments(parser: argparse.ArgumentParser) -> None:
    """What such a command takes."""
    parser.add_argument("outline", type=Path, metavar="FILE.md", help="Markdown outline, images in the same folder")
    parser.add_argument("--output", type=Path, help="folder for the video (default: build/courses/<title>)")
    parser.add_argument("--cache", type=Path, help="folder of rendered scenes, for quick second renderings")
    parser.add_argument("--language", choices=get_args(Language), default="pt-br", help="of the voice (%(default)s)")


def run(
    options: argparse.Namespace,
    narrators: "Sequence[Narrator]",
    prepare: Callable[[Course], Course] = lambda course: course,
) -> int:
    """Render; exit code 1 when the machine failed, 2 when the outline is at fault."""
    started = time.monotonic()
    try:
        course = prepare(read(options.outline, options.language))
        target = options.output or Path("build/courses") / slug(course.title)
        done = _show(course, options, target, narrators)
    except (CourseError, RenderError) as error:
        print(f"{options.outline}: {error}", file=sys.stderr)  # noqa: T201 # a command's answer
        return 2 if isinstance(error, CourseError) else 1
    wall = time.monotonic() - started
    print(  # noqa: T201 # a command's answer
        f"{done.video}\n{done.seconds:.1f} s of video in {wall:.1f} s "
        f"({wall / done.seconds * 1000:.0f} ms per second), read by {done.narrator}; "
        f"{done.scenes_rendered} scenes rendered, {done.scenes_cached} from the cache"
    )
    return 0


def slug(title: str) -> str:
    """A file name for a title: lower-case letters, digits and hyphens, at most 60."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60].strip("-") or "course"


def read(path: Path, language: Language) -> Course:
    """The course of an outline file; CourseError when it cannot be read or is none."""
    from service.render.outline import parse  # noqa: PLC0415

    try:
        with path.open("rb") as file:
            data = file.read(LIMITS.outline + 1)
        return parse(data.decode("utf-8"), language)
    except OSError as error:
        raise CourseError.of("outline_unreadable", file=path, reason=error.strerror) from None
    except UnicodeDecodeError:
        raise CourseError.of("outline_not_text", file=path) from None


def _show(course: Course, options: argparse.Namespace, target: Path, narrators: "Sequence[Narrator]") -> "Rendered":
    """A progress bar on terminals, a line per step elsewhere."""
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    from service.render.cache import SegmentCache  # noqa: PLC0415
    from service.render.images import folder  # noqa: PLC0415
    from service.render.pipeline import render  # noqa: PLC0415

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
            narrators=narrators,
            images=folder(options.outline.parent),
            cache=SegmentCache(options.cache) if options.cache else None,
            progress=tell,
        )
