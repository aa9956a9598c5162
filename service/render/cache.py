"""Which scenes are rendered already? Segments on disk, named by the hash of everything that makes them."""

import hashlib
import json
import os
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PICTURE, SOUND, RECORD = "picture.mp4", "sound.aac", "record.json"


def digest(*parts: object) -> str:
    """SHA-256 over parts, each a text, number, bytes or a list of them; no two lists of parts look the same."""
    plain = [hashlib.sha256(part).hexdigest() if isinstance(part, bytes) else part for part in parts]
    return hashlib.sha256(json.dumps(plain, ensure_ascii=False).encode()).hexdigest()


@dataclass(frozen=True)
class SegmentCache:
    """A folder with one subfolder per segment, which appears whole or not at all: any number of processes share it."""

    root: Path
    max_bytes: int = 2 * 2**30

    def get(self, key: str) -> Path | None:
        """The segment's folder, or None; a hit counts as use."""
        path = self.root / key
        try:
            os.utime(path)
        except FileNotFoundError:
            return None
        return path

    def put(self, key: str, made: Path) -> Path:
        """Take over a finished folder (on the same file system); the first of two equal segments stays."""
        path = self.root / key
        self.root.mkdir(parents=True, exist_ok=True)
        try:
            made.rename(path)
        except OSError:
            if not path.is_dir():
                raise
            shutil.rmtree(made)
        return path

    def drop(self, key: str) -> None:
        """Forget a segment that turned out damaged."""
        shutil.rmtree(self.root / key, ignore_errors=True)

    def expire(self, seconds: float) -> None:
        """Remove the segments that were not used for so long: of a person who was erased nothing stays."""
        for path in self.root.iterdir() if self.root.is_dir() else ():
            with suppress(FileNotFoundError):  # another process was quicker
                if path.stat().st_mtime < time.time() - seconds:
                    shutil.rmtree(path, ignore_errors=True)

    def prune(self) -> None:
        """Remove the segments used least recently until the folder is within its size."""
        if not self.root.is_dir():
            return
        segments = sorted(
            (path.stat().st_mtime, sum(f.stat().st_size for f in path.iterdir()), path) for path in self.root.iterdir()
        )
        total = sum(size for _, size, _ in segments)
        for _, size, path in segments:
            if total <= self.max_bytes:
                break
            shutil.rmtree(path, ignore_errors=True)
            total -= size
