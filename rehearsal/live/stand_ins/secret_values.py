"""Which values do secrets have? Those that RDS makes itself, and those that a person puts there, kept by ARN.

On AWS a secret's value is no part of the program, so a rehearsal is told it as well: `python -m rehearsal secret`.
"""

import json
import secrets
from pathlib import Path


class SecretValues:
    """Values by ARN, or by name for a secret that is yet to be made; in one file that only its owner reads."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def all(self) -> dict[str, str]:
        """Every value."""
        try:
            found: dict[str, str] = json.loads(self._file.read_text())
        except FileNotFoundError:
            return {}
        return found

    def put(self, arn: str, value: str) -> None:
        """Give a secret its value."""
        fresh = self._file.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_text(json.dumps(self.all() | {arn: value}))
        fresh.rename(self._file)

    def forget(self, arn: str) -> None:
        """The secret is gone."""
        kept = {name: value for name, value in self.all().items() if name != arn}
        fresh = self._file.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_text(json.dumps(kept))
        fresh.rename(self._file)

    def master(self, arn: str, user: str) -> str:
        """The password of a database's master user, made when it is asked for the first time."""
        known = self.all().get(arn)
        if known is None:
            known = json.dumps({"username": user, "password": secrets.token_urlsafe(24)})
            self.put(arn, known)
        password: str = json.loads(known)["password"]
        return password
