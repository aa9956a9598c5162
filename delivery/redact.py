"""What in a free text could be a secret? Messages of the engine, providers and programs pass here before people read.

Values of properties never get this far: reports show property names. What remains are messages, in which a provider or
a program may have quoted a value. They are masked by shape; a short secret made of plain words looks like prose.
"""

import re
from collections.abc import Collection

MASK = "[masked]"
ENGINE_SECRET = "4dabf18193072939515e22adb298388d"  # noqa: S105 (the engine's public marker of a masked value)
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"  # the engine's public marker of a value that is not known yet

_NAME = r"[\w.-]*(?:passw(?:or)?d|passphrase|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credential)[\w.-]*"
_SHAPES = (
    re.compile(r"-----BEGIN [A-Z ]+-----.*?(?:-----END [A-Z ]+-----|\Z)", re.DOTALL),
    re.compile(r"\b(?:A3T|AKIA|ASIA|AGPA|AIDA|AROA|ANPA)[A-Z0-9]{12,}"),
    re.compile(r"(?<=://)[^/\s@]+(?=@)"),
    re.compile(rf"(?i)(?<![\w.-])({_NAME}[\"']?\s*(?:[:=]|\bis\b|\bvalue\b)\s*)(\"[^\"]*\"|'[^']*'|\S+)"),
    re.compile(r"(?<=value )\{.*?\}(?= has a problem)", re.DOTALL),  # the engine quotes refused values so
)
_WORD = re.compile(r"[^\s\"'`(){}\[\]<>,;|=]{12,}")
_SEGMENT = re.compile(r"[A-Za-z0-9+=%&!*]{6,}")
_ORDINARY = re.compile(r"[A-Za-z]+|\d{1,14}|[A-Za-z]{2,9}\d{1,3}")
_IMAGE = re.compile(r"[\w./-]+@sha256:[0-9a-f]{64}:?")  # a digest says which image, and opens nothing
_ID = re.compile(r"[a-z]{2,8}-[0-9a-f]{8,17}")  # the ids that AWS gives, like subnet-0123456789abcdef0


def redact(text: str, known: Collection[str] = ()) -> str:
    """The text with whatever has the shape of a secret masked.

    known: names that may stand whatever they look like, such as those of resources and properties.
    """
    for shape in _SHAPES:
        text = shape.sub(lambda found: (found[1] if found.lastindex else "") + MASK, text)
    return _WORD.sub(lambda found: found[0] if _ordinary(found[0], known) else MASK, text)


def secret_name(name: str) -> bool:
    """Whether a name says that its value is a secret."""
    return re.search(f"(?i){_NAME}", name) is not None


def _ordinary(word: str, known: Collection[str]) -> bool:
    """A known name, an image, an id of AWS, or parts that are each a word, a figure or a word with a short figure."""
    if word in known or _IMAGE.fullmatch(word) or _ID.fullmatch(word) or word == UNKNOWN:
        return True
    parts = [part for part in re.split(r"[:/]+", word) if part not in known and not _ID.fullmatch(part)]
    return all(_ORDINARY.fullmatch(found[0]) for part in parts for found in _SEGMENT.finditer(part))
