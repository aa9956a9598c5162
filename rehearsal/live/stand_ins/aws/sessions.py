"""Who holds these temporary credentials? Tokens that carry the caller, sealed with a key that only the region has.

Nothing is stored: credentials that were handed out stay good over a restart as long as the key is the same.
"""

import base64
import datetime as dt
import hashlib
import hmac
import json
from dataclasses import asdict, dataclass

from rehearsal.aws.authorization.caller import Caller, Kind
from rehearsal.aws.authorization.matching import Value

_SEAL = 32  # bytes of a SHA-256


class CredentialsError(Exception):
    """Credentials that nobody was given, or that have expired; `code` is AWS's."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Credentials:
    """What an AWS client signs with. Never printed: `secret` and `token` open what the caller may do."""

    key_id: str
    secret: str
    token: str
    expires: dt.datetime

    def __repr__(self) -> str:
        """The id alone."""
        return f"Credentials({self.key_id})"


class Sessions:
    """Issues and reads credentials with one key."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def issue(self, caller: Caller, expires: dt.datetime) -> Credentials:
        """Credentials of a caller until then."""
        content = json.dumps({**asdict(caller), "expires": expires.timestamp()}, separators=(",", ":")).encode()
        token = base64.urlsafe_b64encode(self._sealed("token", content) + content).decode()
        key_id = self._key_id(token)
        return Credentials(key_id, self._secret(key_id), token, expires)

    def read(self, key_id: str, token: str, now: dt.datetime) -> tuple[Caller, str]:
        """The caller behind a token, and the secret that signs for it. Raises CredentialsError."""
        try:
            whole = base64.urlsafe_b64decode(token)
        except ValueError:
            whole = b""
        seal, content = whole[:_SEAL], whole[_SEAL:]
        genuine = hmac.compare_digest(seal, self._sealed("token", content))
        if not genuine or not hmac.compare_digest(key_id, self._key_id(token)):
            raise CredentialsError("InvalidClientTokenId", "The security token included in the request is invalid")
        told = json.loads(content)
        if now.timestamp() >= told.pop("expires"):
            raise CredentialsError("ExpiredToken", "The security token included in the request is expired")
        known: dict[str, Value] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in told.pop("context").items()
        }
        return Caller(Kind(told.pop("kind")), **told, context=known), self._secret(key_id)

    def _key_id(self, token: str) -> str:
        return "ASIA" + base64.b32encode(self._sealed("id", token.encode())).decode()[:16]

    def _secret(self, key_id: str) -> str:
        return base64.urlsafe_b64encode(self._sealed("secret", key_id.encode())).decode()[:40]

    def _sealed(self, purpose: str, content: bytes) -> bytes:
        return hmac.new(self._key, purpose.encode() + b"\0" + content, hashlib.sha256).digest()
