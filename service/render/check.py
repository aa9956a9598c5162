"""What would the renderer refuse of a text, before anything is drawn?

What people usually write is told apart by arithmetic alone, so that checking it costs microseconds; the rest is set in
type, which takes a tenth of a second to load and is loaded only then.
"""

from collections.abc import Mapping

from pydantic import ValidationError

from service.render.course import Course, Scene, refusal
from service.render.errors import CourseError, Problem
from service.render.narration import speakable
from service.render.theme import Canvas

LAST_COMMON = "\u017e"  # the font has every character up to here, none wider than it is high


def check_course(course: Course) -> None:
    """Raise CourseError for all texts of a course that cannot be shown or said; pictures are not looked at."""
    problems: list[Problem] = []
    for number, scene in enumerate(course.scenes):
        try:
            check_scene(scene, cover=number == 0)
        except CourseError as error:
            problems += error.inside("scenes", number).problems
    if problems:
        raise CourseError(*problems)


def check(written: Mapping[str, object], *, cover: bool = False) -> None:
    """The same for one scene as it is stored."""
    try:
        check_scene(Scene.model_validate(written), cover=cover)
    except ValidationError as error:
        raise refusal(error) from None


def check_scene(scene: Scene, *, cover: bool = False) -> None:
    """The same for one scene."""
    if not scene.audio and not any(map(str.isalnum, speakable(scene.speech))):
        narration = "description" if cover else "narration"
        raise CourseError.of("nothing_to_say", narration if scene.narration else "title")
    if not _surely_fits(scene, cover=cover):
        from service.render.frame import layout  # noqa: PLC0415 (see above)

        layout(scene, Canvas(), cover=cover, smallest=True)


def _surely_fits(scene: Scene, *, cover: bool) -> bool:
    shown = "".join((scene.title, *scene.bullets))
    if scene.caption or scene.presenter or max(shown) > LAST_COMMON:
        return False
    if cover and not scene.bullets and not scene.image:
        return _lines(scene.title, 52, 1080) <= 9
    lines = sum(_lines(bullet, 28, 464 if scene.image else 1080) for bullet in scene.bullets)
    return _lines(scene.title, 30, 1120) <= 3 and 36 * lines + 11 * len(scene.bullets) <= 396


def _lines(text: str, size: int, width: int) -> int:
    """Most lines that a text can take: two that follow each other are together longer than the width."""
    return 1 if len(text) * size <= width else 2 * (len(text) * size // width) + 1
