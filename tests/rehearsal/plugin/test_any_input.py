"""Does every input get an answer from a plugin that lives on, and does none of its answers' words repeat a secret?"""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rehearsal.aws.schema import open_schemas
from rehearsal.values import UNKNOWN
from tests.rehearsal.plugin.cases import CASES, DELETIONS
from tests.rehearsal.plugin.conftest import Plugin

CANARY = "hush-canary"
REQUESTS = [(case.token, {**case.wrong, **more}) for case in CASES.values() for more in ({}, case.right)]
REQUESTS += [one for _, given_, _ in DELETIONS.values() for one in given_.values()]
plain = (
    st.sampled_from(
        [CANARY, "", "{", "[]", "10.0.0.0/16", "arn:aws:s3:::a", "us-east-1", "*", "8.4", "sun:00:00-mon:00:00"]
    )
    | st.text(max_size=4)
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False)
    | st.booleans()
)
values = st.recursive(
    plain,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def alive(schemas: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plugin]:
    plugin = Plugin(tmp_path_factory.mktemp("world")).configure()
    yield plugin
    plugin.close()


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """A request that the account judges, with some of its inputs replaced by anything."""
    token, inputs = draw(st.sampled_from(REQUESTS))
    resource = open_schemas().get(token)
    assert resource is not None
    names = st.sampled_from(sorted(resource.inputs)) | st.text(max_size=3)
    return token, inputs | draw(st.dictionaries(names, values, max_size=3))


def attempt(plugin: Plugin, act: Any) -> Any:
    try:
        return act()
    except plugin.Error as error:
        assert "the rehearsal's plugin failed" not in error.details(), error.details()
        assert CANARY not in error.details()
        return None


@settings(max_examples=200, deadline=None)
@given(requests())
def test_any_input_is_answered_and_no_secret_is_repeated(alive: Plugin, request_: tuple[str, dict[str, Any]]) -> None:
    token, inputs = request_
    secrets = [(name,) for name, value in inputs.items() if CANARY in str(value)]
    checked, failures = alive.check(token, inputs, secrets=secrets)
    assert CANARY not in str(failures)
    planned = checked.values | {"tags": UNKNOWN}
    attempt(alive, lambda: alive.create(token, planned, preview=True, secrets=checked.secrets))
    if not failures:
        created = attempt(alive, lambda: alive.create(token, checked.values, secrets=checked.secrets))
        if created is not None:
            id, outputs = created
            assert all(outputs.is_secret((name,)) for name, value in outputs.values.items() if CANARY in str(value))
            updated = attempt(alive, lambda: alive.update(token, id, outputs, checked.values))
            attempt(alive, lambda: alive.delete(token, id, updated or outputs))
    assert alive.info().version == "7.51.1"
