"""Does a pattern of a policy cover a text? `*`, `?` and policy variables, as IAM means them.

IAM user guide, "policy elements: variables and tags" and "ARN operators". A value that replaces a variable is plain
text: a user called `*` is not everybody.
"""

import functools
import itertools
import re
from collections.abc import Mapping

Value = str | tuple[str, ...]  # text, or what a key holds that may have many values
Context = Mapping[str, Value]  # by lower-case name: condition keys know no case

_PIECE = re.compile(r"\$\{(?P<name>[^}]*)\}|(?P<wild>[*?])|(?P<plain>[^*?$]+|\$)")
_NAME = re.compile(r"(?P<key>[^,]+?)\s*(?:,\s*'(?P<default>[^']*)')?")
_FIELDS = re.compile(r"(?:^|(?<=:))((?:\$\{[^}]*\}|[^:])*)(?::|$)")  # a colon inside a variable separates nothing
_LITERAL = {"*": "*", "?": "?", "$": "$"}
ARN_FIELDS = 6


def like(pattern: str, text: str, *, context: Context | None = None, any_case: bool = False) -> bool:
    """Whether the whole text matches; without a context (documents of 2008) variables are plain text."""
    found = _expression(pattern, context, wildcards=True)
    return found is not None and _compiled(found, any_case).fullmatch(text) is not None


def same(pattern: str, text: str, *, context: Context | None = None, any_case: bool = False) -> bool:
    """As `like`, but `*` and `?` are themselves."""
    found = _expression(pattern, context, wildcards=False)
    return found is not None and _compiled(found, any_case).fullmatch(text) is not None


def resolved(pattern: str, context: Context | None) -> bool:
    """Whether every variable has a value. One without makes its statement say nothing, even where it excludes."""
    return _expression(pattern, context, wildcards=True) is not None


def arn_like(pattern: str, text: str, *, context: Context | None = None) -> bool:
    """Compare ARNs field by field, so that a wildcard never reaches into the next one; missing fields are `*`."""
    if pattern == "*":
        return True
    fields, found = arn_fields(pattern), text.split(":", ARN_FIELDS - 1)
    fields += ["*"] * (ARN_FIELDS - len(fields))
    if len(found) != ARN_FIELDS:
        return False
    return all(like(part, value, context=context) for part, value in zip(fields, found, strict=True))


def arn_fields(pattern: str) -> list[str]:
    """The up to six fields of an ARN that may hold variables."""
    found = list(itertools.islice(_FIELDS.finditer(pattern), ARN_FIELDS))
    rest = pattern[found[-1].start() :]
    return [match[1] for match in found[:-1]] + ([rest] if len(found) == ARN_FIELDS else [found[-1][1]])


def _expression(pattern: str, context: Context | None, *, wildcards: bool) -> str | None:
    """The regular expression of a pattern; None when a variable has no value: such a pattern covers nothing."""
    if context is None or "${" not in pattern:
        return _translated(pattern, wildcards)
    parts = []
    for piece in _PIECE.finditer(pattern):
        if piece["name"] is None:
            parts.append(_translated(piece[0], wildcards))
        elif (value := _variable(piece["name"], context)) is not None:
            parts.append(re.escape(value))
        else:
            return None
    return "".join(parts)


def _variable(text: str, context: Context) -> str | None:
    if text in _LITERAL:
        return _LITERAL[text]
    name = _NAME.fullmatch(text.strip())
    if name is None:
        return None
    value = context.get(name["key"].lower())
    return value if isinstance(value, str) else name["default"]  # many values are no text


@functools.lru_cache(maxsize=4096)
def _translated(text: str, wildcards: bool) -> str:
    if not wildcards:
        return re.escape(text)
    return "".join({"*": ".*", "?": "."}.get(letter) or re.escape(letter) for letter in text)


@functools.lru_cache(maxsize=4096)
def _compiled(expression: str, any_case: bool) -> re.Pattern[str]:
    return re.compile(expression, re.DOTALL | (re.IGNORECASE if any_case else 0))
