"""Where does an environment live? The facts every component shares."""

from dataclasses import dataclass

PROJECT = "tecnocursos"


@dataclass(frozen=True)
class Environment:
    """One environment in one AWS account.

    name: dev, staging or production.
    account_id: the twelve digits of the AWS account; the provider refuses every other account.
    region: where the estate runs. recovery_region: where its copies are kept.
    log_days: how long logs are kept.
    protected: whether stateful resources refuse deletion, in AWS and in Pulumi.
    """

    name: str
    account_id: str
    region: str
    recovery_region: str
    log_days: int
    protected: bool

    @property
    def prefix(self) -> str:
        """The beginning of every physical name."""
        return f"{PROJECT}-{self.name}"
