"""Which container images can the nodes pull? All but those that a person says nobody has pushed yet."""

import re
from collections.abc import Iterable
from pathlib import Path

from rehearsal.errors import RehearsalError
from rehearsal.files import replace_text

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_NEVER = "0{64}"
"""How the stages name the digest that is never there."""


def missing(root: Path) -> set[str]:
    """Digests that cannot be pulled in any cluster below `root`."""
    file = root / "missing-images"
    return set(file.read_text().split()) if file.exists() else set()


def tell(root: Path, digests: Iterable[str]) -> set[str]:
    """From now on exactly these are missing; returns them. Raises RehearsalError for what is no digest."""
    wrong = [one for one in digests if not _DIGEST.fullmatch(one)]
    if wrong:
        raise RehearsalError(f"image {wrong[0]!r}: a digest is needed, sha256: and 64 hexadecimal digits")
    chosen = set(digests)
    replace_text(root / "missing-images", "".join(f"{one}\n" for one in sorted(chosen)))
    return chosen


def played(stages: str, root: Path) -> str:
    """The stages of a cluster: what is missing stands beside what is never there."""
    named = "|".join([_NEVER, *sorted(one.removeprefix("sha256:") for one in missing(root))])
    return stages.replace(f"@sha256:{_NEVER}$", f"@sha256:({named})$")
