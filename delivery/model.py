"""What is shown of an operation? The types that reports and comments are made from, without any value of a property."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from delivery import events

STACK_TYPE = "pulumi:pulumi:Stack"


class Op(StrEnum):
    """What happens to a resource, gravest first."""

    DELETE = "delete"
    REPLACE = "replace"
    UPDATE = "update"
    CREATE = "create"
    IMPORT = "import"

    @property
    def gravity(self) -> int:
        """Smaller is graver."""
        return list(Op).index(self)


class Status(StrEnum):
    """How far a change came."""

    PLANNED = "planned"
    DONE = "done"
    FAILED = "failed"
    UNFINISHED = "unfinished"


@dataclass(frozen=True)
class Run:
    """The facts of one run of the engine. started: UTC; seconds: wall time; interrupted: it was asked to stop."""

    operation: str
    project: str
    environment: str
    code: int
    rehearsal: bool
    started: datetime
    seconds: float
    interrupted: bool = False


@dataclass(frozen=True)
class Property:
    """A property that changes, by path; its values are never kept."""

    path: str
    kind: str
    replaces: bool


@dataclass(frozen=True)
class Change:
    """One resource that changes. holds: what is lost when it goes, or empty."""

    urn: str
    type: str
    name: str
    component: str
    op: Op
    status: Status
    properties: tuple[Property, ...]
    holds: str
    protected: bool

    @property
    def loses(self) -> bool:
        """Whether something that cannot be made again goes with it."""
        return bool(self.holds) and self.op in (Op.DELETE, Op.REPLACE)


@dataclass(frozen=True)
class Finding:
    """What a rule said. kind: violation, exemption, undecided or rule error."""

    rule: str
    kind: str
    mandatory: bool
    severity: str
    about: str
    what: str
    message: str


@dataclass(frozen=True)
class Message:
    """A diagnostic for people. headline: the one line that says it; text: all of it."""

    severity: str
    about: str
    headline: str
    text: str


@dataclass(frozen=True)
class Reason:
    """Why an object does not come up, in the cluster's words. about: kind/name; kind: image, probe, quota and so on."""

    about: str
    kind: str
    message: str


@dataclass(frozen=True)
class Outcome:
    """Everything the events of one run say, and for a failed one what the clusters say."""

    run: Run
    preview: bool
    result: str
    counts: Mapping[str, int]
    changes: tuple[Change, ...]
    findings: tuple[Finding, ...]
    rules: int
    judged: int
    messages: tuple[Message, ...]
    outputs: Mapping[str, str]
    unknown: tuple[str, ...]
    damaged: int
    before: Mapping[str, events.State]
    after: Mapping[str, events.State]
    reasons: tuple[Reason, ...] = ()

    @property
    def losses(self) -> tuple[Change, ...]:
        """Deletions and replacements of what holds data."""
        return tuple(change for change in self.changes if change.loses)

    @property
    def blocking(self) -> tuple[Finding, ...]:
        """Findings that stop the operation."""
        return tuple(finding for finding in self.findings if finding.mandatory)

    @property
    def complete(self) -> bool:
        """Whether the engine came to the end of the program, so that what comes after is the whole picture."""
        return not self.errors and (self.result == "succeeded" or bool(self.blocking) or not self.run.code)

    @property
    def errors(self) -> tuple[Message, ...]:
        """What failed, in the engine's order."""
        return tuple(message for message in self.messages if message.severity == "error")


def short_type(token: str) -> str:
    """`aws:rds/instance:Instance` as people write it: `aws:rds:Instance`."""
    return re.sub(r"/[^:/]+(?=:[^:]+$)", "", token) if not token.startswith("kubernetes:") else token


def name_of(urn: str) -> str:
    """The last part of a URN."""
    return urn.rpartition("::")[2]


def label(urn: str) -> str:
    """A resource as a person names it: short type and name."""
    token = urn.split("::")[2].rpartition("$")[2] if urn.count("::") >= 3 else ""
    return f"{short_type(token)} {name_of(urn)}".strip()
