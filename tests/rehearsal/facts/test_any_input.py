"""Whatever the inputs: does the plugin answer, keep secrets to itself, and agree with its own answers?"""

import json
import string
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rehearsal.answers import Differences
from rehearsal.aws.check import check, refused_at_up
from rehearsal.aws.context import Context
from rehearsal.aws.diff import diff
from rehearsal.aws.documents import canonical
from rehearsal.aws.library import Library
from rehearsal.aws.schema import Property, Schemas, Type, ensure
from rehearsal.values import UNKNOWN, has_unknown

ensure()
LIBRARY = Library.open()
CONTEXT = Context("us-east-1")
ANY_TIME = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
SECRET = "hunter2"
TOKENS = st.sampled_from(LIBRARY.schemas.tokens())

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.just(UNKNOWN)
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)


def values(schemas: Schemas, kind: Type, depth: int) -> st.SearchStrategy[Any]:
    """Values of the declared type; text is sometimes a policy, a number or unknown."""
    if kind.element is not None:
        inner = values(schemas, kind.element, depth)
        keys = st.text(string.ascii_letters, max_size=4)
        return st.lists(inner, max_size=2) if kind.kind == "list" else st.dictionaries(keys, inner, max_size=2)
    if kind.kind == "object":
        return objects(schemas, schemas.fields(kind.cls or ""), depth - 1) if depth > 0 else st.just({})
    plain: dict[str, st.SearchStrategy[Any]] = {
        "bool": st.booleans(),
        "int": st.integers(-5, 100_000),
        "float": st.floats(0, 1000, allow_nan=False),
    }
    texts = ['{"Statement": [{"Effect": "Allow"}]}', "10.0.0.0/16", "5", UNKNOWN]
    text = st.text(string.ascii_lowercase + "-.:/", min_size=1, max_size=12) | st.sampled_from(texts)
    return plain.get(kind.kind, text)


def objects(schemas: Schemas, fields: Any, depth: int = 2) -> st.SearchStrategy[dict[str, Any]]:
    known: dict[str, Property] = dict(fields)
    required = {name: values(schemas, one.type, depth) for name, one in known.items() if one.required}
    optional = {name: values(schemas, one.type, depth) for name, one in known.items() if not one.required}
    few = st.lists(st.sampled_from(sorted(optional)), max_size=5, unique=True) if optional else st.just([])
    return few.flatmap(lambda names: st.fixed_dictionaries({**required, **{name: optional[name] for name in names}}))


@st.composite
def resources(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    token = draw(TOKENS)
    resource = LIBRARY.schemas.get(token)
    assert resource is not None
    return token, draw(objects(LIBRARY.schemas, resource.inputs))


def ask(token: str, news: Any, olds: Any = None) -> Any:
    return check(LIBRARY, token, news, olds=olds or {}, name="a", random_seed=b"seed", context=CONTEXT)


@ANY_TIME
@given(TOKENS, st.dictionaries(st.text(max_size=8), anything, max_size=4), st.data())
def test_no_input_makes_it_fail(token: str, extra: dict[str, Any], data: st.DataObject) -> None:
    resource = LIBRARY.schemas.get(token)
    assert resource is not None
    names = data.draw(st.lists(st.sampled_from(sorted(resource.inputs)), max_size=6)) if resource.inputs else []
    news = {**extra, **{name: data.draw(anything) for name in names}}
    answer = ask(token, news)
    paths = [failure.property for failure in answer.failures]
    assert len(paths) == len(set(paths))
    refused_at_up(LIBRARY, token, answer.inputs)
    diff(LIBRARY, token, old_inputs=news, old_outputs=news, news=answer.inputs, context=CONTEXT)


@ANY_TIME
@given(resources())
def test_checked_inputs_check_clean_and_differ_in_nothing(resource: tuple[str, dict[str, Any]]) -> None:
    token, news = resource
    first = ask(token, news)
    if first.failures:
        return
    again = ask(token, first.inputs, first.inputs)
    assert again == first
    answer = diff(LIBRARY, token, old_inputs=first.inputs, old_outputs={}, news=again.inputs, context=CONTEXT)
    assert has_unknown(first.inputs) or answer == Differences()


@ANY_TIME
@given(resources(), st.data())
def test_no_answer_repeats_a_value(resource: tuple[str, dict[str, Any]], data: st.DataObject) -> None:
    """Any text anywhere in the inputs may be a secret."""
    token, news = resource
    filled = json.loads(json.dumps(news, default=lambda _: SECRET).replace("10.0.0.0/16", SECRET))
    for name in data.draw(st.lists(st.sampled_from(sorted(filled)), max_size=3)) if filled else []:
        filled[name] = SECRET
    answer = ask(token, filled)
    assert SECRET not in str(answer.failures)
    assert SECRET not in str([str(one) for one in refused_at_up(LIBRARY, token, answer.inputs)])
    assert SECRET not in str(diff(LIBRARY, token, old_inputs=news, old_outputs={}, news=filled, context=CONTEXT))


@ANY_TIME
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda one: st.lists(one) | st.dictionaries(st.text(), one),
    )
)
def test_a_document_in_another_spelling_is_the_same(document: Any) -> None:
    assert canonical(json.dumps(document, indent=3)) == canonical(json.dumps(document, separators=(",", ":"))) or not (
        isinstance(document, list | dict)
    )
