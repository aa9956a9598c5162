"""How does a caller prove who it is? Typed access tokens (JWT), opaque refresh tokens, signed links."""

import hashlib
import hmac
import secrets
import time

import jwt

from service.data.columns import new
from service.security.permissions import Caller, Role
from service.settings import Settings

ISSUER = "tecnocursos"
AUDIENCE = "tecnocursos-api"
TYPE = "access"
ALGORITHM = "HS256"
REMEMBERED = 10_000  # verified tokens per worker


class Tokens:
    """Signs with the first key, verifies with all; a key is named in the token by its fingerprint."""

    def __init__(self, settings: Settings) -> None:
        self.configure(settings)

    def configure(self, settings: Settings) -> None:
        """Take over keys and lifetimes; tokens of keys that are gone stop being valid."""
        keys = [key.get_secret_value().encode() for key in settings.security.token_keys]
        self._keys = {hashlib.sha256(key).hexdigest()[:8]: key for key in keys}
        self._signing = next(iter(self._keys))
        self._seconds = settings.security.access_minutes * 60
        self._verified: dict[str, Caller] = {}

    def issue(self, user_id: str, role: Role, session_id: str) -> tuple[str, int]:
        """An access token and its lifetime in seconds."""
        now = int(time.time())
        claims = {
            "typ": TYPE,
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": user_id,
            "role": role.value,
            "sid": session_id,
            "jti": new(),
            "iat": now,
            "exp": now + self._seconds,
        }
        token = jwt.encode(claims, self._keys[self._signing], ALGORITHM, headers={"kid": self._signing})
        return token, self._seconds

    def verify(self, token: str) -> Caller | None:
        """The caller, or None for whatever is not a valid access token of ours.

        Verified tokens are remembered (the signature costs 40 microseconds); expiry is checked every time.
        """
        caller = self._verified.get(token)
        if caller is None:
            caller = self._decode(token)
            if caller is None:
                return None
            if len(self._verified) >= REMEMBERED:
                self._verified.clear()
            self._verified[token] = caller
        return caller if caller.expires > time.time() else None

    def _decode(self, token: str) -> Caller | None:
        try:
            key = self._keys[jwt.get_unverified_header(token)["kid"]]
            claims = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                issuer=ISSUER,
                options={"require": ["exp", "iat", "sub", "jti"]},
            )
            if claims["typ"] != TYPE:
                return None
            return Caller(claims["sub"], Role(claims["role"]), claims["sid"], claims["exp"])
        except (jwt.InvalidTokenError, KeyError, ValueError, TypeError):
            return None

    def sign(self, purpose: str, *parts: str) -> str:
        """A signature over parts for one purpose: links to files, successors of refresh tokens."""
        return self._mac(self._keys[self._signing], purpose, parts)

    def signed(self, signature: str, purpose: str, *parts: str) -> bool:
        """Was this signature made by one of our keys for exactly this?"""
        return any(
            hmac.compare_digest(self._mac(key, purpose, parts).encode(), signature.encode())
            for key in self._keys.values()
        )

    @staticmethod
    def _mac(key: bytes, purpose: str, parts: tuple[str, ...]) -> str:
        return hmac.new(key, "\n".join((purpose, *parts)).encode(), hashlib.sha256).hexdigest()


def opaque() -> str:
    """A refresh token; its fingerprint is what is stored."""
    return secrets.token_urlsafe(32)


def fingerprint(token: str) -> str:
    """SHA-256 of a token: enough for 256 random bits, and useless to whoever reads the table."""
    return hashlib.sha256(token.encode()).hexdigest()
