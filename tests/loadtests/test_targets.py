"""Is anything but loopback and the list ever put under load?"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from loadtests.targets import TargetError, checked

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8000", "http://localhost:8000/", "http://[::1]:8000", "https://staging.example:8443"]
)
def test_loopback_and_the_list_are_allowed(url: str) -> None:
    assert checked(url, ["staging.example:8443"]) == url.rstrip("/")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://example.com", "may not be loaded"),
        ("https://127.0.0.1.example.com", "may not be loaded"),
        ("https://staging.example.com", "may not be loaded"),
        ("https://staging.example:9999", "may not be loaded"),
        ("https://user:word@localhost", "without credentials"),
        ("https://localhost@example.com", "without credentials"),
        ("http://localhost/path", "only scheme, host and port"),
        ("ftp://localhost", "write it as"),
        ("localhost:8000", "write it as"),
        ("http://localhost:port", "is no URL"),
        ("http://", "write it as"),
    ],
)
def test_anything_else_is_refused_with_the_reason(url: str, words: str) -> None:
    with pytest.raises(TargetError, match=words):
        checked(url, ["staging.example:8443"])


def test_make_load_refuses_before_anything_is_started() -> None:
    for more in (["TARGET=https://tecnocursos.example"], ["FLAGS=--metrics=http://example.com:9000/metrics"]):
        done = subprocess.run(
            ["make", "--silent", "load", "PROFILE=smoke", *more],
            cwd=ROOT,
            env=os.environ | {"PYTHON": sys.executable},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 2
        assert "may not be loaded: allowed are loopback, staging.tecnocursos.example" in done.stderr
        assert "database" not in done.stdout
