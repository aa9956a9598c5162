"""Does the pack survive anything that a program may hand it, and does it keep a secret?"""

import json
from typing import Any

import graphs
import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings
from pack import catalogue, graph
from pack.evaluate import ERROR, judge
from pack.resource import Stack
from wire import UNKNOWN_TEXT, Pack, urn

SECRET = "hunter2-planted-secret"
SENTINELS = [UNKNOWN_TEXT, "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7", "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2"]
SEALED = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "value": SECRET}
COMPLIANT = graphs.compliant()
OTHERS = graph.resources(COMPLIANT)
TYPES = sorted({row["type"] for row in COMPLIANT})
WORDS = ["0.0.0.0/0", "*", "true", "HTTPS", "Allow", "", json.dumps({"Statement": [{"Effect": "Allow"}]}), "{", "[]"]

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**53), 2**53),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from([*SENTINELS, *WORDS, SECRET]),
    st.builds(lambda: dict(SEALED)),
)
KEYS = ["Statement", "Principal", "policy", "spec", "metadata", "labels", "tags", "rules", "containers", "name", "type"]
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


def places(value: Any, above: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every path below a value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path for key, inner in items for path in ((*above, key), *places(inner, (*above, key)))]


def put(row: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    """A copy of the row with one value replaced."""
    copied = json.loads(json.dumps(row))
    target = copied["inputs"]
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = value
    return copied


def survives(row: dict[str, Any]) -> None:
    """Every rule that looks at resources of this type ends without an error and without the secret."""
    (resource,) = graph.resources([row])
    stack = Stack((resource, *(r for r in OTHERS if r.urn != resource.urn)))
    for rule in catalogue.load().values():
        if not rule.applies(resource.type) and resource.type not in rule.reads:
            continue
        defaults = {name: schema["default"] for name, schema in rule.options.items()}
        for subject in stack.of(*rule.types) if rule.of_stack else [resource]:
            for verdict in judge(rule, subject, stack, defaults):
                assert verdict.kind != ERROR, verdict
                assert SECRET not in verdict.message + verdict.path, verdict


@pytest.mark.parametrize("row", COMPLIANT, ids=lambda row: row["urn"].rpartition("::")[2])
def test_every_value_may_be_of_any_kind(row: dict[str, Any]) -> None:
    kinds = [None, True, -1.5, SECRET, [SECRET], {SECRET[:4]: SECRET}, [{}], UNKNOWN_TEXT, [UNKNOWN_TEXT], SEALED]
    for path in places(row["inputs"]):
        for value in kinds:
            survives(put(row, path, value))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_several_values_may_be_anything_at_once(data: st.DataObject) -> None:
    row = data.draw(st.sampled_from(COMPLIANT))
    for _ in range(data.draw(st.integers(1, 3))):
        row = put(row, data.draw(st.sampled_from(places(row["inputs"]) or [("any",)])), data.draw(values))
    survives(row)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(TYPES), st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=5), values, max_size=5))
def test_the_running_pack_answers_anything(pack: Pack, type_: str, inputs: dict[str, Any]) -> None:
    row = {"urn": urn(type_, "any"), "type": type_, "inputs": inputs, "providerInputs": {"defaultTags": "{"}}
    for diagnostic in [*pack.analyze(row), *pack.analyze_stack([*COMPLIANT[:30], row])]:
        assert "RULE ERROR" not in diagnostic.message
        assert SECRET not in str(diagnostic)
    assert pack.process.poll() is None
