"""Whom do the stand-ins ask whether a caller may do something? One small interface over the evaluator."""

from collections.abc import Mapping
from typing import Protocol

from rehearsal.aws.authorization.caller import Caller


class Denied(Exception):  # noqa: N818 (the answer, not a fault)
    """Refused, with the reason that the log and the report show."""


class Judge(Protocol):
    """The account's policies as they stand at this moment."""

    def connection(self, token: str, service: str) -> tuple[Caller, Mapping[str, str]]:
        """Whose token for a database or cache is this, and what does it ask for? Raises Denied."""

    def check(self, caller: Caller, action: str, resource: str) -> None:
        """May they? Raises Denied."""

    def role(self, arn: str) -> Caller:
        """The session of a service's own role. Raises Denied when there is no such role."""
