"""How is a file replaced so that a reader sees the old or the new one, never half of it?"""

import os
from pathlib import Path


def replace_text(path: Path, text: str, *, executable: bool = False) -> None:
    """Write a file as a whole; a file that already reads so is left alone."""
    if path.exists() and path.read_text() == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.write_text(text)
    fresh.chmod(0o755 if executable else 0o644)
    fresh.replace(path)
