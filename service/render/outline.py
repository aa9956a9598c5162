"""How is a Markdown outline read as a course?

# Course title                 its paragraphs are said over the title scene
## Scene title
- bullet                       at most 8, shown on the slide
![caption](file.png)           one image per scene, from the outline's own folder
Paragraphs are the narration.
"""

from dataclasses import dataclass, field
from urllib.parse import unquote

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode
from pydantic import ValidationError

from service.render.course import Course, Language, explain, scene_name
from service.render.errors import CourseError

MAX_OUTLINE_BYTES = 400_000
_UNSUPPORTED = {
    "fence": "code blocks: show code as an image",
    "code_block": "indented code blocks: remove the indentation, or show code as an image",
    "blockquote": "quotations: write them as paragraphs",
    "html_block": "HTML: write Markdown",
}


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
    if len(markdown.encode("utf-8", "replace")) > MAX_OUTLINE_BYTES:
        raise CourseError(f"the outline is larger than {MAX_OUTLINE_BYTES:,} bytes: split the course")
    reader = MarkdownIt("commonmark")
    reader.validateLink = _any_link  # type: ignore[method-assign]
    drafts: list[_Draft] = []
    for node in SyntaxTreeNode(reader.parse(markdown)).children:
        _read(node, drafts)
    if not drafts:
        raise CourseError("the outline is empty: begin with a line '# Course title'")
    try:
        return Course.model_validate(
            {"title": drafts[0].title, "language": language, "scenes": [draft.fields() for draft in drafts]}
        )
    except ValidationError as error:
        raise CourseError(explain(error, lambda n: f"line {drafts[n].line}, {scene_name(n)}")) from None


def _any_link(url: str) -> bool:
    """Links that a browser must not follow are links here too, so that the model can refuse them and say why."""
    return bool(url)


def _read(node: SyntaxTreeNode, drafts: list[_Draft]) -> None:
    line = node.map[0] + 1 if node.map else 0
    if node.type == "heading":
        level = int(node.tag[1])
        if (level == 1) != (not drafts) or level > 2:
            raise CourseError(
                f"line {line}: one '# Course title' comes first, then every scene begins with '## Scene title'; "
                f"found a heading of level {level}"
            )
        drafts.append(_Draft(line, _text(node)))
        return
    if node.type == "hr":
        return
    if remedy := _UNSUPPORTED.get(node.type):
        raise CourseError(f"line {line}: an outline has no {remedy}")
    if not drafts:
        raise CourseError(f"line {line}: text before the title: begin with a line '# Course title'")
    draft = drafts[-1]
    if node.type in ("bullet_list", "ordered_list"):
        draft.bullets += [_item(item, line) for item in node.children]
        return
    images = [child for child in node.walk() if child.type == "image"]
    draft.images += [(unquote(str(image.attrs["src"])), image.content) for image in images]
    if len(draft.images) > 1:
        raise CourseError(f"line {line}: scene '{draft.title[:60]}' has a second image: one per scene")
    if text := _text(node):
        draft.narration.append(text)


def _item(item: SyntaxTreeNode, line: int) -> str:
    if any(child.type != "paragraph" for child in item.children):
        raise CourseError(f"line {line}: a bullet holds one line of text: no lists, code or quotations inside")
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
