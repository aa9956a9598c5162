"""Which tokens are believed? Only unexpired access tokens signed by a key of ours, for this API."""

import time

import jwt
import pytest

from service.security.permissions import Role
from service.security.tokens import Tokens, fingerprint, opaque
from service.settings import Settings

KEY, OLD = "k" * 16 + "0123456789abcdef", "o" * 16 + "fedcba9876543210"


def tokens(*keys: str) -> Tokens:
    return Tokens(Settings(security={"token_keys": keys}))


def test_a_token_names_its_caller_twice_the_same() -> None:
    mine = tokens(KEY)
    token, seconds = mine.issue("u" * 32, Role.VIEWER, "s" * 32)
    first, second = mine.verify(token), mine.verify(token)
    assert first == second and first is not None
    assert (first.user_id, first.role, first.session_id) == ("u" * 32, Role.VIEWER, "s" * 32)
    assert seconds == 900


def test_rotation_keeps_tokens_and_a_removed_key_ends_them() -> None:
    token, _ = tokens(OLD).issue("u", Role.CREATOR, "s")
    rotated = tokens(KEY, OLD)
    assert rotated.verify(token) is not None
    signature = tokens(OLD).sign("link", "s")
    assert rotated.signed(signature, "link", "s") and not rotated.signed(signature, "file", "s")
    rotated.configure(Settings(security={"token_keys": [KEY]}))
    assert rotated.verify(token) is None


def test_an_expired_token_is_refused_although_it_was_verified_before(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = tokens(KEY)
    token, seconds = mine.issue("u", Role.CREATOR, "s")
    assert mine.verify(token) is not None
    later = time.time() + seconds + 1
    monkeypatch.setattr("service.security.tokens.time.time", lambda: later)
    assert mine.verify(token) is None


def forged(**change: object) -> str:
    now = int(time.time())
    claims: dict[str, object] = {
        **{"typ": "access", "iss": "tecnocursos", "aud": "tecnocursos-api", "sub": "u", "role": "admin"},
        **{"sid": "s", "jti": "j", "iat": now, "exp": now + 60},
        **change,
    }
    kept = {name: value for name, value in claims.items() if value is not None}
    kid = next(iter(tokens(KEY)._keys))
    return jwt.encode(kept, KEY, "HS256", headers={"kid": kid})


def test_the_forgery_below_would_pass_if_nothing_were_wrong_with_it() -> None:
    assert tokens(KEY).verify(forged()) is not None


@pytest.mark.parametrize(
    "change",
    [
        {"typ": "refresh"},
        {"typ": None},
        {"iss": "another"},
        {"aud": "another"},
        {"aud": None},
        {"exp": None},
        {"exp": 1},
        {"sub": None},
        {"jti": None},
        {"role": "root"},
        {"sid": None},
    ],
)
def test_any_wrong_claim_is_refused(change: dict[str, object]) -> None:
    assert tokens(KEY).verify(forged(**change)) is None


@pytest.mark.parametrize(
    "token",
    [
        "",
        "a.b.c",
        "x" * 10_000,
        jwt.encode({"sub": "u"}, None, "none"),
        jwt.encode({"sub": "u"}, KEY, "HS256"),
        jwt.encode({"sub": "u"}, KEY, "HS256", headers={"kid": "../../dev/null"}),
        jwt.encode({"sub": "u"}, "another key that is long enough 0", "HS256", headers={"kid": "1"}),
    ],
)
def test_what_is_no_token_of_ours_is_refused(token: str) -> None:
    assert tokens(KEY).verify(token) is None


def test_refresh_tokens_are_unguessable_and_stored_as_a_hash() -> None:
    token = opaque()
    assert len(token) >= 43 and token not in fingerprint(token) and opaque() != token


def test_remembered_tokens_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.security.tokens.REMEMBERED", 3)
    mine = tokens(KEY)
    for number in range(10):
        assert mine.verify(mine.issue(f"u{number}", Role.CREATOR, "s")[0]) is not None
    assert len(mine._verified) <= 3
