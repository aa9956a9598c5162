"""What must hold for any policy and any request? Denies and limits only take away, negations are negations."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from rehearsal.aws.authorization.caller import Caller, Request
from rehearsal.aws.authorization.conditions import Condition
from rehearsal.aws.authorization.decision import Policies, decide
from rehearsal.aws.authorization.document import Policy, PolicyError, parse
from rehearsal.aws.authorization.matching import arn_like, like, same

settings.register_profile("unhurried", deadline=None)  # other work on the machine is no fault
settings.load_profile("unhurried")
ROLE, SESSION = "arn:aws:iam::1:role/app", "arn:aws:sts::1:assumed-role/app/one"
ARN = "arn:aws:q:us-east-1:1:jobs"
WORDS = st.text(alphabet="abA*?$:/{}", max_size=6)
PATTERNS = st.text(alphabet="abA*?", max_size=6)
ACTIONS = st.sampled_from(["q:Send", "q:*", "q:S*", "Q:SEND", "*", "q:Other", "r:Send"])
RESOURCES = st.sampled_from(
    ["*", ARN, "arn:aws:q:*:1:j*", "arn:aws:q:us-east-1:1:other", "arn:aws:q:*:1:${aws:PrincipalTag/team}"]
)
PRINCIPALS = st.sampled_from(
    ["*", {"AWS": ROLE}, {"AWS": SESSION}, {"AWS": "1"}, {"AWS": "2"}, {"Service": "s3.amazonaws.com"}]
)
TESTS = st.sampled_from(
    [
        {},
        {"StringEquals": {"aws:PrincipalTag/team": "jobs"}},
        {"StringNotLike": {"aws:PrincipalTag/team": "j*"}},
        {"ForAllValues:StringEquals": {"aws:TagKeys": ["a", "b"]}},
        {"NumericLessThanIfExists": {"q:Size": "5"}},
        {"Null": {"q:Size": "true"}},
    ]
)
CONTEXTS = st.fixed_dictionaries(
    {},
    optional={
        "aws:TagKeys": st.lists(st.sampled_from("abc"), unique=True).map(tuple),
        "q:Size": st.sampled_from(["4", "5", "large"]),
    },
)


@st.composite
def statements(draw: st.DrawFn, *, of_resource: bool = False, effect: str | None = None) -> dict[str, Any]:
    row: dict[str, Any] = {"Effect": effect or draw(st.sampled_from(["Allow", "Allow", "Deny"]))}
    row[draw(st.sampled_from(["Action", "Action", "NotAction"]))] = draw(st.lists(ACTIONS, min_size=1, max_size=2))
    row[draw(st.sampled_from(["Resource", "Resource", "NotResource"]))] = draw(
        st.lists(RESOURCES, min_size=1, max_size=2)
    )
    row["Condition"] = draw(TESTS)
    if of_resource:
        row["Principal"] = draw(PRINCIPALS)
    return row


def documents(**options: Any) -> st.SearchStrategy[Policy]:
    rows = st.lists(statements(**options), max_size=3)
    return rows.map(lambda one: parse({"Version": "2012-10-17", "Statement": one}, "any"))


@st.composite
def policies(draw: st.DrawFn) -> Policies:
    return Policies(
        identity=tuple(draw(st.lists(documents(), max_size=2))),
        boundary=draw(st.none() | documents()),
        session=tuple(draw(st.lists(documents(), max_size=1))),
        control=tuple(draw(st.lists(documents(), max_size=1))),
        resource=draw(st.none() | documents(of_resource=True)),
        resource_account=draw(st.sampled_from(["1", "1", "2"])),
        resource_decides=draw(st.booleans()),
    )


@st.composite
def requests(draw: st.DrawFn) -> Request:
    tags = draw(st.sampled_from([{}, {"team": "jobs"}, {"team": "*"}]))
    return Request(Caller.session(ROLE, "one", tags), "q:Send", ARN, draw(CONTEXTS))


def changed(given_policies: Policies, **parts: Any) -> Policies:
    return Policies(**{**vars(given_policies), **parts})


@given(requests(), policies(), documents(effect="Deny"))
def test_a_deny_more_never_allows_more(request_: Request, known: Policies, more: Policy) -> None:
    after = decide(request_, changed(known, identity=(*known.identity, more)))
    assert decide(request_, known).allowed or not after.allowed


@given(requests(), policies(), documents(effect="Allow"))
def test_an_allow_more_never_allows_less(request_: Request, known: Policies, more: Policy) -> None:
    after = decide(request_, changed(known, identity=(*known.identity, more)))
    assert after.allowed or not decide(request_, known).allowed


@given(requests(), policies(), documents())
def test_a_limit_never_allows_more(request_: Request, known: Policies, limit: Policy) -> None:
    free = changed(known, boundary=None, session=(), control=())
    allowed = decide(request_, free).allowed
    for part in ({"boundary": limit}, {"session": (limit,)}, {"control": (limit,)}, {"endpoint": limit}):
        assert allowed or not decide(request_, changed(free, **part)).allowed


@given(requests(), policies())
def test_nothing_is_allowed_without_a_statement_that_allows(request_: Request, known: Policies) -> None:
    decision = decide(request_, known)
    assert not decision.allowed or (decision.by and all(match.statement.allows for match in decision.by))
    assert decision.allowed is decision.reason.startswith("allowed")


@given(requests(), policies())
def test_every_account_but_the_own_needs_both_sides(request_: Request, known: Policies) -> None:
    away = changed(known, resource_account="2")
    if decide(request_, away).allowed:
        assert not decide(request_, changed(away, identity=())).allowed
        assert not decide(request_, changed(away, resource=None)).allowed


@given(st.lists(ACTIONS, min_size=1, max_size=3), st.lists(RESOURCES.filter(lambda one: "$" not in one), min_size=1))
def test_not_action_and_not_resource_are_complements(actions: list[str], resources: list[str]) -> None:
    request = Request(Caller.session(ROLE), "q:Send", ARN)

    def allows(**row: Any) -> bool:
        document = parse({"Version": "2012-10-17", "Statement": {"Effect": "Allow", **row}}, "any")
        return decide(request, Policies(identity=(document,))).allowed

    assert allows(Action=actions, Resource="*") is not allows(NotAction=actions, Resource="*")
    assert allows(Action="*", Resource=resources) is not allows(Action="*", NotResource=resources)


PAIRS = [(f"String{name}", f"StringNot{name}") for name in ("Equals", "EqualsIgnoreCase", "Like")]


@given(st.sampled_from(PAIRS), st.lists(PATTERNS, min_size=1, max_size=3), PATTERNS | st.none())
def test_a_negated_operator_is_the_negation(pair: tuple[str, str], wanted: list[str], actual: str | None) -> None:
    known = {} if actual is None else {"k": actual}
    positive, negative = (Condition.of(name, "k", tuple(wanted)).holds(known, variables=True) for name in pair)
    assert positive is not negative


@given(st.sampled_from(PAIRS), st.lists(PATTERNS, min_size=1), st.lists(PATTERNS).map(tuple))
def test_for_any_value_is_not_for_all_values_of_the_negation(
    pair: tuple[str, str], wanted: list[str], actual: tuple[str, ...]
) -> None:
    some = Condition.of(f"ForAnyValue:{pair[0]}", "k", tuple(wanted)).holds({"k": actual}, variables=True)
    every = Condition.of(f"ForAllValues:{pair[1]}", "k", tuple(wanted)).holds({"k": actual}, variables=True)
    assert some is not every


@given(st.sampled_from([name for pair in PAIRS for name in pair]), st.lists(PATTERNS, min_size=1), PATTERNS | st.none())
def test_if_exists_is_absent_or_the_operator(operator: str, wanted: list[str], actual: str | None) -> None:
    known = {} if actual is None else {"k": actual}
    plain, optional = (Condition.of(name, "k", tuple(wanted)) for name in (operator, f"{operator}IfExists"))
    assert optional.holds(known, variables=True) is (actual is None or plain.holds(known, variables=True))


def plainly(pattern: str, text: str) -> bool:
    """The meaning of `*` and `?`, written as it is explained."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(plainly(pattern[1:], text[cut:]) for cut in range(len(text) + 1))
    return bool(text) and pattern[0] in ("?", text[0]) and plainly(pattern[1:], text[1:])


@given(PATTERNS, st.text(alphabet="abA.*\n", max_size=6))
def test_wildcards_mean_what_they_are_said_to_mean(pattern: str, text: str) -> None:
    assert like(pattern, text) is plainly(pattern, text)
    assert like(pattern, text, any_case=True) is plainly(pattern.lower(), text.lower())
    assert same(pattern, text) is (pattern == text)


@given(WORDS, WORDS)
def test_the_value_of_a_variable_is_plain_text(value: str, text: str) -> None:
    known = {"aws:username": value}
    assert like("x/${aws:username}/*", f"x/{text}/y", context=known) is f"x/{text}/y".startswith(f"x/{value}/")
    assert arn_like("arn:aws:s3:::b/${aws:username}", f"arn:aws:s3:::b/{text}", context=known) is (value == text)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | WORDS,
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(
                    ["Statement", "Version", "Effect", "Action", "Resource", "Principal", "Condition", "StringLike"]
                ),
                inner,
            )
        ),
    )
)
def test_a_document_is_read_or_refused_with_words(document: Any) -> None:
    try:
        parse(json.dumps(document), "any")
    except PolicyError as error:
        assert str(error).startswith(("any", "statement"))
