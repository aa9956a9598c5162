"""Do property values survive the way in and out, and does no message keep a secret?"""

import json
from typing import Any

import pytest
from google.protobuf import json_format
from google.protobuf.struct_pb2 import Struct
from hypothesis import given
from hypothesis import strategies as st

from rehearsal.values import UNKNOWN, Properties, at, dump, has_unknown, load, redact, spell

SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}

names = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=8)
leaves = (
    st.just(UNKNOWN)
    | st.booleans()
    | names
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
)
values = st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3))
objects = st.dictionaries(names, values, max_size=4)


def paths(value: Any, prefix: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path for step, item in steps for path in ((*prefix, step), *paths(item, (*prefix, step)))]


@given(objects, st.data())
def test_values_and_secrets_survive_the_round_trip(plain: dict[str, Any], data: st.DataObject) -> None:
    everywhere = paths(plain)
    secrets = frozenset(data.draw(st.lists(st.sampled_from(everywhere), max_size=3)) if everywhere else [])
    back = load(dump(plain, secrets))
    assert back.values == plain
    outermost = {path for path in secrets if not any(path[:n] in secrets for n in range(len(path)))}
    assert back.secrets == outermost
    assert all(back.is_secret(path) for path in secrets)


def test_numbers_keep_their_kind() -> None:
    loaded = load(dump({"count": 3, "ratio": 0.5, "flag": True, "text": "3"})).values
    assert [type(loaded[key]) for key in ("count", "ratio", "flag", "text")] == [int, float, bool, str]
    assert load(dump({"odd": float("inf")})).values == {"odd": "inf"}


def test_a_property_set_to_null_is_absent() -> None:
    struct = json_format.ParseDict({"gone": None, "list": [None, "a"], "deep": {"gone": None}}, Struct())
    assert load(struct).values == {"list": [None, "a"], "deep": {}}


def test_an_output_value_of_newer_engines_is_read() -> None:
    output = {"4dabf18193072939515e22adb298388d": "d0e6a833031e9bbcd3f4e8bde6ca49a4"}
    struct = json_format.ParseDict({"later": output, "word": output | {"value": "x", "secret": True}}, Struct())
    assert load(struct) == Properties({"later": UNKNOWN, "word": "x"}, frozenset({("word",)}))


def test_a_secret_inside_a_secret_is_one_secret() -> None:
    struct = json_format.ParseDict({"a": SECRET | {"value": {"b": SECRET | {"value": 1}}}}, Struct())
    loaded = load(struct)
    assert loaded.values == {"a": {"b": 1}}
    assert loaded.is_secret(("a", "b"))
    assert load(dump(loaded.values, loaded.secrets)).values == {"a": {"b": 1}}


@given(st.text(min_size=1), st.sampled_from([str, repr, json.dumps]))
def test_no_message_keeps_a_secret(secret: str, quote: Any) -> None:
    holder = Properties({"user": {"password": [secret]}}, frozenset({("user", "password")}))
    text = redact(f"<{quote(secret)}>", holder)
    assert text in ("<[secret]>", "<'[secret]'>", '<"[secret]">') or secret in "<>\"'"


def test_paths_and_unknowns() -> None:
    plain = {"ingress": [{"cidrBlocks": ["10.0.0.0/8", UNKNOWN]}]}
    assert spell(("ingress", 0, "cidrBlocks", 1)) == "ingress[0].cidrBlocks[1]"
    assert spell(("metadata", "annotations", "a.b/c")) == 'metadata.annotations["a.b/c"]'
    assert at(plain, ("ingress", 0, "cidrBlocks", 0)) == "10.0.0.0/8"
    assert at(plain, ("ingress", 3, "cidrBlocks")) is None
    assert has_unknown(plain) and not has_unknown(plain["ingress"][0]["cidrBlocks"][:1])


def test_what_is_no_property_value_is_refused() -> None:
    with pytest.raises(TypeError, match="not a property value: set"):
        dump({"a": {1, 2}})
