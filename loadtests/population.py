"""Who are the people of a load test against a service that runs already? Registered over HTTP, erased afterwards.

Registration is limited to one a second and address, so this is for tens of people; hundreds come from a file that
`python -m service sample` made where the service's database is.
"""

import json
import secrets
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

API = "/api/v1"
WAIT = 1.1  # seconds after a 429
TRIES = 30


class PopulationError(Exception):
    """The target did not let people in; the message says what it answered."""


def call(target: str, method: str, path: str, body: Any, *, token: str = "", address: str = "") -> Any:
    """One request, repeated while the rate limit says so. Raises PopulationError."""
    headers = {"content-type": "application/json", "x-forwarded-for": address}
    if token:
        headers["authorization"] = f"Bearer {token}"
    data = json.dumps(body).encode() if body is not None else None
    for _ in range(TRIES):
        request = urllib.request.Request(f"{target}{API}{path}", data, headers, method=method)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 (checked against the allow-list)
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            error.close()
            if error.code not in (429, 503):
                raise PopulationError(f"{method} {target}{API}{path} answered {error.code}") from error
        except OSError as error:
            raise PopulationError(f"{method} {target}{API}{path}: {error}") from error
        time.sleep(WAIT)
    raise PopulationError(f"{method} {target}{API}{path} answered 429 for {TRIES} times")


def register(target: str, number: int, progress: Callable[[str], None]) -> list[dict[str, Any]]:
    """New accounts with a course and a scene each: rows of a sample file. Raises PopulationError, leaving nobody."""
    rows: list[dict[str, Any]] = []
    try:
        for turn in range(number):
            row = {"email": f"load-{secrets.token_hex(8)}@example.com", "password": secrets.token_urlsafe(18)}
            address = f"198.19.255.{turn % 256}"  # counts where the target trusts this machine as a proxy
            call(target, "POST", "/users", {**row, "name": "Load test"}, address=address)
            row["token"] = call(target, "POST", "/sessions", row, address=address)["access_token"]
            rows.append({**row, "courses": []})
            course = call(target, "POST", "/projects", {"title": "Fotossíntese"}, token=row["token"])["id"]
            scene = call(target, "POST", f"/projects/{course}/scenes", {"title": "Luz"}, token=row["token"])["id"]
            rows[-1]["courses"].append({"id": course, "scenes": [scene]})
            if len(rows) % 10 == 0:
                progress(f"{len(rows)} of {number} accounts registered")
    except BaseException:
        erase(target, rows)
        raise
    return rows


def erase(target: str, rows: list[dict[str, Any]]) -> None:
    """Erase the accounts that `register` made. Raises PopulationError."""
    for row in rows:
        call(target, "POST", "/users/me/erasure", {"password": row["password"]}, token=row["token"])
