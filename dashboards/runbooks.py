"""What does somebody do who was woken? A page for every alert, and for every alarm of CloudWatch."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field

from dashboards.alerts import Alert
from dashboards.metrics import ROOT, Model
from dashboards.rules import every_alert, rule

FILE = Path(__file__).with_name("runbooks.yaml")
ALARMS = ROOT / "infra/operations/alarms.yaml"


class Command(Model):
    """A line for a shell, and what it tells or does."""

    run: str
    why: str


class Runbook(Model):
    """look: what to see first. causes: what it may be -> what to do. commands: names of the table, or lines."""

    means: str = ""
    look: tuple[str, ...] = Field(min_length=1)
    causes: dict[str, str] = Field(min_length=1)
    commands: tuple[str, ...] = Field(min_length=1)


class Notice(Model):
    """What AWS sends to a topic by itself, without an alarm of ours."""

    severity: Literal["page", "ticket"]
    sender: str
    says: str


class Runbooks(Model):
    """`runbooks.yaml`."""

    commands: dict[str, Command]
    runbooks: dict[str, Runbook]
    notices: dict[str, Notice]


def load(path: Path = FILE) -> Runbooks:
    """The file; pydantic's ValidationError says which field is wrong."""
    return Runbooks.model_validate(yaml.safe_load(path.read_text()))


def alarms(path: Path = ALARMS) -> Mapping[str, Mapping[str, Any]]:
    """The rows of CloudWatch's alarms by name."""
    rows: Mapping[str, Mapping[str, Any]] = yaml.safe_load(path.read_text())["alarms"]
    return rows


def files() -> Iterator[tuple[str, str]]:
    """Every page with its path, and a list of them; ValueError where alerts and pages are not the same."""
    book, by_name = load(), dict[str, list[Alert]]()
    for alert in every_alert():
        by_name.setdefault(alert.name, []).append(alert)
    watched = alarms()
    if different := book.runbooks.keys() ^ (by_name.keys() | watched.keys() | book.notices.keys()):
        raise ValueError(
            f"runbooks.yaml: {', '.join(sorted(different))}: an alert without a page, or a page without an alert"
        )
    for name, same in by_name.items():
        yield f"{name}.md", _page(name, _alert_head(same), book, _rules(same))
    for name, row in watched.items():
        yield f"{name}.md", _page(name, _alarm_head(row), book, _measured(row))
    for name, notice in book.notices.items():
        yield f"{name}.md", _page(name, _notice_head(notice), book, [])
    yield "README.md", _list(by_name, watched, book.notices)


def _page(name: str, head: list[str], book: Runbooks, tail: list[str]) -> str:
    page = book.runbooks[name]
    lines = [f"# {name}", "", *head, *([page.means, ""] if page.means else [])]
    lines += ["## First look", "", *(f"- {one}" for one in page.look), ""]
    lines += [
        "## Likely causes",
        "",
        "| cause | do |",
        "|---|---|",
        *(f"| {c} | {d} |" for c, d in page.causes.items()),
        "",
    ]
    lines += ["## Commands", "", "With `ENV` set to the environment, and credentials for it:", "", "```sh"]
    for name_or_line in (*_access(page, book, head), *page.commands):
        command = book.commands.get(name_or_line)
        lines += [f"# {command.why}", command.run] if command else [name_or_line]
    return "\n".join([*lines, "```", "", *tail, ""])


def _access(page: Runbook, book: Runbooks, head: list[str]) -> Iterator[str]:
    """The commands that let one in: to the cluster where a command needs it, to Grafana where the page links to it."""
    lines = [book.commands[name].run if name in book.commands else name for name in page.commands]
    linked = any("Grafana" in line for line in head)
    if linked or any(line.startswith("kubectl") for line in lines):
        yield "kubeconfig"
    if linked:
        yield "grafana"


def _alert_head(same: list[Alert]) -> list[str]:
    severities = " or ".join(sorted({alert.severity for alert in same}))
    link = rule(same[0]).annotations["dashboard"]
    return [
        f"{severities}, area {same[0].area}, Grafana `{link}`",
        "",
        f"**What it means:** {same[0].description}.",
        "",
    ]


def _rules(same: list[Alert]) -> list[str]:
    lines = ["## The rule", ""]
    for alert in same:
        lines += [f"For {alert.wait}, {alert.severity}:", "", "```promql", alert.expression.strip(), "```", ""]
    return lines[:-1]


def _alarm_head(row: Mapping[str, Any]) -> list[str]:
    return [f"{row['severity']}, CloudWatch", "", f"**What it means:** {row['meaning']}.", ""]


def _notice_head(notice: Notice) -> list[str]:
    return [f"{notice.severity}, {notice.sender}", "", f"**What it means:** {notice.says}.", ""]


def _measured(row: Mapping[str, Any]) -> list[str]:
    side = "above" if "above" in row else "below"
    wrong = f"{row['statistic']} {side} {row[side]:g} for {row['minutes']} minutes"
    return ["## The alarm", "", f"`{row['namespace']}` `{row['metric']}`: {wrong}.", ""]


def _list(
    by_name: Mapping[str, list[Alert]], watched: Mapping[str, Mapping[str, Any]], notices: Mapping[str, Notice]
) -> str:
    lines = ["# Runbooks", "", "One page for every alert. `page` wakes somebody, `ticket` waits until the morning.", ""]
    lines += ["| alert | severity | area | says |", "|---|---|---|---|"]
    for name, same in by_name.items():
        severities = ", ".join(sorted({alert.severity for alert in same}))
        lines.append(f"| [{name}]({name}.md) | {severities} | {same[0].area} | {same[0].description} |")
    lines += ["", "## Alarms of CloudWatch, and what AWS sends by itself", ""]
    lines += ["| alarm | severity | says |", "|---|---|---|"]
    lines += [f"| [{name}]({name}.md) | {row['severity']} | {row['meaning']} |" for name, row in watched.items()]
    lines += [f"| [{name}]({name}.md) | {one.severity} | {one.says}; {one.sender} |" for name, one in notices.items()]
    return "\n".join([*lines, ""])
