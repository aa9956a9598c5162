"""For any run: is the comment short enough, valid Markdown, free of secrets, and is the gravest thing first?"""

import itertools
import re
from typing import Any

import pytest
import stream
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from delivery import cost, publish, report
from delivery.comment import LIMIT, comment, marker
from delivery.model import Outcome

HTML = re.compile(
    r"<!-- delivery-preview: [\w. -]+ -->|<details><summary>[^<>]*</summary>|</details>|</?sub>", re.ASCII
)
PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def written(shown: Outcome, limit: int = LIMIT) -> str:
    return comment(shown, cost.compare(shown.before, shown.after, publish.data("prices"), "dev"), limit=limit)


def check_markdown(text: str) -> None:
    """Nothing but what the comment means to say: its own headings, whole tables, no markup out of names."""
    tokens = PARSER.parse(text)
    inline = [child for token in tokens for child in token.children or []]
    titles = [after.content for token, after in itertools.pairwise(tokens) if token.type == "heading_open"]
    assert re.match(r"(✅|🔵|⚠️|❌) ", titles[0])
    assert all(re.fullmatch(r"What failed|Data at stake|Policy: \d+ blocking|Changes", title) for title in titles[1:])
    raw = [token.content for token in [*tokens, *inline] if token.type in ("html_block", "html_inline")]
    assert all(HTML.sub("", part).strip() == "" for part in raw), raw
    assert "".join(raw).count("<details>") == "".join(raw).count("</details>")
    assert not [token for token in inline if token.type in ("link_open", "image", "s_open")]
    lines = text.splitlines()
    for table in (token for token in tokens if token.type == "table_open"):
        first, last = table.map or [0, 0]
        rows = [line for line in lines[first:last] if line.startswith("|")]
        assert rows and len({row.count("|") for row in rows}) == 1, rows


# What a generated secret looks like: long, with figures inside. A short one of plain words cannot be told from prose.
SECRETS = st.from_regex(r"[A-Za-z]{5,8}[0-9]{1,4}[A-Za-z]{4,12}[0-9]{2,6}[A-Za-z]{2,8}", fullmatch=True)
WORDS = st.text(max_size=40) | st.text("|`*_[]<>&\\#@~!-.:/$\n\u200b ab1", max_size=60)
SENTENCES = st.sampled_from(
    [
        "the value {} was refused",
        "password={}",
        "InvalidParameter: '{}' is not valid",
        "https://admin:{}@db.example/x",
        "{}",
        'got {{"token": "{}"}}',
        "Traceback (most recent call last):\n  boom\nValueError: {} is bad",
    ]
)


@st.composite
def streams(draw: st.DrawFn, secret: str) -> list[str]:
    """Events with odd names everywhere, and the secret wherever a value or a message may be."""
    events: list[Any] = [{"preludeEvent": {"config": {"demo:key": secret}}}]
    values = {"password": stream.SECRET, "plain": secret, "nested": [{"deep": secret}], "unknown": stream.UNKNOWN}
    for _ in range(draw(st.integers(0, 6))):
        token = draw(st.sampled_from([stream.DATABASE, stream.BUCKET, stream.SUBNET]) | WORDS)
        name, many = draw(WORDS), draw(st.sampled_from([1, 1, 3, 150]))
        op = draw(st.sampled_from(["create", "update", "delete", "replace", "same", "refresh", "odd"]))
        kinds = st.sampled_from(["add", "update-replace", "delete", ""])
        diff = draw(st.dictionaries(WORDS, st.fixed_dictionaries({"diffKind": kinds}), max_size=20))
        for number in range(many):
            one = f"{name}{number}"
            side = stream.state(token, one, inputs=values, outputs=values, parent=draw(WORDS) if number == 0 else "")
            events += stream.planned(op, token, one, old=side, new=side, detailedDiff=diff)
    for _ in range(draw(st.integers(0, 4))):
        said = draw(SENTENCES).format(secret)
        about = draw(st.just("") | st.just(stream.urn(stream.BUCKET, "b")) | WORDS)
        level = draw(st.sampled_from(["mandatory", "advisory"]))
        kind = draw(st.sampled_from(["", "EXEMPT until 2027-01-01 (d, o): ", "UNDECIDED: ", "RULE ERROR: "]))
        repeated = draw(st.sampled_from([1, 1, 120]))
        events += [stream.failure(about, f"{number} {said}") for number in range(repeated)]
        events += [stream.finding(draw(WORDS), about, f"{kind}{number} {said}", level) for number in range(repeated)]
    events.append(stream.ending(result=draw(st.sampled_from(["succeeded", "failed"]))))
    lines = stream.lines(*events)
    cut = draw(st.integers(0, len(lines[-1])))
    return [*lines[:-1], lines[-1][:cut]]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.data(), SECRETS, st.sampled_from([0, 1, 2, 7, 130]), st.sampled_from([16_000, LIMIT]))
def test_any_stream_gives_a_short_valid_comment_without_the_secret(
    data: st.DataObject, secret: str, code: int, limit: int
) -> None:
    shown = stream.show(data.draw(streams(secret)), code=code)
    text = written(shown, limit)
    assert len(text.encode()) <= limit
    assert text.startswith(marker(shown.run) + "\n")
    check_markdown(text)
    assert secret not in text
    html = report.render(shown, cost.compare(shown.before, shown.after, publish.data("prices"), "dev"))
    assert secret not in html


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=80), max_size=8), st.sampled_from([0, 1]))
def test_lines_that_are_no_events_are_counted_and_nothing_else(lines: list[str], code: int) -> None:
    shown = stream.show([f"{{no event: {line}" for line in lines], code=code)
    assert shown.damaged == len(lines)
    check_markdown(written(shown))


def change(number: int) -> list[dict[str, Any]]:
    return stream.planned(
        "update", stream.SUBNET, f"subnet-{number}", detailedDiff={"tags.Name": {"diffKind": "update"}}
    )


def test_what_does_not_fit_is_counted_and_findings_win_over_lists() -> None:
    about = stream.urn(stream.BUCKET, "media")
    log = stream.lines(
        *(change(number) for number in range(2000)), stream.finding("bucket-private", about, "acl must not be public.")
    )
    text = written(stream.show(log, code=255))
    assert len(text.encode()) <= LIMIT
    assert "`bucket-private`" in text
    listed = text.count("\n  - update ")
    assert f"… and {2000 - listed} more, in the report." in text


def test_the_gravest_comes_first_and_properties_are_named() -> None:
    text = written(stream.show(stream.lines(change(1), stream.replaced(stream.DATABASE, "main", "storageEncrypted"))))
    assert text.splitlines()[1] == "## ⚠️ dev: 1 to replace, 1 to update"
    assert "| **replace** | aws:rds:Instance `main` | the database | `storageEncrypted` |" in text
    assert text.index("Data at stake") < text.index("### Changes")
    assert "`tags.Name`" in text


@pytest.mark.parametrize("name", ["@org/team", "#12", "https://evil.example", "![x](y)", "a|b", "`c`"])
def test_a_name_cannot_notify_refer_or_link(name: str) -> None:
    text = written(stream.show(stream.lines(stream.failure("", f"no {name} here")), code=1))
    check_markdown(text)
    assert not re.search(r"(?<!\u200b)[@#](org|12\b)|!\[x\]|a\|b", text)
