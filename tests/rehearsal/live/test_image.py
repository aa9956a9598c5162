"""Are images kept by content, and is what they are made of refused when it is not sound?"""

import hashlib
import io
import json
import tarfile
from pathlib import Path

import pytest

from rehearsal.errors import RehearsalError
from rehearsal.live.pods.image import Registry

RECIPE = 'repository = "shop/web"\nentrypoint = ["python", "-m", "web"]\n[copy]\nweb = "/app/web"\n'
HOST = "123456789012.dkr.ecr.us-east-1.amazonaws.com"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    context = tmp_path / "checkout" / "web"
    context.mkdir(parents=True)
    (context / "image.toml").write_text(RECIPE)
    (context / "main.py").write_text("print(1)\n")
    return context


def test_two_versions_are_there_at_once_and_an_edit_reaches_neither(checkout: Path, tmp_path: Path) -> None:
    registry = Registry(tmp_path / "images")
    first = registry.build(checkout)
    assert registry.build(checkout) == first
    (checkout / "main.py").write_text("print(2)\n")
    second = registry.build(checkout)
    assert second != first
    contents = []
    for reference in (first, second):
        image = registry.pull(f"{HOST}/{reference}")
        assert image is not None and image.entrypoint == ("python", "-m", "web")
        ((source, target),) = image.binds
        contents.append((Path(source, "main.py").read_text(), target))
    assert contents == [("print(1)\n", "/app/web"), ("print(2)\n", "/app/web")]


@pytest.mark.parametrize("reference", [f"{HOST}/shop/web@sha256:{'0' * 64}", f"{HOST}/shop/web:latest", "nonsense"])
def test_what_was_never_made_cannot_be_pulled(reference: str, tmp_path: Path) -> None:
    assert Registry(tmp_path).pull(reference) is None


@pytest.mark.parametrize(
    ("recipe", "says"),
    [
        ("repository = 1 +", "image.toml"),
        ('repository = "x"\n', "entrypoint is missing"),
        (RECIPE.replace("web = ", "gone = "), "gone is not there"),
    ],
)
def test_a_recipe_that_cannot_be_followed_is_named(checkout: Path, tmp_path: Path, recipe: str, says: str) -> None:
    (checkout / "image.toml").write_text(recipe)
    with pytest.raises(RehearsalError, match=says):
        Registry(tmp_path / "images").build(checkout)


def blob(layout: Path, content: bytes) -> dict[str, object]:
    digest = hashlib.sha256(content).hexdigest()
    (layout / "blobs" / "sha256").mkdir(parents=True, exist_ok=True)
    (layout / "blobs" / "sha256" / digest).write_bytes(content)
    return {"digest": f"sha256:{digest}", "size": len(content)}


def layer(**files: str) -> bytes:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content.encode()))
    return held.getvalue()


def test_an_oci_layout_is_unpacked_with_its_whiteouts(tmp_path: Path) -> None:
    layout = tmp_path / "layout"
    config = {"config": {"Entrypoint": ["/run"], "Cmd": ["serve"], "Env": ["A=b=c"], "WorkingDir": "/srv"}}
    layers = [blob(layout, layer(kept="1", gone="1")), blob(layout, layer(**{".wh.gone": "", "new": "2"}))]
    manifest = {"config": blob(layout, json.dumps(config).encode()), "layers": layers}
    (layout / "index.json").write_text(json.dumps({"manifests": [blob(layout, json.dumps(manifest).encode())]}))
    registry = Registry(tmp_path / "images")
    image = registry.pull(f"{HOST}/{registry.load('shop/web', layout)}")
    assert image is not None and image.root is not None
    assert sorted(path.name for path in Path(image.root).iterdir()) == ["kept", "new"]
    assert (image.entrypoint, image.command, image.folder) == (("/run",), ("serve",), "/srv")
    assert image.environment == {"A": "b=c"}
    (layout / "index.json").write_text("{}")
    with pytest.raises(RehearsalError, match="no OCI layout"):
        registry.load("shop/web", layout)
