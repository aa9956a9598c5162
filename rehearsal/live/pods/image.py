"""What is in an image, and where do images come from? A local registry of recipes and OCI layouts, by digest.

The registry is a folder: `<repository>/<digest>/image.json` and, beside it, what the image holds. A recipe says how an
image that cannot be built here (no base image can be fetched) runs from a checkout: which folders it copies, where its
locked packages are, and what its Dockerfile says of entry point and environment. A copy is kept under the digest of its
content, so two versions are there at once and running pods never see an edit.
"""

import hashlib
import json
import re
import shutil
import sys
import tarfile
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rehearsal.errors import RehearsalError

_REFERENCE = re.compile(r"(?:[^/]+\.[^/]+/)?(?P<repository>[^@:]+)(?::[^@]+)?@sha256:(?P<digest>[0-9a-f]{64})")
_LEFT_OUT = ("__pycache__", "*.pyc")


@dataclass(frozen=True)
class Image:
    """How an image runs. `binds` are (place on this machine, place inside), read-only; with `root` it is whole."""

    entrypoint: tuple[str, ...]
    command: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: str = "/"
    binds: tuple[tuple[str, str], ...] = ()
    root: str | None = None
    stand_in: str = ""  # what it is instead of the real thing, for the report


class Registry:
    """The images that can be pulled here."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def pull(self, reference: str) -> Image | None:
        """The image behind `host/repository@sha256:...`; None when there is none."""
        found = _REFERENCE.fullmatch(reference)
        if found is None:
            return None
        try:
            row = json.loads((self._place(found["repository"], found["digest"]) / "image.json").read_text())
        except FileNotFoundError:
            return None
        binds = tuple((source, target) for source, target in row["binds"])
        return Image(
            **{**row, "entrypoint": tuple(row["entrypoint"]), "command": tuple(row["command"]), "binds": binds}
        )

    def build(self, context: Path) -> str:
        """Make the image whose recipe is `image.toml` in a folder of a checkout; its `repository@sha256:...`.

        Raises RehearsalError naming the field when the recipe cannot be followed.
        """
        recipe, checkout = _recipe(context)
        sources = [(checkout / source, target) for source, target in recipe.get("copy", {}).items()]
        locks = [checkout / name for name in recipe.get("locks", [])]
        for path in (*(source for source, _ in sources), *locks):
            if not path.exists():
                raise RehearsalError(f"{context / 'image.toml'}: {path} is not there")
        digest = _digest(context / "image.toml", *locks, *(source for source, _ in sources))
        place = self._place(recipe["repository"], digest)
        if not (place / "image.json").exists():
            fresh = place.with_name(f".{digest}")
            shutil.rmtree(fresh, ignore_errors=True)
            for source, target in sources:
                copied = fresh / "files" / target.lstrip("/")
                copied.parent.mkdir(parents=True, exist_ok=True)
                if source.is_dir():
                    shutil.copytree(source, copied, ignore=shutil.ignore_patterns(*_LEFT_OUT))
                else:
                    shutil.copy2(source, copied)
            binds = [(str(place / "files" / target.lstrip("/")), target) for _, target in sources]
            for source, target in recipe.get("packages", {}).items():
                binds.append((str(checkout / source), target))
            self._write(fresh, Image(**_words(recipe), binds=tuple(binds)))
            fresh.rename(place)
        return f"{recipe['repository']}@sha256:{digest}"

    def load(self, repository: str, layout: Path) -> str:
        """Take the only image of an OCI layout; its `repository@sha256:...`. Raises RehearsalError."""
        try:
            rows = json.loads((layout / "index.json").read_text())["manifests"]
            (digest,) = [row["digest"].removeprefix("sha256:") for row in rows]
            manifest = json.loads(_blob(layout, f"sha256:{digest}").read_text())
            settings = json.loads(_blob(layout, manifest["config"]["digest"]).read_text()).get("config", {})
        except (OSError, KeyError, ValueError) as error:
            raise RehearsalError(f"{layout} is no OCI layout with one image: {error}") from error
        place = self._place(repository, digest)
        if not (place / "image.json").exists():
            fresh = place.with_name(f".{digest}")
            shutil.rmtree(fresh, ignore_errors=True)
            root = fresh / "root"
            root.mkdir(parents=True)
            for layer in manifest["layers"]:
                _unpack(_blob(layout, layer["digest"]), root)
            self._write(
                fresh,
                Image(
                    entrypoint=tuple(settings.get("Entrypoint") or ()),
                    command=tuple(settings.get("Cmd") or ()),
                    environment=dict(row.split("=", 1) for row in settings.get("Env") or []),
                    folder=settings.get("WorkingDir") or "/",
                    root=str(place / "root"),
                ),
            )
            fresh.rename(place)
        return f"{repository}@sha256:{digest}"

    def stand_in(self, reference: str, name: str, port: int) -> None:
        """Let a small server answer probes for an image that cannot be had; `name` says so in the report.

        Raises RehearsalError when the reference has no digest.
        """
        found = _REFERENCE.fullmatch(reference)
        if found is None:
            raise RehearsalError(f"image {reference}: repository@sha256:digest is needed")
        place = self._place(found["repository"], found["digest"])
        place.mkdir(parents=True, exist_ok=True)
        python = str(Path(sys.base_prefix).resolve() / "bin" / "python3")
        answers = str(Path(__file__).with_name("answers.py"))
        image = Image((python, "-I", "-S", "/answers.py", str(port)), binds=((answers, "/answers.py"),), stand_in=name)
        self._write(place, image)

    def stand_ins(self) -> Iterator[tuple[str, str]]:
        """(repository, what stands there) of every image that is not the real thing."""
        for file in sorted(self._folder.glob("**/image.json")):
            if name := json.loads(file.read_text())["stand_in"]:
                yield str(file.parent.parent.relative_to(self._folder)), name

    def _place(self, repository: str, digest: str) -> Path:
        return self._folder / repository / digest

    def _write(self, folder: Path, image: Image) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "image.json").write_text(json.dumps(asdict(image), indent=1))


def _recipe(context: Path) -> tuple[dict[str, Any], Path]:
    path = context / "image.toml"
    try:
        recipe = tomllib.loads(path.read_text())
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise RehearsalError(f"{path}: {error}: a recipe names repository, entrypoint, copy and packages") from error
    for name in ("repository", "entrypoint"):
        if name not in recipe:
            raise RehearsalError(f"{path}: {name} is missing")
    return recipe, (context / recipe.get("checkout", "..")).resolve()


def _words(recipe: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "entrypoint": tuple(recipe["entrypoint"]),
        "command": tuple(recipe.get("command", [])),
        "environment": recipe.get("environment", {}),
        "folder": recipe.get("folder", "/"),
    }


def _digest(*paths: Path) -> str:
    """Of names and contents, in order; what an interpreter leaves behind does not count."""
    total = hashlib.sha256(sys.version.encode())
    for path in paths:
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in files:
            if file.is_file() and file.suffix != ".pyc":
                total.update(f"{file.relative_to(path)}\0".encode())
                total.update(hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()


def _blob(layout: Path, digest: str) -> Path:
    return layout / "blobs" / digest.replace(":", "/")


def _unpack(layer: Path, root: Path) -> None:
    """Apply a layer; `.wh.` files remove what a layer below put there (OCI image specification, "whiteouts")."""
    with tarfile.open(layer) as archive:
        for member in archive:
            path = root / member.name
            if path.name == ".wh..wh..opq":
                shutil.rmtree(path.parent, ignore_errors=True)
                path.parent.mkdir(parents=True)
            elif path.name.startswith(".wh."):
                gone = path.with_name(path.name.removeprefix(".wh."))
                shutil.rmtree(gone) if gone.is_dir() and not gone.is_symlink() else gone.unlink(missing_ok=True)
            else:
                archive.extract(member, root, filter="tar")
