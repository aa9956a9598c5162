"""Does the page say the most important thing first, stand alone, and stay readable when everything changes?"""

import re
from dataclasses import replace
from html.parser import HTMLParser

import stream

from delivery import comment, cost, publish, report
from delivery.model import Outcome, Reason


def page(shown: Outcome) -> str:
    return report.render(shown, cost.compare(shown.before, shown.after, publish.data("prices"), "dev"))


def headings(html: str) -> list[str]:
    return re.findall(r"<h[12]>(.*?)(?: <small>.*?)?</h[12]>", html)


class Outside(HTMLParser):
    """Collects whatever a browser would fetch or run."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = {"src", "href", "srcset", "action", "data", "poster"}
        self.found += [f"{tag} {name}" for name, value in attrs if name in names and not (value or "").startswith("#")]
        self.found += [tag] if tag in {"script", "link", "iframe", "object"} else []


def test_losses_come_before_changes_and_findings() -> None:
    html = page(
        stream.show(
            stream.lines(
                stream.stack(),
                stream.replaced(stream.DATABASE, "main", "dbSubnetGroupName"),
                stream.finding("r", stream.urn(stream.DATABASE, "main"), "says.", "advisory"),
                stream.ending(replace=1),
            )
        )
    )
    assert headings(html)[:-1] == ["1 to replace", "Data at stake", "Changes", "Policy", "Cost"]
    assert headings(html)[-1] == "What could not be known, and what was checked at schema level"
    assert '<code class="forces">dbSubnetGroupName</code>' in html


def test_findings_that_block_come_before_changes() -> None:
    about = stream.urn(stream.BUCKET, "media")
    log = stream.lines(stream.planned("create", stream.BUCKET, "media"), stream.finding("bucket-private", about, "no."))
    html = page(stream.show(log, code=255))
    assert headings(html)[:3] == ["Blocked by policy: 1 finding of 1 mandatory rule", "Policy", "Changes"]


def test_what_the_cluster_says_stands_above_what_the_engine_says() -> None:
    image = f"registry.example/service@sha256:{'0' * 64}"
    why = Reason("Deployment/api-green", "image", f"Back-off pulling image {image}: <manifest> unknown")
    failed = stream.show(
        stream.lines(stream.failure("", "the update failed because of a timeout"), stream.ending()), code=255
    )
    shown = replace(failed, reasons=(why,))
    html = page(shown)
    assert headings(html)[1] == "What failed"
    told = "Deployment/api-green: <b>image</b>: Back-off pulling image"
    assert html.index(told) < html.index("the update failed because of a timeout")
    assert "&lt;manifest&gt; unknown" in html
    text = comment.comment(shown, cost.compare({}, {}, publish.data("prices"), "dev"))
    assert "0" * 64 in text and "**image**" in text


def test_a_run_without_changes_says_so_first() -> None:
    html = page(stream.show(stream.lines(stream.stack(), stream.ending(same=12))))
    assert headings(html)[0] == "No changes"
    assert "12 resources are as the program says" in html


def test_the_page_loads_nothing_and_names_are_escaped() -> None:
    name = "<img src=//evil.example/x>"
    html = page(stream.show(stream.lines(stream.planned("create", stream.SUBNET, name), stream.failure("", name))))
    outside = Outside()
    outside.feed(html)
    assert outside.found == []
    assert "url(" not in html and "@import" not in html


def test_three_hundred_changes_fold_under_their_components() -> None:
    parents = [stream.urn("tecnocursos:infra:Network", f"part-{number}") for number in range(3)]
    parts = [stream.planned("create", "tecnocursos:infra:Network", f"part-{number}") for number in range(3)]
    parts += [
        stream.planned(
            "create", stream.SUBNET, f"s{n}", new=stream.state(stream.SUBNET, f"s{n}", parent=parents[n % 3])
        )
        for n in range(300)
    ]
    html = page(stream.show(stream.lines(stream.stack(), *parts, stream.ending(create=303))))
    assert len(re.findall(r"<details>", html)) == 3
    assert "<details open>" not in html
    assert html.count('<span class="op create">101 create</span>') == 3
