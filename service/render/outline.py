"""How is a Markdown outline read as a course?

# Course title                 its paragraphs are said over the title scene
## Scene title
- bullet                       at most 8, shown on the slide
![caption](file.png)           one image per scene, from the outline's own folder
Paragraphs are the narration.
"""

from dataclasses import dataclass, field, replace
from urllib.parse import unquote

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode
from pydantic import ValidationError

from service.limits import LIMITS
from service.render.course import Course, Language, refusal
from service.render.errors import CourseError, Problem

_UNSUPPORTED = {"fence", "code_block", "blockquote", "html_block"}


@dataclass
class _Draft:
    line: int
    title: str
    bullets: list[str] = field(default_factory=list)
    narration: list[str] = field(default_factory=list)
    images: list[tuple[str, str]] = field(default_factory=list)

    def fields(self) -> dict[str, object]:
        name, caption = self.images[0] if self.images else (None, "")
        return {
            "title": self.title,
            "bullets": self.bullets,
            "narration": " ".join(self.narration),
            "image": name,
            "caption": caption,
        }


def parse(markdown: str, language: Language = "pt-br") -> Course:
    """The course that an outline describes.

    Raises CourseError naming the line or the scene, what is wrong and how to mend it.
    """
    if len(markdown.encode("utf-8", "replace")) > LIMITS.outline:
        raise CourseError.of("outline_bytes", most=LIMITS.outline)
    reader = MarkdownIt("commonmark")
    reader.validateLink = _any_link  # type: ignore[method-assign]
    drafts: list[_Draft] = []
    for node in SyntaxTreeNode(reader.parse(markdown)).children:
        _read(node, drafts)
    if not drafts:
        raise CourseError.of("outline_empty")
    try:
        return Course.model_validate(
            {"title": drafts[0].title, "language": language, "scenes": [draft.fields() for draft in drafts]}
        )
    except ValidationError as error:
        raise CourseError(*(_with_line(problem, drafts) for problem in refusal(error).problems)) from None


def _with_line(problem: Problem, drafts: list[_Draft]) -> Problem:
    match problem.place:
        case ("scenes", int(number), *_):
            return replace(problem, place=("line", drafts[number].line, *problem.place))
    return problem


def _any_link(url: str) -> bool:
    """Links that a browser must not follow are links here too, so that the model can refuse them and say why."""
    return bool(url)


def _read(node: SyntaxTreeNode, drafts: list[_Draft]) -> None:
    line = node.map[0] + 1 if node.map else 0
    if node.type == "heading":
        level = int(node.tag[1])
        if (level == 1) != (not drafts) or level > 2:
            raise CourseError.of("outline_heading", "line", line, level=level)
        drafts.append(_Draft(line, _text(node)))
        return
    if node.type == "hr":
        return
    if node.type in _UNSUPPORTED:
        raise CourseError.of(f"outline_{node.type}", "line", line)
    if not drafts:
        raise CourseError.of("outline_untitled", "line", line)
    draft = drafts[-1]
    if node.type in ("bullet_list", "ordered_list"):
        draft.bullets += [_item(item, line) for item in node.children]
        return
    images = [child for child in node.walk() if child.type == "image"]
    draft.images += [(unquote(str(image.attrs["src"])), image.content) for image in images]
    if len(draft.images) > 1:
        raise CourseError.of("outline_second_image", "line", line, scene=draft.title[:60])
    if text := _text(node):
        draft.narration.append(text)


def _item(item: SyntaxTreeNode, line: int) -> str:
    if any(child.type != "paragraph" for child in item.children):
        raise CourseError.of("outline_item", "line", line)
    return _text(item)


def _text(node: SyntaxTreeNode) -> str:
    """Words only: emphasis, links and inline code lose their marks, images are left out."""
    inline: list[Token] = [child.token for child in node.walk() if child.type == "inline" and child.token]
    pieces = [
        " " if part.type in ("softbreak", "hardbreak") else part.content
        for token in inline
        for part in token.children or ()
        if part.type != "image"
    ]
    return "".join(pieces).strip()
