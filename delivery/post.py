"""How does a comment get onto a pull request once, however often the preview runs? Found again by its first line."""

import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from delivery.engine import DeliveryError

PAGE = 100  # comments per request, GitHub's most
NEEDED = ("GITHUB_API_URL", "GITHUB_REPOSITORY", "GITHUB_TOKEN", "PULL_REQUEST")


def post(folder: Path, env: Mapping[str, str] = os.environ) -> int:
    """Write or renew one comment for every comment.md below `folder`; returns how many.

    Raises DeliveryError when a variable is missing, when there is no comment, or when GitHub refuses.
    """
    if missing := [name for name in NEEDED if not env.get(name)]:
        raise DeliveryError(f"{', '.join(missing)}: not set; a GitHub workflow sets them")
    if not env["PULL_REQUEST"].isdecimal():
        raise DeliveryError("PULL_REQUEST: must be the number of a pull request")
    texts = [path.read_text() for path in sorted(folder.glob("*/comment.md"))]
    if not texts:
        raise DeliveryError(f"{folder}: no comment.md in its folders")
    issue = f"{env['GITHUB_API_URL']}/repos/{env['GITHUB_REPOSITORY']}/issues"
    known = {
        body.partition("\n")[0].strip(): comment["url"]
        for comment in _all(f"{issue}/{env['PULL_REQUEST']}/comments", env["GITHUB_TOKEN"])
        if (body := str(comment.get("body") or "")).startswith("<!-- delivery-preview:")
    }
    for text in texts:
        url = known.get(text.partition("\n")[0].strip())
        method, url = ("PATCH", url) if url else ("POST", f"{issue}/{env['PULL_REQUEST']}/comments")
        _ask(method, url, env["GITHUB_TOKEN"], {"body": text})
    return len(texts)


def _all(url: str, token: str) -> Iterator[dict[str, Any]]:
    """Every page: the comment may be behind the first hundred."""
    number = 1
    while page := _ask("GET", f"{url}?per_page={PAGE}&page={number}", token):
        yield from page
        if len(page) < PAGE:
            return
        number += 1


def _ask(method: str, url: str, token: str, content: object = None) -> Any:
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/vnd.github+json"}
    body = None if content is None else json.dumps(content).encode()
    # S310: the address is GitHub's own, from the workflow's environment.
    request = urllib.request.Request(url, body, headers, method=method)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return json.load(answer)
    except urllib.error.HTTPError as refused:
        refused.close()
        raise DeliveryError(f"GitHub answered {refused.code} to {method} of a comment") from refused
    except urllib.error.URLError as failed:
        raise DeliveryError(f"GitHub cannot be reached: {failed.reason}") from failed
