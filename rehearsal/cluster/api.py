"""How does the rehearsal itself speak to an API server? A few verbs over HTTPS, with the cluster's own CA and token."""

import json
import ssl
import urllib.error
import urllib.request
from typing import Any


class ApiError(Exception):
    """The API server refused: `status` is the HTTP status, the text is the server's own message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Api:
    """One API server at `address` (https://127.0.0.1:PORT)."""

    def __init__(self, address: str, certificate: str, token: str) -> None:
        self.address = address
        self._token = token
        self._tls = ssl.create_default_context(cadata=certificate)

    def call(
        self, verb: str, path: str, body: object = None, kind: str = "application/json", timeout: float = 10
    ) -> Any:
        """One request; the answer decoded (JSON) or as text. Raises ApiError, or OSError when nobody answers."""
        request = urllib.request.Request(  # noqa: S310 - the address is built by the control plane, always https
            self.address + path,
            method=verb,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self._token}", "Content-Type": kind},
        )
        try:
            with urllib.request.urlopen(request, context=self._tls, timeout=timeout) as answer:  # noqa: S310
                text = answer.read().decode()
                return json.loads(text) if answer.headers.get_content_type() == "application/json" else text
        except urllib.error.HTTPError as error:
            text = error.read().decode(errors="replace")
            try:
                message = json.loads(text)["message"]
            except (ValueError, KeyError, TypeError):
                message = text[:300]
            raise ApiError(error.code, message) from None

    def ready(self) -> bool:
        """Whether the server answers /readyz with ok."""
        try:
            return bool(self.call("GET", "/readyz", timeout=2) == "ok")
        except (OSError, ApiError):
            return False

    def apply(self, path: str, body: dict[str, Any], manager: str = "eks") -> Any:
        """Server-side apply of one object at the collection `path`."""
        name = body["metadata"]["name"]
        return self.call(
            "PATCH", f"{path}/{name}?fieldManager={manager}&force=true", body, kind="application/apply-patch+yaml"
        )
