"""Where does the rehearsal keep what: this checkout's folders and the user's caches?"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rehearsal.errors import RehearsalError

Mode = Literal["schema", "real"]

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Paths:
    """The folders of one Kubernetes mode of one checkout; `base` holds all of them, nothing exists until set-up.

    backend: a file backend elsewhere, for a stack whose bucket does not exist yet.
    """

    mode: Mode
    base: Path
    backend: Path | None = None

    @classmethod
    def current(cls) -> "Paths":
        """The folders for `KUBERNETES` (default `schema`) below `REHEARSAL_DIR` (default `.rehearsal` here).

        Raises RehearsalError when `KUBERNETES` is neither `schema` nor `real`.
        """
        mode = os.environ.get("KUBERNETES") or "schema"
        if mode not in {"schema", "real"}:
            raise RehearsalError(f"KUBERNETES is {mode!r}: it must be schema or real")
        base = Path(os.environ.get("REHEARSAL_DIR") or ROOT / ".rehearsal").resolve()
        return cls("schema", base) if mode == "schema" else cls("real", base / "real")

    @property
    def bin(self) -> Path:
        """First on PATH: a link to the chosen engine and the stand-in `aws`."""
        return self.base / "bin"

    @property
    def home(self) -> Path:
        """PULUMI_HOME: plugins, workspaces, engine logs."""
        return self.base / "home"

    @property
    def state(self) -> Path:
        """The file backend, one checkpoint per stack: the folder that stands for the buckets of all accounts."""
        return self.backend or self.base / "state"

    @property
    def world(self) -> Path:
        """REHEARSAL_WORLD: what exists in the emulated cloud."""
        return self.base / "world"

    @property
    def kubeconfig(self) -> Path:
        """KUBECONFIG: an empty one, so that no default Kubernetes provider reaches a person's cluster."""
        return self.base / "kubeconfig"

    def checkpoint(self, project: str, stack: str) -> Path:
        """The state of one stack, as the file backend keeps it."""
        return self.state / ".pulumi" / "stacks" / project / f"{stack}.json"

    def locks(self, project: str, stack: str) -> Path:
        """The folder of one stack's locks, as the file backend keeps them."""
        return self.state / ".pulumi" / "locks" / "organization" / project / stack


def interpreter() -> Path:
    """The Python of this checkout's virtual environment: every plugin runs in it."""
    return ROOT / ".venv" / "bin" / "python"


def user_cache() -> Path:
    """What is built once per user and shared by all checkouts: `${XDG_CACHE_HOME:-~/.cache}/tecnocursos`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tecnocursos"
