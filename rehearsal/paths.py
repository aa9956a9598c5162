"""Where does the rehearsal keep what: this checkout's folders and the user's caches?"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rehearsal.errors import RehearsalError

Mode = Literal["schema", "real", "live"]
MODES: tuple[Mode, ...] = ("schema", "real", "live")

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

        Raises RehearsalError when `KUBERNETES` is none of the modes.
        """
        mode = current_mode()
        base = Path(os.environ.get("REHEARSAL_DIR") or ROOT / ".rehearsal").resolve()
        return cls(mode, base if mode == "schema" else base / mode)

    @property
    def live(self) -> Path:
        """What serves in `live`: servers, logs, pods, images."""
        return self.base / "run"

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


def current_mode() -> Mode:
    """What `KUBERNETES` says, `schema` where it is unset. Raises RehearsalError for another word."""
    named = os.environ.get("KUBERNETES") or "schema"
    found = next((mode for mode in MODES if mode == named), None)
    if found is None:
        raise RehearsalError(f"KUBERNETES is {named!r}: it must be one of {', '.join(MODES)}")
    return found


def real_api_server() -> bool:
    """Do Kubernetes objects go to a real API server, by the official provider?"""
    return current_mode() != "schema"


def interpreter() -> Path:
    """The Python of this checkout's virtual environment: every plugin runs in it."""
    return ROOT / ".venv" / "bin" / "python"


def user_cache() -> Path:
    """What is built once per user and shared by all checkouts: `${XDG_CACHE_HOME:-~/.cache}/tecnocursos`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tecnocursos"
